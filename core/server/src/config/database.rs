//! `[database]` and `[outbox]`: where the data lives, and how events leave it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::raw::{Bad, Raw, flag, whole};
use super::reader::Reader;
use super::units::{duration, positive};

/// `[database]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Which database, and where.
    pub url: DatabaseUrl,
}

impl Database {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            url: reader.read("database.url", database_url),
        }
    }
}

/// Where a database is.
///
/// `Debug` and `Display` show neither the user nor the password of a server.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file; a relative path starts at the working directory.
    Sqlite(PathBuf),
    /// The whole URL of a PostgreSQL database, the password included.
    Postgres(String),
}

impl DatabaseUrl {
    /// Whether the database is a PostgreSQL server.
    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(out, "sqlite://{}", path.display()),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
                let place = place.split_once('?').map_or(place, |(place, _)| place);
                write!(out, "postgres://{place}")
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

fn database_url(raw: &Raw<'_>) -> Result<DatabaseUrl, Bad> {
    const EXPECTED: &str = "`sqlite://path` of a file or `postgres://user:pass@host/db`";
    let text = raw.text(EXPECTED)?;
    if let Some(path) = text.strip_prefix("sqlite://") {
        let is_file = !path.is_empty() && !path.ends_with('/') && !path.contains(['?', '\0']);
        let path = PathBuf::from(path);
        return if is_file {
            Ok(DatabaseUrl::Sqlite(path))
        } else {
            Err(Bad::expected(EXPECTED))
        };
    }
    let rest = text
        .strip_prefix("postgres://")
        .or_else(|| text.strip_prefix("postgresql://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(char::is_whitespace) => {
            Ok(DatabaseUrl::Postgres(text.to_owned()))
        }
        _ => Err(Bad::expected(EXPECTED)),
    }
}

/// `[outbox]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbox {
    /// Whether every event is kept, also those that nobody subscribes to.
    pub retain: bool,
    /// Deliveries tried before an event becomes a dead letter.
    pub max_attempts: u32,
    /// Pause after the first failed delivery.
    pub backoff: Duration,
    /// Longest pause between two deliveries; no shorter than the first.
    pub max_backoff: Duration,
    /// How long a node may take for one delivery.
    pub lease: Duration,
    /// How long told events are kept, and dead letters; zero is for ever.
    pub retention: Duration,
}

impl Outbox {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let outbox = Self {
            retain: reader.read("outbox.retain", flag),
            max_attempts: reader.read("outbox.max_attempts", whole(1..=1_000_000)),
            backoff: reader.read("outbox.backoff", positive),
            max_backoff: reader.read("outbox.max_backoff", positive),
            lease: reader.read("outbox.lease", positive),
            retention: reader.read("outbox.retention", duration),
        };
        if outbox.max_backoff < outbox.backoff
            && !reader.is_mistaken("outbox.max_backoff")
            && !reader.is_mistaken("outbox.backoff")
        {
            let given = if reader.is_given("outbox.max_backoff") {
                "max_backoff"
            } else {
                "backoff"
            };
            let problem = format!(
                "expected `max_backoff` to be no shorter than `backoff`, got {:?} and {:?}",
                outbox.max_backoff, outbox.backoff
            );
            reader.note(&format!("outbox.{given}"), problem);
        }
        outbox
    }
}
