//! `[auth]` and `[admin]`: tokens, sessions, cookies, passwords and the first administrator.

use std::thread::available_parallelism;
use std::time::Duration;

use super::network::page;
use super::reader::{Bad, Raw, Reader, choice, flag, list, text_or_none, whole};
use super::secret::Secret;
use super::units::{ByteSize, duration, parse_duration, positive, size};

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

/// `[auth.cookies]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookies {
    /// Name of the refresh token's cookie.
    pub refresh: String,
    /// Name of the session token's cookie.
    pub session: String,
    /// The Secure attribute.
    pub secure: CookieSecure,
    /// The SameSite attribute.
    pub same_site: SameSite,
    /// The Domain attribute, if there is to be one.
    pub domain: Option<String>,
}

/// When cookies have the Secure attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieSecure {
    /// When `server.public_url` is https.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The SameSite attribute of cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Sent with navigations from elsewhere.
    Lax,
    /// Sent from our own site only.
    Strict,
    /// Sent from everywhere.
    None,
}

impl Cookies {
    fn read(reader: &mut Reader) -> Self {
        const SAME_SITE: &[(&str, SameSite)] = &[
            ("lax", SameSite::Lax),
            ("strict", SameSite::Strict),
            ("none", SameSite::None),
        ];
        let cookies = Self {
            refresh: reader.read("auth.cookies.refresh", cookie_name),
            session: reader.read("auth.cookies.session", cookie_name),
            secure: reader.read("auth.cookies.secure", cookie_secure),
            same_site: reader.read("auth.cookies.same_site", choice(SAME_SITE)),
            domain: reader.read("auth.cookies.domain", domain),
        };
        if cookies.refresh == cookies.session {
            let problem = format!(
                "expected another name than the other cookie's, got `{}`",
                cookies.session
            );
            reader.note("auth.cookies.session", problem);
        }
        if cookies.same_site == SameSite::None && cookies.secure == CookieSecure::Never {
            let problem = "expected `true` or `auto` beside `same_site = \"none\"`, got `false`";
            reader.note("auth.cookies.secure", problem);
        }
        cookies
    }
}

fn cookie_name(raw: &Raw<'_>) -> Result<String, Bad> {
    const EXPECTED: &str = "a cookie name of letters, digits, `-` and `_`";
    let text = raw.text(EXPECTED)?;
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_name = !text.is_empty() && text.chars().all(known);
    if is_name {
        Ok(text.to_owned())
    } else {
        Err(Bad::expected(EXPECTED))
    }
}

fn cookie_secure(raw: &Raw<'_>) -> Result<CookieSecure, Bad> {
    if raw.text("").is_ok_and(|text| text == "auto") {
        return Ok(CookieSecure::Auto);
    }
    let secure = flag(raw).map_err(|_| Bad::expected("`\"auto\"`, `true` or `false`"))?;
    Ok(if secure {
        CookieSecure::Always
    } else {
        CookieSecure::Never
    })
}

fn domain(raw: &Raw<'_>) -> Result<Option<String>, Bad> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    match text_or_none(raw)? {
        Some(text) if !text.chars().all(known) => {
            Err(Bad::expected("a domain such as `example.com`"))
        }
        found => Ok(found),
    }
}

/// `[auth.password]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password {
    /// argon2id: memory of one hash; at least 8 KiB for each lane.
    pub memory: ByteSize,
    /// argon2id: passes over the memory.
    pub iterations: u32,
    /// argon2id: lanes.
    pub parallelism: u32,
    /// Least characters of a new password.
    pub min_length: usize,
    /// Whether common passwords are refused.
    pub reject_common: bool,
    /// Whether changing one's own password needs the current one.
    pub require_current: bool,
    /// Hashes computed at once, already worked out from the cores; at least one.
    pub max_concurrent: usize,
}

impl Password {
    fn read(reader: &mut Reader) -> Self {
        let password = Self {
            memory: reader.read("auth.password.memory", argon2_memory),
            iterations: reader.read("auth.password.iterations", whole(1..=1_000)),
            parallelism: reader.read("auth.password.parallelism", whole(1..=256)),
            min_length: reader.read("auth.password.min_length", whole(1..=1_024)),
            reject_common: reader.read("auth.password.reject_common", flag),
            require_current: reader.read("auth.password.require_current", flag),
            max_concurrent: match reader.read("auth.password.max_concurrent", whole(0..=1_024)) {
                0 => available_parallelism().map_or(1, |cores| (cores.get() - 1).max(1)),
                given => given,
            },
        };
        if password.memory.bytes() < 8 * 1_024 * u64::from(password.parallelism) {
            let problem = format!(
                "expected at least 8KiB for each of {} lanes, got {} bytes",
                password.parallelism,
                password.memory.bytes()
            );
            reader.note("auth.password.memory", problem);
        }
        password
    }
}

fn argon2_memory(raw: &Raw<'_>) -> Result<ByteSize, Bad> {
    let found = size(raw)?;
    if found.bytes() % 1_024 == 0 && found.bytes() <= 4 << 30 {
        Ok(found)
    } else {
        Err(Bad::expected("whole KiB and no more than `4GiB`"))
    }
}

/// `[admin]`: the first administrator, made once on an empty database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: Secret,
}

impl Admin {
    /// Reads the section; none when neither key is set.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let email = reader.read("admin.email", text_or_none);
        let password = reader.read("admin.password", text_or_none);
        if let Some(email) = &email
            && !is_address(email)
        {
            reader.note(
                "admin.email",
                format!("expected an e-mail address, got `{email}`"),
            );
        }
        match (email, password) {
            (Some(email), Some(password)) => Some(Self {
                email,
                password: Secret::new(password),
            }),
            (Some(_), None) if !reader.is_mistaken("admin.password") => {
                reader.note(
                    "admin.password",
                    "expected a password beside `admin.email`, got none",
                );
                None
            }
            (None, Some(_)) if !reader.is_mistaken("admin.email") => {
                reader.note(
                    "admin.email",
                    "expected an address beside `admin.password`, got none",
                );
                None
            }
            _ => None,
        }
    }
}

/// Whether `text` looks like an e-mail address; the domain says exactly when a user is made.
pub(super) fn is_address(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@')
    };
    text.split_once('@')
        .is_some_and(|(local, domain)| plain(local) && plain(domain))
}
