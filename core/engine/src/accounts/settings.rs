//! What can be said about accounts.

use std::path::PathBuf;
use std::time::Duration;

/// What too many failed logins do to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lockout {
    /// They are suspended until somebody ends it.
    Suspend,
    /// They cannot log in for this long.
    For(Duration),
}

/// So many tries within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// Within which time.
    pub per: Duration,
}

/// How many tries an address has; none is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Logins, resets and whatever else takes a secret.
    pub login: Option<Rate>,
    /// Registrations.
    pub register: Option<Rate>,
    /// Requests.
    pub api: Option<Rate>,
}

/// How long what is mailed works, and which pages it may link to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailing {
    /// For how long.
    pub ttl: Duration,
    /// The pages: origin and path.
    pub urls: Vec<String>,
}

/// What can be said about accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSettings {
    /// Where clients reach the server, with no slash at its end.
    pub public_url: String,
    /// How long a session cookie lives unused.
    pub session_ttl: Duration,
    /// What too many failed logins do.
    pub lockout: Lockout,
    /// How long a registration takes at least.
    pub register_stall: Duration,
    /// Fields that a registration may set beside e-mail, password and names.
    pub register_fields: Vec<String>,
    /// Password resets.
    pub reset: Mailing,
    /// Invitations.
    pub invite: Mailing,
    /// Verifications of an address.
    pub verify: Mailing,
    /// Tries for each address.
    pub rates: Rates,
    /// The folder of the operator's own mail templates.
    pub templates: Option<PathBuf>,
}

impl Default for AccountSettings {
    fn default() -> Self {
        let mailing = |ttl| Mailing {
            ttl,
            urls: Vec::new(),
        };
        Self {
            public_url: "http://127.0.0.1:8055".to_owned(),
            session_ttl: Duration::from_hours(24),
            lockout: Lockout::Suspend,
            register_stall: Duration::from_millis(750),
            register_fields: Vec::new(),
            reset: mailing(Duration::from_hours(1)),
            invite: mailing(Duration::from_hours(7 * 24)),
            verify: mailing(Duration::from_hours(7 * 24)),
            rates: Rates::default(),
            templates: None,
        }
    }
}
