use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use roster_sdk::{Event, Failure, HookError};
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span};

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
pub(crate) fn note(span: &Span, outcome: &'static str) {
    span.record("roster.plugin.outcome", outcome);
    if matches!(outcome, "failed" | "crashed") {
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
    let begun = Instant::now();
    let span = span(slot, name);
    if let Err(pause) = slot.health.admit(begun) {
        count(slot, name, "turned_off");
        note(&span, "turned_off");
        let reason = format!("turned off for another {pause:?}, as it crashed repeatedly");
        return Err(Failure::new(reason).into());
    }
    let call = AssertUnwindSafe(call.instrument(span.clone())).catch_unwind();
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
    note(&span, outcome);
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
