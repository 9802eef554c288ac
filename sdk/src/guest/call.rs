use std::any::Any;
use std::cell::RefCell;
use std::panic;
use std::sync::Arc;

use super::imported::Imported;
use crate::guest::bindings::base::roster::plugin::{host, records};
use crate::{Context, Event, Failure, Plugin, StartError, plugin};

thread_local! {
    /// The plugin of this instance, once it is started.
    static STARTED: RefCell<Option<Arc<dyn Any + Send + Sync>>> = const { RefCell::new(None) };
}

/// Starts the plugin with this configuration. What it panics with reaches the server's log.
pub(super) async fn start<P: Plugin>(config: &str) -> Result<P, StartError> {
    panic::set_hook(Box::new(|panic| {
        host::log(host::Level::Error, &panic.to_string());
    }));
    let config =
        serde_json::from_str(config).map_err(|error| StartError(format!("config: {error}")))?;
    plugin::start(config, &Imported).await
}

/// The plugin of this instance, started with the configuration the host holds unless it was before.
pub(super) async fn started<P: Plugin>() -> Result<Arc<P>, Failure> {
    let kept = STARTED.with_borrow(Clone::clone);
    if let Some(plugin) = kept.and_then(|kept| kept.downcast().ok()) {
        return Ok(plugin);
    }
    let plugin: P = start(&host::config())
        .await
        .map_err(|error| Failure::new(format!("start: {error}")))?;
    let plugin = Arc::new(plugin);
    STARTED.set(Some(Arc::clone(&plugin) as _));
    Ok(plugin)
}

/// The context the envelope stands for.
pub(super) fn context(call: records::Call) -> Result<Context, Failure> {
    let unknown = || {
        Failure::new(format!(
            "event `{}` is not known to this plugin",
            call.event
        ))
    };
    Ok(Context {
        event: Event::parse(&call.event).ok_or_else(unknown)?,
        principal: decode("principal", &call.principal)?,
        id: call.id,
        collection: call.collection,
        item: call.item,
        source: call.source,
        ip: call.ip,
        user_agent: call.user_agent,
        time: call.time,
        depth: call.depth,
        host: Arc::new(Imported),
    })
}

/// Reads a JSON text of the host's.
pub(super) fn decode<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::new(format!("{what}: {error}")))
}

/// The JSON text of an answer.
pub(super) fn encode(answer: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string(answer).map_err(|error| Failure::new(format!("answer: {error}")))
}

impl From<Failure> for records::Failure {
    fn from(failure: Failure) -> Self {
        Self {
            reason: failure.reason,
        }
    }
}
