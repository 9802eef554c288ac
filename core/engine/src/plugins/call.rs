use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;

use futures_util::{FutureExt, poll};
use roster_sdk::{Event, Failure, HookError};
use tokio::time::{Instant, timeout_at};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::meters::Ended;
use crate::registry::Placed;
use crate::trace;

/// A call of a plugin, as a part of the request it is made for.
pub(crate) fn span(slot: &Placed, call: &'static str) -> Span {
    tracing::info_span!(
        target: trace::TARGET,
        "plugin",
        otel.name = %format_args!("{} {call}", slot.name),
        roster.plugin.name = slot.name,
        roster.plugin.call = call,
        roster.plugin.build = if slot.sha256.is_some() { "wasm" } else { "native" },
        roster.plugin.outcome = Empty,
        "error.type" = Empty,
        otel.status_code = Empty,
    )
}

/// Says how a call ended.
pub(crate) fn note(span: &Span, ended: Ended) {
    if span.is_disabled() {
        return;
    }
    let outcome = ended.as_str();
    span.record("roster.plugin.outcome", outcome);
    if matches!(ended, Ended::Failed | Ended::Crashed) {
        trace::fail(span, outcome);
    }
}

/// Runs one call of a plugin: not while it is turned off, to its deadline at most, counted and
/// traced. A panic is a failure like others.
pub(crate) async fn run<T>(
    slot: &Placed,
    event: Event,
    call: impl Future<Output = Result<T, HookError>>,
) -> Result<T, HookError> {
    let name = event.as_str();
    let meter = slot.meters.of(&slot.name, event);
    let begun = Instant::now();
    let span = span(slot, name);
    if let Err(pause) = slot.health.admit(begun) {
        meter.ended(Ended::TurnedOff);
        note(&span, Ended::TurnedOff);
        let reason = format!("turned off for another {pause:?}, as it crashed repeatedly");
        return Err(Failure::new(reason).into());
    }
    let mut call = pin!(AssertUnwindSafe(call.instrument(span.clone())).catch_unwind());
    // Most hooks are done at the first look, and need no clock to be set.
    let answer = match poll!(call.as_mut()) {
        Poll::Ready(answer) => Ok(answer),
        Poll::Pending => timeout_at(begun + slot.timeout, call).await,
    };
    let answer = match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => Err(Failure::crash("it panicked").into()),
        Err(_) => Err(Failure::crash(format!("deadline of {:?} exceeded", slot.timeout)).into()),
    };
    meter.took(begun.elapsed());
    let ended = match &answer {
        Ok(_) => Ended::Ok,
        Err(HookError::Rejected(_)) => Ended::Rejected,
        Err(HookError::Failed(failure)) if failure.is_crash => Ended::Crashed,
        Err(HookError::Failed(_)) => Ended::Failed,
    };
    meter.ended(ended);
    note(&span, ended);
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
