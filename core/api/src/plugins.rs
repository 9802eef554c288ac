//! `/server/plugins` and `/server/outbox`: what administrators see and do of the plugin platform.

use poem::Request;
use poem_openapi::types::Any;
use poem_openapi::{Enum, Object, OpenApi};
use roster_domain::query::Parameters;
use roster_engine::Engine;
use serde::Serialize;
use serde_json::Value as Json;

use crate::body::Body;
use crate::caller::Caller;
use crate::document::Tag;
use crate::envelope::{Done, One};
use crate::error::Failure;
use crate::query;

/// The resource.
pub(crate) struct PluginsApi {
    pub(crate) engine: Engine,
}

#[expect(clippy::struct_field_names, reason = "the names are the wire's")]
/// A loaded plugin.
#[derive(Object)]
struct Plugin {
    /// The name of its section in the configuration.
    name: String,
    /// Its own name.
    plugin: String,
    /// Its version.
    version: String,
    /// `builtin`, or the path of its file.
    source: String,
    /// The SHA-256 of its file, if it is one.
    sha256: Option<String>,
    /// `hooks`, `mailer`, `policy`, `auth_provider`.
    kinds: Vec<String>,
    /// Its place in the order: lower runs earlier.
    priority: i32,
    /// What happens to a request when it fails: `reject` or `skip`.
    on_failure: String,
    /// How long one call may take, in milliseconds.
    timeout: u64,
    /// The events it is called for, such as `users.create.before`.
    events: Vec<String>,
    /// What it may do.
    capabilities: Any<Json>,
    /// What its configuration may be, as a JSON Schema, if it says.
    config_schema: Option<Any<Json>>,
    /// `off` for a while after it crashed repeatedly.
    state: PluginState,
    /// Calls since it was loaded.
    calls: u64,
    /// How many of them failed.
    failures: u64,
    /// The last failure.
    last_error: Option<PluginError>,
}

/// Whether a plugin is called.
#[derive(Enum)]
#[oai(rename_all = "lowercase")]
enum PluginState {
    /// It is.
    Ok,
    /// It is not for a while, as it crashed repeatedly.
    Off,
}

/// A failure of a plugin.
#[derive(Object)]
struct PluginError {
    /// When.
    at: String,
    /// In which call, such as `create.before`.
    call: String,
    /// Why.
    reason: String,
}

/// A delivery of an event or a mail to one plugin.
#[derive(Object)]
struct Delivery {
    /// Its number.
    id: i64,
    /// The id of the event.
    event: String,
    /// The name of the event, such as `create.after`.
    name: String,
    /// The collection.
    collection: String,
    /// The record.
    item: String,
    /// The plugin.
    subscriber: String,
    /// `pending`, `leased`, `done` or `dead`.
    state: String,
    /// How often it was tried.
    attempts: i32,
    /// Why it was not told the last time.
    last_error: Option<String>,
    /// When the event happened.
    created_at: String,
    /// When it is tried next, if it waits.
    next_attempt_at: String,
}

/// Which deliveries that were given up are tried again; all of them if nothing is said.
#[derive(Object)]
struct Retry {
    /// One of them.
    id: Option<i64>,
    /// All to this plugin.
    subscriber: Option<String>,
}

/// From where kept events are told again: one of `event` and `since`.
#[derive(Object)]
struct Replay {
    /// From this event on, itself included.
    event: Option<String>,
    /// From what happened at this time on: RFC 3339.
    since: Option<String>,
    /// To this plugin; to all that were told if nothing is said.
    subscriber: Option<String>,
}

/// How many deliveries were meant.
#[derive(Object, Serialize)]
struct Count {
    /// So many.
    deliveries: u64,
}

#[OpenApi(tag = "Tag::Server")]
impl PluginsApi {
    /// List the plugins
    ///
    /// For administrators: in their order, with what they may do and how they are doing on the node
    /// that answers.
    #[oai(path = "/server/plugins", method = "get", operation_id = "readPlugins")]
    #[expect(
        clippy::unused_async,
        reason = "the framework takes async functions alone"
    )]
    async fn list(&self, caller: Caller<'_>) -> Result<One<Vec<Plugin>>, Failure> {
        One::of(&self.engine.plugins(&caller)?)
    }

    /// Load the plugins again
    ///
    /// For administrators: every node reads its sections of plugins again and loads what changed in
    /// them or in the files of components, within a second or two. Running calls end on the version
    /// they began with; where something cannot be loaded, all plugins stay as they are, and the log
    /// says why.
    #[oai(
        path = "/server/plugins/reload",
        method = "post",
        operation_id = "reloadPlugins"
    )]
    async fn reload(&self, caller: Caller<'_>) -> Result<Done, Failure> {
        self.engine.ask_for_plugins(&caller).await?;
        Ok(Done)
    }

    /// List the deliveries
    ///
    /// For administrators: the latest first. `state` and `subscriber` in the query string choose,
    /// `limit` is 100 unless said and 1,000 at the most.
    #[oai(
        path = "/server/outbox",
        method = "get",
        operation_id = "readDeliveries"
    )]
    async fn deliveries(
        &self,
        caller: Caller<'_>,
        request: &Request,
    ) -> Result<One<Vec<Delivery>>, Failure> {
        let parameters: Parameters = query::parse(request.uri().query().unwrap_or_default())?;
        let text = |name: &str| parameters.get(name).and_then(Json::as_str);
        let limit = text("limit").and_then(|limit| limit.parse().ok());
        let listed = self
            .engine
            .deliveries(&caller, text("state"), text("subscriber"), limit);
        One::of(&listed.await?)
    }

    /// Retry deliveries that were given up
    #[oai(
        path = "/server/outbox/retry",
        method = "post",
        operation_id = "retryDeliveries"
    )]
    async fn retry(
        &self,
        caller: Caller<'_>,
        /// Which of them.
        body: Body<Retry>,
    ) -> Result<One<Count>, Failure> {
        let deliveries = self.engine.retry_deliveries(&caller, &body).await?;
        One::of(&Count { deliveries })
    }

    /// Tell kept events again
    ///
    /// Events are kept where `outbox.retain` is on; plugins see the ids they saw before.
    #[oai(
        path = "/server/outbox/replay",
        method = "post",
        operation_id = "replayDeliveries"
    )]
    async fn replay(
        &self,
        caller: Caller<'_>,
        /// From where, and to whom.
        body: Body<Replay>,
    ) -> Result<One<Count>, Failure> {
        let deliveries = self.engine.replay_deliveries(&caller, &body).await?;
        One::of(&Count { deliveries })
    }
}
