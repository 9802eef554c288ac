use roster_sdk::{Context, Event, Failure, serde_json};
use serde::Serialize;

use crate::bindings::base::roster::plugin::records;
use crate::limits::RESULT_BYTES;

/// The envelope of a context, for this event.
pub(crate) fn envelope(cx: &Context, event: Event) -> Result<records::Call, Failure> {
    Ok(records::Call {
        id: cx.id.clone(),
        event: event.as_str().to_owned(),
        collection: cx.collection.clone(),
        item: cx.item.clone(),
        source: cx.source.clone(),
        principal: json(&cx.principal)?,
        ip: cx.ip.clone(),
        user_agent: cx.user_agent.clone(),
        time: cx.time.clone(),
        depth: cx.depth,
    })
}

/// The JSON text of a payload.
pub(crate) fn json(payload: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(payload).map_err(|error| Failure::new(format!("payload: {error}")))
}

/// The failure a guest reports.
pub(crate) fn failure(failure: records::Failure) -> Failure {
    match bounded([&failure.reason]) {
        Ok(()) => Failure::new(failure.reason),
        Err(too_large) => too_large,
    }
}

/// Refuses an answer made of these texts if it is too large.
pub(crate) fn bounded<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<(), Failure> {
    let bytes: usize = texts.into_iter().map(String::len).sum();
    if bytes > RESULT_BYTES {
        let limit = RESULT_BYTES >> 10;
        return Err(Failure::new(format!(
            "result of {bytes} bytes: expected at most {limit} KiB"
        )));
    }
    Ok(())
}
