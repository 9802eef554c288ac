//! Time as a value.

use std::sync::Mutex;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// A moment in UTC, kept to the millisecond.
pub type Timestamp = DateTime<Utc>;

/// RFC 3339 in UTC with milliseconds: `2026-01-31T10:11:12.345Z`.
pub fn format(timestamp: Timestamp) -> String {
    timestamp.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Reads RFC 3339 with any offset; cuts to the millisecond.
pub fn parse(text: &str) -> Option<Timestamp> {
    let parsed = DateTime::parse_from_rfc3339(text).ok()?;
    DateTime::from_timestamp_millis(parsed.timestamp_millis())
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The present moment, cut to the millisecond.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still until it is told to move. For tests.
#[derive(Debug)]
pub struct FixedClock(Mutex<Timestamp>);

impl FixedClock {
    /// A clock that shows this moment.
    pub const fn at(moment: Timestamp) -> Self {
        Self(Mutex::new(moment))
    }

    /// Moves the clock.
    pub fn advance(&self, by: TimeDelta) {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) += by;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
