//! The loaded plugins, by event and in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use roster_domain::{Collection, Schema};
use roster_sdk::{Event, Host, Instance};

/// What happens to a write when a plugin fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// It is refused.
    Reject,
    /// It goes on without the plugin, which is logged.
    Skip,
}

/// Names of fields, or all that are not concealed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldNames(BTreeSet<String>);

impl FieldNames {
    /// These names; `*` stands for all.
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    /// Whether the name is among them.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name) || self.0.contains("*")
    }
}

/// What the operator lets a plugin do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Fields it may read.
    pub fields_read: FieldNames,
    /// Fields it may change, and read.
    pub fields_write: FieldNames,
}

/// A loaded plugin and how it is used.
#[derive(Clone)]
pub struct PluginSlot {
    /// The name of its section in the configuration.
    pub name: String,
    /// The plugin.
    pub instance: Instance,
    /// What it may do.
    pub capabilities: Capabilities,
    /// Lower numbers come first; equal ones by name.
    pub priority: i32,
    /// What happens when it fails.
    pub on_failure: OnFailure,
    /// How long one call may take.
    pub timeout: Duration,
    /// What it may ask of the server.
    pub host: Arc<dyn Host>,
}

/// The loaded plugins.
#[derive(Clone, Default)]
pub struct Registry {
    slots: Vec<Arc<PluginSlot>>,
    subscribers: BTreeMap<(&'static str, Event), Vec<Arc<PluginSlot>>>,
}

const COLLECTIONS: [Collection; 4] = [
    Collection::Users,
    Collection::Roles,
    Collection::Policies,
    Collection::Access,
];

impl Registry {
    /// Puts plugins in their order.
    pub fn new(mut slots: Vec<PluginSlot>) -> Self {
        slots.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        let slots: Vec<Arc<PluginSlot>> = slots.into_iter().map(Arc::new).collect();
        let mut subscribers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for slot in slots.iter().filter(|slot| slot.instance.hooks.is_some()) {
            for wish in &slot.instance.manifest.subscriptions {
                let named = |c: &&Collection| c.table() == wish.collection;
                let Some(collection) = COLLECTIONS.iter().find(named) else {
                    continue;
                };
                let list = subscribers
                    .entry((collection.table(), wish.event))
                    .or_default();
                list.push(Arc::clone(slot));
            }
        }
        Self { slots, subscribers }
    }

    /// The plugins called for an event, in order.
    pub(crate) fn subscribers(&self, collection: Collection, event: Event) -> &[Arc<PluginSlot>] {
        self.subscribers
            .get(&(collection.table(), event))
            .map_or(&[], Vec::as_slice)
    }

    /// The plugin of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<PluginSlot>> {
        self.slots.iter().find(|slot| slot.name == name)
    }
}

impl PluginSlot {
    /// Whether the plugin asked for a field and may see it. What it may write, it may see.
    pub(crate) fn reads(&self, schema: &Schema, name: &str) -> bool {
        let manifest = &self.instance.manifest;
        let asks = |wishes: &[String]| wishes.iter().any(|wish| wish == name || wish == "*");
        let is_open = schema.field(name).is_some_and(|field| !field.is_concealed);
        is_open
            && ((asks(&manifest.reads) && self.capabilities.fields_read.contains(name))
                || self.writes(schema, name))
    }

    /// Whether the plugin asked to change a field and may.
    pub(crate) fn writes(&self, schema: &Schema, name: &str) -> bool {
        let is_open = schema.field(name).is_some_and(|field| !field.is_concealed);
        is_open
            && name != "id"
            && self
                .instance
                .manifest
                .writes
                .iter()
                .any(|wish| wish == name || wish == "*")
            && self.capabilities.fields_write.contains(name)
    }
}
