//! Where a span belongs: the trace of a caller, of the request that is served, of an event that
//! waited in the outbox.
//!
//! Spans are made with `tracing` under one target, [`TARGET`], and go to a collector if the server
//! was told of one; else making one costs a look at a flag. What they say is written field by field:
//! no query strings, bodies, addresses of mails or messages of errors.

use std::collections::HashMap;
use std::fmt;

use opentelemetry::Context;
use opentelemetry::global::get_text_map_propagator;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use serde_json::Value as Json;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The target of every span.
pub const TARGET: &str = "roster_trace";

/// The header, and the key in a payload, that says what a span belongs to
/// (W3C Trace Context §3.2).
const PARENT: &str = "traceparent";
/// What systems on the way added to it (W3C Trace Context §3.3).
const STATE: &str = "tracestate";
/// How much of that is taken, in bytes: what every system has to pass on.
const MAX_STATE: usize = 512;

/// Puts a span under that of a caller, as its headers `traceparent` and `tracestate` say. What is
/// malformed is as good as none.
pub fn follow(span: &Span, parent: Option<&str>, state: Option<&str>) {
    let Some(parent) = parent else {
        return;
    };
    let state = state.filter(|state| state.len() <= MAX_STATE);
    let sent = [(PARENT, Some(parent)), (STATE, state)];
    let sent = sent
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let sent: HashMap<String, String> = sent
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let context =
        get_text_map_propagator(|known| known.extract_with_context(&Context::new(), &sent));
    if context.span().span_context().is_valid() {
        // It fails where spans are not collected, and there it does not matter.
        drop(span.set_parent(context));
    }
}

/// The id of the trace that a span belongs to; none where spans are not collected.
pub fn id(span: &Span) -> Option<impl fmt::Display + use<>> {
    context(span).map(|context| context.trace_id())
}

/// Notes in a payload of the outbox what the present request is, so that telling of it later
/// belongs to the same trace. It changes nothing where spans are not collected.
pub(crate) fn keep(payload: &mut Json) {
    let span = Span::current();
    let Some(context) = context(&span).filter(SpanContext::is_sampled) else {
        return;
    };
    if let Json::Object(payload) = payload {
        let (trace, span) = (context.trace_id(), context.span_id());
        payload.insert(PARENT.to_owned(), format!("00-{trace}-{span}-01").into());
    }
}

/// Puts a span under the request that a payload was kept by.
pub(crate) fn resume(span: &Span, payload: &Json) {
    if !span.is_disabled() {
        follow(span, payload.get(PARENT).and_then(Json::as_str), None);
    }
}

/// Gives a span the name that was not known when it began.
pub fn rename(span: &Span, name: String) {
    if !span.is_disabled() {
        span.context().span().update_name(name);
    }
}

/// Notes that what a span stands for went wrong, and in which of a few ways.
pub fn fail(span: &Span, kind: &str) {
    span.record("error.type", kind);
    span.record("otel.status_code", "error");
}

fn context(span: &Span) -> Option<SpanContext> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context().span().span_context().clone();
    context.is_valid().then_some(context)
}
