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
const CALLS: u64 = 1_000;
/// How late it may be stopped.
pub(crate) const LATE: Duration = Duration::from_millis(5);

/// What came of it.
pub(crate) struct Runaway {
    /// What a call may take.
    pub(crate) budget: Duration,
    /// What the slowest took.
    pub(crate) slowest: Duration,
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
            let guest = Arc::clone(&guest);
            async move {
                let mut slowest = Duration::ZERO;
                for _ in 0..STOPS {
                    slowest = slowest.max(stopped(&guest).await);
                }
                slowest
            }
        });
        let beside = percentile(&call).await;
        Ok(Self {
            budget: limits.timeout,
            slowest: runs.await?,
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
