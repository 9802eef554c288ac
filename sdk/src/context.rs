use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Event, Host, Level};

/// What a call may know about the request it belongs to.
#[derive(Clone)]
pub struct Context {
    /// The id of this event, a UUID. A redelivered after-event keeps it.
    pub id: String,
    /// The event.
    pub event: Event,
    /// The collection, such as `users`.
    pub collection: String,
    /// The id the record has, or will have.
    pub item: Option<String>,
    /// Where the write came from: `rest`, `cli`, `login` …
    pub source: String,
    /// Who acts.
    pub principal: Principal,
    /// The client's address, where there is one.
    pub ip: Option<String>,
    /// The client's `User-Agent`, where it sent one.
    pub user_agent: Option<String>,
    /// When the request was accepted: RFC 3339, UTC, milliseconds.
    pub time: String,
    /// How many hooks' own writes led to this one; 0 for a caller's.
    pub depth: u32,
    /// What the plugin may ask of the server.
    pub host: Arc<dyn Host>,
}

impl Context {
    /// Writes a line to the server's log, with the plugin's name.
    pub fn log(&self, level: Level, message: &str) {
        self.host.log(level, message);
    }

    /// When the request was accepted, in seconds since 1970, UTC. What decides about a request asks
    /// for this and not for the host's clock: the answer to "what if it were Sunday?" is then right.
    pub fn unix_time(&self) -> i64 {
        crate::host::unix_seconds(&self.time).unwrap_or_default()
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("id", &self.id)
            .field("event", &self.event)
            .field("collection", &self.collection)
            .field("item", &self.item)
            .field("source", &self.source)
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

/// Who acts: `{"kind":"public"}`, `{"kind":"user","id":…,"role":…}` or `{"kind":"system","reason":…}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Principal {
    /// A request without credentials.
    Public,
    /// A signed-in user.
    User {
        /// The user's id.
        id: String,
        /// The user's role, if any.
        role: Option<String>,
    },
    /// The server itself.
    System {
        /// Why it acts.
        reason: String,
    },
}
