//! The loaded plugins, by event and in order.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use roster_domain::{Collection, Field};
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

    /// Those of them that are wished for.
    fn among(&self, wishes: &[String]) -> Self {
        if wishes.iter().any(|wish| wish == "*") {
            return self.clone();
        }
        Self::new(wishes.iter().filter(|wish| self.contains(wish)).cloned())
    }

    /// These and others.
    fn with(self, others: &Self) -> Self {
        Self(self.0.into_iter().chain(others.0.iter().cloned()).collect())
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

/// A plugin in its place, with what its wishes and the operator's grants come to.
pub(crate) struct Placed {
    slot: PluginSlot,
    reads: FieldNames,
    writes: FieldNames,
}

/// The loaded plugins.
#[derive(Clone, Default)]
pub struct Registry {
    slots: Vec<Arc<Placed>>,
    subscribers: BTreeMap<(&'static str, Event), Vec<Arc<Placed>>>,
}

const COLLECTIONS: [Collection; 5] = [
    Collection::Users,
    Collection::Roles,
    Collection::Policies,
    Collection::Access,
    Collection::Permissions,
];

impl Registry {
    /// Puts plugins in their order.
    pub fn new(mut slots: Vec<PluginSlot>) -> Self {
        slots.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        let slots: Vec<Arc<Placed>> = slots
            .into_iter()
            .map(|slot| Arc::new(Placed::new(slot)))
            .collect();
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
    pub(crate) fn subscribers(&self, collection: Collection, event: Event) -> &[Arc<Placed>] {
        self.subscribers
            .get(&(collection.table(), event))
            .map_or(&[], Vec::as_slice)
    }

    /// The plugin of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<Placed>> {
        self.slots.iter().find(|slot| slot.name == name)
    }
}

impl Placed {
    fn new(slot: PluginSlot) -> Self {
        let (manifest, granted) = (&slot.instance.manifest, &slot.capabilities);
        let writes = granted.fields_write.among(&manifest.writes);
        // What it may write, it may see.
        let reads = granted.fields_read.among(&manifest.reads).with(&writes);
        Self {
            slot,
            reads,
            writes,
        }
    }

    /// Whether the plugin asked for a field and may see it.
    pub(crate) fn reads(&self, field: &Field) -> bool {
        !field.is_concealed && self.reads.contains(&field.name)
    }

    /// Whether the plugin asked to change a field and may.
    pub(crate) fn writes(&self, field: &Field) -> bool {
        !field.is_concealed && field.name != "id" && self.writes.contains(&field.name)
    }
}

impl Deref for Placed {
    type Target = PluginSlot;

    fn deref(&self) -> &PluginSlot {
        &self.slot
    }
}
