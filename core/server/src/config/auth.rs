//! `[auth]`: secrets, tokens and sessions.

use std::time::Duration;

use super::cookies::Cookies;
use super::network::page;
use super::password::Password;
use super::raw::{Bad, Raw, flag, list};
use super::reader::Reader;
use super::units::{duration, parse_duration, positive};
use roster_engine::Secret;

const LEAST_SECRET: usize = 32;
const STRONG: &str = "at least 32 bytes that are not all the same";

/// `[auth]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// The key of all tokens; none only with SQLite, where one is generated beside the database.
    pub secret: Option<Secret>,
    /// Earlier secrets that still decrypt what they encrypted.
    pub previous_secrets: Vec<Secret>,
    /// Whether `?access_token=` is accepted.
    pub query_tokens: bool,
    /// Longest life of a session, however often it is refreshed.
    pub session_max_age: Duration,
    /// What too many failed logins do.
    pub lockout: Lockout,
    /// Life of an access token.
    pub access_token_ttl: Duration,
    /// Life of an unused refresh token.
    pub refresh_token_ttl: Duration,
    /// Life of an unused session cookie.
    pub session_ttl: Duration,
    /// How long a rotated refresh token still gives its successor.
    pub refresh_grace: Duration,
    /// Least time that a refused login takes.
    pub login_stall: Duration,
    /// Least time that a registration takes.
    pub register_stall: Duration,
    /// Life of a mailed password reset.
    pub reset_token_ttl: Duration,
    /// Life of a mailed invitation.
    pub invite_token_ttl: Duration,
    /// Life of a mailed address verification.
    pub verify_token_ttl: Duration,
    /// Pages that a password reset may link to.
    pub reset_urls: Vec<String>,
    /// Pages that an invitation may link to.
    pub invite_urls: Vec<String>,
    /// Pages that an address verification may link to.
    pub verify_urls: Vec<String>,
    /// `[auth.cookies]`
    pub cookies: Cookies,
    /// `[auth.password]`
    pub password: Password,
}

/// What too many failed logins do to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lockout {
    /// The user is suspended until somebody ends it.
    Suspend,
    /// Logins are refused for this long.
    For(Duration),
}

impl Auth {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            secret: reader.read_if_given("auth.secret", secret),
            previous_secrets: reader.read("auth.previous_secrets", list(strong)),
            query_tokens: reader.read("auth.query_tokens", flag),
            session_max_age: reader.read("auth.session_max_age", positive),
            lockout: reader.read("auth.lockout", lockout),
            access_token_ttl: reader.read("auth.access_token_ttl", whole_seconds),
            refresh_token_ttl: reader.read("auth.refresh_token_ttl", whole_seconds),
            session_ttl: reader.read("auth.session_ttl", whole_seconds),
            refresh_grace: reader.read("auth.refresh_grace", duration),
            login_stall: reader.read("auth.login_stall", duration),
            register_stall: reader.read("auth.register_stall", duration),
            reset_token_ttl: reader.read("auth.reset_token_ttl", whole_seconds),
            invite_token_ttl: reader.read("auth.invite_token_ttl", whole_seconds),
            verify_token_ttl: reader.read("auth.verify_token_ttl", whole_seconds),
            reset_urls: reader.read("auth.reset_urls", list(page)),
            invite_urls: reader.read("auth.invite_urls", list(page)),
            verify_urls: reader.read("auth.verify_urls", list(page)),
            cookies: Cookies::read(reader),
            password: Password::read(reader),
        }
    }
}

fn secret(raw: &Raw<'_>) -> Result<Secret, Bad> {
    raw.text(STRONG).and_then(strong)
}

fn strong(text: &str) -> Result<Secret, Bad> {
    let first = text.chars().next();
    if text.len() < LEAST_SECRET || text.chars().all(|c| Some(c) == first) {
        return Err(Bad::expected(STRONG));
    }
    Ok(Secret::new(text))
}

fn lockout(raw: &Raw<'_>) -> Result<Lockout, Bad> {
    const EXPECTED: &str = "`suspend` or a duration longer than zero, such as `15m`";
    match raw.text(EXPECTED)? {
        "suspend" => Ok(Lockout::Suspend),
        text => parse_duration(text)
            .filter(|time| !time.is_zero())
            .map(Lockout::For)
            .ok_or(Bad::expected(EXPECTED)),
    }
}

/// Tokens and cookies count their lives in seconds.
fn whole_seconds(raw: &Raw<'_>) -> Result<Duration, Bad> {
    let found = positive(raw)?;
    if found.subsec_millis() != 0 {
        return Err(Bad::expected(
            "a duration of whole seconds, such as `15m` or `7d`",
        ));
    }
    Ok(found)
}
