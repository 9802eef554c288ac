//! For the tests of plugins: a host that keeps what it is told, and contexts to call hooks with.
//!
//! ```
//! use roster_sdk::testing::{self, FakeHost};
//! use roster_sdk::{
//!     async_trait, json, Context, Draft, Event, HookError, Hooks, Host, Level, Manifest, Plugin,
//!     StartError,
//! };
//!
//! struct Greeter;
//!
//! #[async_trait]
//! impl Plugin for Greeter {
//!     type Config = roster_sdk::Value;
//!
//!     async fn start(_config: Self::Config, _host: &dyn Host) -> Result<Self, StartError> {
//!         Ok(Self)
//!     }
//!
//!     fn manifest(&self) -> Manifest {
//!         Manifest::new("greeter", "1.0.0").on(Event::BeforeCreate).writes(["title"])
//!     }
//! }
//!
//! #[async_trait]
//! impl Hooks for Greeter {
//!     async fn before_create(&self, cx: &Context, draft: &mut Draft) -> Result<(), HookError> {
//!         cx.log(Level::Info, "greeting");
//!         draft.set("title", "hello");
//!         Ok(())
//!     }
//! }
//!
//! let host = FakeHost::new();
//! let greeter: Greeter = testing::start(json!({}), &host).unwrap();
//! let mut draft = testing::draft(json!({ "first_name": "Ada" }));
//!
//! testing::ready(greeter.before_create(&testing::context(Event::BeforeCreate, &host), &mut draft))
//!     .unwrap();
//!
//! assert_eq!(draft.text("title"), Some("hello"));
//! assert_eq!(host.lines(), [(Level::Info, "greeting".to_owned())]);
//! ```

mod host;

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{Context, Draft, Event, Host, Plugin, Principal, Record, StartError, plugin};

pub use host::FakeHost;

/// Starts a plugin with a configuration table, as the server does.
///
/// # Errors
/// What the server would refuse to start with.
///
/// # Panics
/// If the plugin awaits anything but its host; see [`ready`].
pub fn start<P: Plugin>(config: Value, host: &Arc<FakeHost>) -> Result<P, StartError> {
    ready(plugin::start(config, host.as_ref()))
}

/// Completes a plugin's future the way a component does: with one poll, without a runtime.
///
/// # Panics
/// If the plugin awaits anything but its host. Such a plugin cannot become a component; test one
/// that is native only on the runtime it needs.
pub fn ready<F: Future>(future: F) -> F::Output {
    crate::ready::ready(future)
}

/// The context of an event on the users collection, caused by a request of the public over REST.
/// Its fields are public: change what a test is about.
pub fn context(event: Event, host: &Arc<FakeHost>) -> Context {
    Context {
        id: "0197a2b0-0000-7000-8000-00000000e001".to_owned(),
        event,
        collection: "users".to_owned(),
        item: Some("0197a2b0-0000-7000-8000-000000000001".to_owned()),
        source: "rest".to_owned(),
        principal: Principal::Public,
        ip: Some("192.0.2.1".to_owned()),
        user_agent: Some("test".to_owned()),
        time: host.now(),
        depth: 0,
        host: Arc::clone(host) as Arc<dyn Host>,
    }
}

/// A draft that carries the fields of this JSON object.
///
/// # Panics
/// If it is not an object.
pub fn draft(fields: Value) -> Draft {
    Draft::new(object(fields))
}

/// A stored record with the fields of this JSON object.
///
/// # Panics
/// If it is not an object.
pub fn record(fields: Value) -> Record {
    Record(object(fields))
}

fn object(json: Value) -> Map<String, Value> {
    match json {
        Value::Object(fields) => fields,
        other => panic!("expected a JSON object, got {other}"),
    }
}
