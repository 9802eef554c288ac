//! The engine's typed settings.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use roster_domain::query::PageLimits;

use crate::accounts::AccountSettings;

/// Text that does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text. Ask only where it is used.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What the engine can be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What tokens are signed with: the present secret, then those that still verify.
    pub secrets: Vec<Secret>,
    /// How long an access token lives.
    pub access_token_ttl: Duration,
    /// How long a session lives unused.
    pub refresh_token_ttl: Duration,
    /// How long a session lives at most.
    pub session_max_age: Duration,
    /// How long a refresh token that was just used gives the same successor again.
    pub refresh_grace: Duration,
    /// How long a refused login takes at least.
    pub login_stall: Duration,
    /// Accounts.
    pub accounts: AccountSettings,
    /// Passwords.
    pub password: PasswordSettings,
    /// Pages.
    pub pages: PageLimits,
    /// The sender of mails.
    pub mail_from: String,
    /// The name of the plugin that sends mails.
    pub mailer: String,
    /// Deliveries.
    pub outbox: OutboxSettings,
    /// Users.
    pub users: UserSettings,
    /// Roles.
    pub roles: RoleSettings,
    /// Files.
    pub files: FileSettings,
}

/// What users are and become.
#[derive(Debug, Clone)]
pub struct UserSettings {
    /// Whether a new user with the address of an archived one brings that one back.
    pub inherits: bool,
    /// Statuses beside the six known ones.
    pub statuses: Vec<String>,
    /// The size of the largest file of users that is taken in, in bytes.
    pub largest_import: u64,
}

impl Default for UserSettings {
    fn default() -> Self {
        Self {
            inherits: false,
            statuses: Vec::new(),
            largest_import: 100 * 1024 * 1024,
        }
    }
}

/// What becomes of roles.
#[derive(Debug, Clone)]
pub struct RoleSettings {
    /// Whether the users of a deleted role are suspended.
    pub suspends: bool,
}

impl Default for RoleSettings {
    fn default() -> Self {
        Self { suspends: true }
    }
}

/// Where files are kept, and how large they are.
#[derive(Debug, Clone)]
pub struct FileSettings {
    /// The size of the largest one, in bytes.
    pub max_size: usize,
    /// Whether the content of new ones goes into the folder, and not into the database.
    pub in_folder: bool,
    /// The folder.
    pub folder: PathBuf,
}

impl Default for FileSettings {
    fn default() -> Self {
        Self {
            max_size: 5 * 1024 * 1024,
            in_folder: false,
            folder: PathBuf::from("data/files"),
        }
    }
}

/// How passwords are judged and hashed.
#[derive(Debug, Clone)]
pub struct PasswordSettings {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes of one hash.
    pub iterations: u32,
    /// Lanes of one hash.
    pub parallelism: u32,
    /// Hashes at a time; 0 for one less than there are cores, at least one.
    pub max_concurrent: usize,
    /// The shortest password, in characters.
    pub min_length: usize,
    /// Whether common passwords are refused, and words around the user.
    pub reject_common: bool,
    /// Whether changing one's own password needs the present one.
    pub require_current: bool,
}

/// How after-events and mails are delivered.
#[derive(Debug, Clone)]
pub struct OutboxSettings {
    /// Whether delivered events are kept, and events that nobody subscribes to.
    pub retain: bool,
    /// How often a delivery is tried before it is given up.
    pub max_attempts: u32,
    /// The pause after the first failure; it doubles each time.
    pub backoff: Duration,
    /// The longest pause.
    pub max_backoff: Duration,
    /// How long a node may take for one delivery before another tries.
    pub lease: Duration,
    /// How long told events are kept, and dead letters; zero is for ever.
    pub retention: Duration,
}

impl Default for OutboxSettings {
    fn default() -> Self {
        Self {
            retain: false,
            max_attempts: 10,
            backoff: Duration::from_secs(1),
            max_backoff: Duration::from_hours(1),
            lease: Duration::from_secs(30),
            retention: Duration::from_hours(30 * 24),
        }
    }
}
