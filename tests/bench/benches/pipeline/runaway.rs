//! A guest that never returns: when it is stopped, and what hooks of others take meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use roster_sdk::{Context, Draft, Event, Instance, Map, Value, json};
use roster_wasm::{Limits, Runtime, RuntimeSettings};

use crate::Outcome;
use crate::hooks::{self, Call};

/// How often it is stopped.
const STOPS: u32 = 20;
/// How many ordinary calls are made, quiet and beside it.
const CALLS: u64 = 20_000;
/// How late it may be stopped.
pub(crate) const LATE: Duration = Duration::from_millis(5);

/// What came of it.
pub(crate) struct Runaway {
    /// What a call may take.
    pub(crate) budget: Duration,
    /// How late each was stopped, in order.
    pub(crate) late: Vec<Duration>,
    /// How late a thread woke that slept as long meanwhile, in order: what the machine adds.
    pub(crate) slept: Vec<Duration>,
    /// The 99th percentile of ordinary calls, quiet and beside it.
    pub(crate) ordinary: [Duration; 2],
}

impl Runaway {
    /// Runs it against an ordinary hook.
    pub(crate) async fn measure(hostile: &Path, ordinary: &Instance) -> Outcome<Self> {
        let limits = Limits::default();
        let runtime = Runtime::new(RuntimeSettings::default())?;
        let config = json!({ "mode": "loop" });
        let loaded = runtime.load("hostile", hostile, config, limits, hooks::host());
        let guest = Arc::new(loaded.await?);
        let call = Call::of(ordinary.clone());
        let quiet = percentile(&call).await;
        let runs = tokio::spawn({
            let (guest, budget) = (Arc::clone(&guest), limits.timeout);
            async move {
                let (mut late, mut slept) = (Vec::new(), Vec::new());
                for _ in 0..STOPS {
                    let sleeping = tokio::task::spawn_blocking(move || overslept(budget));
                    late.push(stopped(&guest).await.saturating_sub(budget));
                    slept.extend(sleeping.await);
                }
                late.sort_unstable();
                slept.sort_unstable();
                (late, slept)
            }
        });
        let beside = percentile(&call).await;
        let (late, slept) = runs.await?;
        Ok(Self {
            budget: limits.timeout,
            late,
            slept,
            ordinary: [quiet, beside],
        })
    }
}

/// How long it takes until the call is given up.
async fn stopped(guest: &Instance) -> Duration {
    let cx = Context {
        event: Event::BeforeCreate,
        ..hooks::context()
    };
    let mut draft = Draft::new(Map::<String, Value>::new());
    let started = Instant::now();
    let answer = match &guest.hooks {
        Some(hooks) => hooks.before_create(&cx, &mut draft).await,
        None => Ok(()),
    };
    let took = started.elapsed();
    assert!(answer.is_err(), "an endless loop ended");
    took
}

/// How much longer than it was meant to a sleep takes.
#[expect(
    clippy::disallowed_methods,
    reason = "on a thread that does nothing else: the machine's share is measured"
)]
fn overslept(time: Duration) -> Duration {
    let started = Instant::now();
    std::thread::sleep(time);
    started.elapsed().saturating_sub(time)
}

async fn percentile(call: &Call) -> Duration {
    let mut took = Vec::new();
    for _ in 0..CALLS {
        took.push(call.time(1).await);
        // As far apart as requests are.
        tokio::task::yield_now().await;
    }
    took.sort_unstable();
    took.get(took.len() * 99 / 100).copied().unwrap_or_default()
}
