use roster_domain::{Error, Result};
use roster_sdk::Value as Json;
use serde::Serialize;
use tokio::time::Instant;

use crate::Inner;
use crate::context::Context;
use crate::registry::{OnFailure, Placed};

/// What an administrator may know about a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginStatus {
    /// The name of its section in the configuration.
    pub name: String,
    /// Its own name.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// `builtin`, or the path of its file.
    pub source: String,
    /// The SHA-256 of its file, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// `hooks`, `mailer`, `policy`, `auth_provider`.
    pub kinds: Vec<&'static str>,
    /// Its place in the order: lower runs earlier.
    pub priority: i32,
    /// `reject` or `skip`.
    pub on_failure: &'static str,
    /// How long one call may take, in milliseconds.
    pub timeout: u64,
    /// The events it is called for, such as `users.create.before`.
    pub events: Vec<String>,
    /// What it may do.
    pub capabilities: CapabilityStatus,
    /// What its configuration may be, as a JSON Schema, if it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_schema: Option<Json>,
    /// `ok`, or `off` after it crashed repeatedly.
    pub state: &'static str,
    /// Calls since it was loaded.
    pub calls: u64,
    /// How many of them failed.
    pub failures: u64,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
}

/// What a plugin may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CapabilityStatus {
    /// Fields it asked to read and may.
    pub fields_read: Vec<String>,
    /// Fields it asked to change and may.
    pub fields_write: Vec<String>,
    /// Origins it may call.
    pub http: Vec<String>,
    /// Whether it may look users up.
    pub users: bool,
    /// Whether it has a store.
    pub store: bool,
    /// Whether it may send mails.
    pub mail: bool,
    /// Secrets it asked to see in plain while they are being set, and may.
    pub secrets: Vec<String>,
}

/// A failure of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastError {
    /// When: RFC 3339, UTC.
    pub at: String,
    /// In which call, such as `create.before`.
    pub call: String,
    /// Why.
    pub reason: String,
}

/// Every plugin, in order, for administrators.
pub(crate) fn all(inner: &Inner, cx: &Context) -> Result<Vec<PluginStatus>> {
    if !cx.rights.admin_access {
        return Err(Error::forbidden());
    }
    Ok(inner
        .registry
        .all()
        .iter()
        .map(|slot| status(slot))
        .collect())
}

fn status(slot: &Placed) -> PluginStatus {
    let seen = slot.health.seen(Instant::now());
    let (manifest, granted) = (&slot.instance.manifest, &slot.capabilities);
    let (reads, writes) = slot.fields();
    let events = manifest
        .subscriptions
        .iter()
        .map(|wish| format!("{}.{}", wish.collection, wish.event.as_str()));
    PluginStatus {
        name: slot.name.clone(),
        plugin: manifest.name.clone(),
        version: manifest.version.clone(),
        source: slot.source.clone(),
        sha256: slot.sha256.clone(),
        kinds: slot.instance.kinds(),
        priority: slot.priority,
        on_failure: match slot.on_failure {
            OnFailure::Reject => "reject",
            OnFailure::Skip => "skip",
        },
        timeout: u64::try_from(slot.timeout.as_millis()).unwrap_or(u64::MAX),
        events: events.collect(),
        capabilities: CapabilityStatus {
            fields_read: reads,
            fields_write: writes,
            http: granted.http.clone(),
            users: granted.users,
            store: granted.store,
            mail: granted.mail,
            secrets: slot.secrets(),
        },
        config_schema: slot.instance.schema.clone(),
        state: if seen.off_for.is_some() { "off" } else { "ok" },
        calls: seen.calls,
        failures: seen.failures,
        last_error: seen.last_error,
    }
}
