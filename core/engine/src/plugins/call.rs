use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use roster_sdk::{Event, Failure, HookError};
use tokio::time::Instant;
use tracing::Instrument;

use crate::registry::Placed;

/// Runs one call of a plugin: not while it is turned off, to its deadline at most, counted and
/// traced. A panic is a failure like others.
pub(crate) async fn run<T>(
    slot: &Placed,
    event: Event,
    call: impl Future<Output = Result<T, HookError>>,
) -> Result<T, HookError> {
    let name = event.as_str();
    let begun = Instant::now();
    if let Err(pause) = slot.health.admit(begun) {
        count(slot, name, "turned_off");
        let reason = format!("turned off for another {pause:?}, as it crashed repeatedly");
        return Err(Failure::new(reason).into());
    }
    let span = tracing::debug_span!("plugin", plugin = slot.name, call = name);
    let call = AssertUnwindSafe(call.instrument(span)).catch_unwind();
    let answer = match tokio::time::timeout(slot.timeout, call).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => Err(Failure::crash("it panicked").into()),
        Err(_) => Err(Failure::crash(format!("deadline of {:?} exceeded", slot.timeout)).into()),
    };
    let labels = [("plugin", slot.name.clone()), ("call", name.to_owned())];
    metrics::histogram!("roster_plugin_call_seconds", &labels).record(begun.elapsed());
    let outcome = match &answer {
        Ok(_) => "ok",
        Err(HookError::Rejected(_)) => "rejected",
        Err(HookError::Failed(failure)) if failure.is_crash => "crashed",
        Err(HookError::Failed(_)) => "failed",
    };
    count(slot, name, outcome);
    match &answer {
        Err(HookError::Failed(failure)) => {
            if let Some(pause) = slot.health.failed(name, failure, Instant::now()) {
                tracing::error!(
                    plugin = slot.name,
                    ?pause,
                    "plugin crashed repeatedly, turned off"
                );
            }
        }
        Ok(_) | Err(HookError::Rejected(_)) => slot.health.succeeded(),
    }
    answer
}

fn count(slot: &Placed, call: &'static str, outcome: &'static str) {
    let labels = [
        ("plugin", slot.name.clone()),
        ("call", call.to_owned()),
        ("outcome", outcome.to_owned()),
    ];
    metrics::counter!("roster_plugin_calls_total", &labels).increment(1);
}
