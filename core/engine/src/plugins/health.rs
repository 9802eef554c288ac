use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use roster_domain::{Clock, clock};
use roster_sdk::Failure;
use tokio::time::Instant;

use super::LastError;
use crate::system::SystemClock;

/// So many crashes within so long turn a plugin off.
const CRASHES: usize = 5;
const WINDOW: Duration = Duration::from_mins(1);
/// For how long: twice as long each time, until a call goes well.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// How a plugin has been doing: the circuit breaker, and what people want to know.
#[derive(Default)]
pub(crate) struct Health(Mutex<State>);

#[derive(Default)]
struct State {
    calls: u64,
    failures: u64,
    crashes: VecDeque<Instant>,
    off_until: Option<Instant>,
    /// How often in a row it was turned off.
    turns: u32,
    last_error: Option<LastError>,
}

/// What people want to know.
pub(crate) struct Seen {
    pub(crate) calls: u64,
    pub(crate) failures: u64,
    pub(crate) off_for: Option<Duration>,
    pub(crate) last_error: Option<LastError>,
}

impl Health {
    /// Whether it may be called; else how long it stays off.
    pub(crate) fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.locked();
        state.calls += 1;
        match state.off_for(now) {
            None => Ok(()),
            Some(pause) => {
                state.failures += 1;
                Err(pause)
            }
        }
    }

    /// A call came to its end. It is well again.
    pub(crate) fn succeeded(&self) {
        let mut state = self.locked();
        if state.off_until.is_some() {
            state.off_until = None;
            state.turns = 0;
            state.crashes.clear();
        }
    }

    /// A call failed; for how long the plugin is turned off now, if it is.
    pub(crate) fn failed(&self, call: &str, failure: &Failure, now: Instant) -> Option<Duration> {
        let mut state = self.locked();
        state.failures += 1;
        state.last_error = Some(LastError {
            at: clock::format(SystemClock.now()),
            call: call.to_owned(),
            reason: failure.reason.clone(),
        });
        if !failure.is_crash {
            return None;
        }
        state.crashes.push_back(now);
        while let Some(first) = state.crashes.front()
            && (state.crashes.len() > CRASHES || now.duration_since(*first) > WINDOW)
        {
            state.crashes.pop_front();
        }
        // Fresh from a pause, one crash is enough.
        let is_too_much = state.crashes.len() >= CRASHES || state.turns > 0;
        if !is_too_much || state.off_for(now).is_some() {
            return None;
        }
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(state.turns.min(16)));
        let pause = pause.min(LONGEST_PAUSE);
        state.turns += 1;
        state.crashes.clear();
        state.off_until = Some(now + pause);
        Some(pause)
    }

    /// What people want to know.
    pub(crate) fn seen(&self, now: Instant) -> Seen {
        let state = self.locked();
        Seen {
            calls: state.calls,
            failures: state.failures,
            off_for: state.off_for(now),
            last_error: state.last_error.clone(),
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn off_for(&self, now: Instant) -> Option<Duration> {
        let left = self.off_until?.checked_duration_since(now)?;
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crash(health: &Health, now: Instant) -> Option<Duration> {
        assert!(health.admit(now).is_ok());
        health.failed("create.before", &Failure::crash("trap"), now)
    }

    #[test]
    fn five_crashes_in_a_minute_turn_it_off_for_longer_and_longer() {
        let (health, begun) = (Health::default(), Instant::now());
        let at = |seconds| begun + Duration::from_secs(seconds);

        for second in 0..4 {
            assert_eq!(crash(&health, at(second)), None);
        }
        assert_eq!(crash(&health, at(4)), Some(Duration::from_secs(1)));
        assert!(health.admit(at(4)).is_err());
        assert_eq!(crash(&health, at(6)), Some(Duration::from_secs(2)));
        assert!(health.admit(at(7)).is_err());
        assert!(health.admit(at(9)).is_ok());
        health.succeeded();
        assert_eq!(crash(&health, at(9)), None);
    }

    #[test]
    fn crashes_that_lie_far_apart_and_honest_failures_are_suffered() {
        let (health, begun) = (Health::default(), Instant::now());

        for turn in 0..20 {
            let now = begun + Duration::from_secs(20 * turn);
            assert_eq!(crash(&health, now), None);
            let no = Failure::new("no");
            assert_eq!(health.failed("login.before", &no, now), None);
        }

        let seen = health.seen(begun);
        assert_eq!((seen.calls, seen.failures), (20, 40));
        assert_eq!(
            seen.last_error.map(|error| error.reason).as_deref(),
            Some("no")
        );
    }
}
