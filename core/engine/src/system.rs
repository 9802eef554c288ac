//! The clock and the generator of the operating system: the only place that asks them.

use chrono::Utc;
use roster_domain::{Clock, Error, Result, Timestamp};
use uuid::{Builder, Uuid};

/// The computer's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the time comes from"
    )]
    fn now(&self) -> Timestamp {
        let now = Utc::now();
        Timestamp::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
    }
}

/// Bytes from the operating system's generator.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR` if it has none.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
    Ok(bytes)
}

/// A new id: `UUIDv7` (RFC 9562 §5.7), so that records of one time lie together.
pub(crate) fn new_id(now: Timestamp) -> Result<Uuid> {
    let millis = now.timestamp_millis().max(0).unsigned_abs();
    Ok(Builder::from_unix_timestamp_millis(millis, &random()?).into_uuid())
}
