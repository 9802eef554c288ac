//! The clock and the generator of the operating system: the only place that asks them.

use std::sync::{Mutex, PoisonError};

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
    let bytes = IDS.lock().unwrap_or_else(PoisonError::into_inner).next()?;
    Ok(Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
}

/// Random bytes for ids to come, of which a write takes half a dozen: the system is asked for many
/// at once. Secrets have bytes of their own.
static IDS: Mutex<Ids> = Mutex::new(Ids {
    bytes: [0; AHEAD],
    left: 0,
});
const ID: usize = 10;
const AHEAD: usize = 256 * ID;

struct Ids {
    bytes: [u8; AHEAD],
    left: usize,
}

impl Ids {
    fn next(&mut self) -> Result<[u8; ID]> {
        if self.left == 0 {
            self.bytes = random()?;
            self.left = AHEAD;
        }
        self.left -= ID;
        let mut next = [0; ID];
        next.copy_from_slice(&self.bytes[self.left..self.left + ID]);
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_never_the_same_and_lie_together_by_time() {
        let moment = |millis| Timestamp::from_timestamp_millis(millis).expect("a moment");
        let make = |millis| new_id(moment(millis)).expect("an id");

        let early: BTreeSet<Uuid> = (0..2_000).map(|_| make(1_000)).collect();
        let late = make(1_001);

        assert_eq!(early.len(), 2_000);
        assert!(
            early
                .iter()
                .all(|id| *id < late && id.get_version_num() == 7)
        );
    }
}
