//! The loaded plugins, by event and in order.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use roster_domain::{Action, Collection, Field, RoleId};
use roster_sdk::{Event, Instance, Manifest, Subscription};

use crate::host::PluginHost;
use crate::login::Mode;
use crate::plugins::{Health, Meters};

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

    /// The names, in order; `*` stands for all.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether the name is among them.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name) || self.0.contains("*")
    }
}

/// What the operator lets a plugin do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a capability of its own"
)]
pub struct Capabilities {
    /// Fields it may read.
    pub fields_read: FieldNames,
    /// Fields it may change, and read.
    pub fields_write: FieldNames,
    /// The origins it may call: `https://host` or `https://host:port`, in lower case.
    pub http: Vec<String>,
    /// Whether it may look users up, by and with the fields it may read.
    pub users: bool,
    /// Whether it has a store of its own.
    pub store: bool,
    /// Whether it may send mails.
    pub mail: bool,
    /// Concealed fields of users whose plain value it sees while they are being set.
    pub secrets: FieldNames,
    /// Whether it may ask whose password something is. No configuration gives this.
    pub credentials: bool,
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
    pub host: Arc<PluginHost>,
    /// Where it comes from, for people: `builtin` or the path of a file.
    pub source: String,
    /// The SHA-256 of its file, if it is one.
    pub sha256: Option<String>,
    /// What logins by it come to, if it is an auth provider.
    pub login: LoginSettings,
}

/// What logins by an auth provider come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginSettings {
    /// What people read.
    pub label: Option<String>,
    /// Its icon.
    pub icon: Option<String>,
    /// How tokens are handed over after a redirect: in a session cookie, or in a refresh cookie.
    pub mode: Mode,
    /// Whether somebody who is not known yet becomes a user.
    pub registers: bool,
    /// The role of such a user.
    pub role: Option<RoleId>,
    /// The pages, beside those of our own origin, that a login may end on: origin and path.
    pub redirect_urls: Vec<String>,
}

impl Default for LoginSettings {
    fn default() -> Self {
        Self {
            label: None,
            icon: None,
            mode: Mode::Session,
            registers: false,
            role: None,
            redirect_urls: Vec::new(),
        }
    }
}

/// A plugin in its place, with what its wishes and the operator's grants come to.
pub(crate) struct Placed {
    slot: PluginSlot,
    reads: FieldNames,
    writes: FieldNames,
    secrets: FieldNames,
    pub(crate) health: Arc<Health>,
    pub(crate) meters: Meters,
}

/// Some plugins in their order. Whoever holds them calls these versions, whatever is loaded
/// meanwhile.
pub(crate) type Placing = Arc<[Arc<Placed>]>;

/// The loaded plugins, which can be replaced while calls are under way.
#[derive(Clone, Default)]
pub struct Registry(Arc<RwLock<Arc<Loaded>>>);

#[derive(Default)]
struct Loaded {
    slots: Placing,
    policies: Placing,
    subscribers: BTreeMap<(&'static str, Event), Placing>,
}

/// The collections whose writes hooks are called for.
const HOOKED: [Collection; 8] = [
    Collection::Users,
    Collection::Roles,
    Collection::Policies,
    Collection::Access,
    Collection::Permissions,
    Collection::Settings,
    Collection::Fields,
    Collection::Relations,
];

impl Registry {
    /// Puts plugins in their order.
    pub fn new(slots: Vec<PluginSlot>) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(Loaded::new(slots, &[])))))
    }

    /// Puts other plugins in the place of the present ones. Calls that are under way end on those
    /// they began with; a plugin that is the same as before keeps its health.
    pub(crate) fn replace(&self, slots: Vec<PluginSlot>) {
        let loaded = Arc::new(Loaded::new(slots, &self.all()));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = loaded;
    }

    /// Every plugin, in order.
    pub(crate) fn all(&self) -> Placing {
        Arc::clone(&self.loaded().slots)
    }

    /// The plugins called for an event, in order.
    pub(crate) fn subscribers(&self, collection: Collection, event: Event) -> Placing {
        let loaded = self.loaded();
        let found = loaded.subscribers.get(&(collection.table(), event));
        found.cloned().unwrap_or_default()
    }

    /// The policy plugins, in order.
    pub(crate) fn policies(&self) -> Placing {
        Arc::clone(&self.loaded().policies)
    }

    /// The plugin of that name.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Placed>> {
        let loaded = self.loaded();
        let mut slots = loaded.slots.iter();
        slots.find(|slot| slot.name == name).cloned()
    }

    fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The collection that a wish names, with or without the prefix of the wire.
pub(crate) fn collection_of(wish: &Subscription) -> Option<Collection> {
    Collection::parse(&wish.collection).filter(|known| HOOKED.contains(known))
}

/// Refuses a manifest that wants to be called for something unknown, or says of something unknown
/// that it is narrowed: what was meant would not be.
///
/// # Errors
/// What is unknown, and what is known.
pub fn check_manifest(manifest: &Manifest) -> Result<(), String> {
    let wishes = &manifest.subscriptions;
    if let Some(wish) = wishes.iter().find(|wish| collection_of(wish).is_none()) {
        let known = HOOKED.map(Collection::table).join("`, `");
        let (collection, event) = (wish.collection.as_str(), wish.event.as_str());
        return Err(format!(
            "it subscribes to `{event}` of the collection `{collection}`, expected one of `{known}`"
        ));
    }
    for scope in &manifest.narrows {
        let (action, collection) = (scope.action.as_str(), scope.collection.as_str());
        if action != "*" && Action::parse(action).is_none() {
            let known = Action::ALL.map(Action::as_str).join("`, `");
            return Err(format!(
                "it narrows the action `{action}`, expected `*` or one of `{known}`"
            ));
        }
        let known = Collection::ALL.map(Collection::table);
        if collection != "*" && !known.contains(&collection) {
            let known = known.join("`, `");
            return Err(format!(
                "it narrows the collection `{collection}`, expected `*` or one of `{known}`"
            ));
        }
    }
    Ok(())
}

impl Loaded {
    fn new(mut slots: Vec<PluginSlot>, before: &[Arc<Placed>]) -> Self {
        slots.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        let place = |slot: PluginSlot| {
            let same = before.iter().find(|old| Arc::ptr_eq(&old.host, &slot.host));
            let health = same.map_or_else(Arc::default, |old| Arc::clone(&old.health));
            Arc::new(Placed::new(slot, health))
        };
        let slots: Placing = slots.into_iter().map(place).collect();
        let mut subscribers: BTreeMap<_, Vec<Arc<Placed>>> = BTreeMap::new();
        for slot in slots.iter().filter(|slot| slot.instance.hooks.is_some()) {
            for wish in &slot.instance.manifest.subscriptions {
                let Some(collection) = collection_of(wish) else {
                    continue;
                };
                let place = (collection.table(), wish.event);
                let list = subscribers.entry(place).or_default();
                if !list.iter().any(|other| other.name == slot.name) {
                    list.push(Arc::clone(slot));
                }
            }
        }
        let policies = slots.iter().filter(|slot| slot.instance.policy.is_some());
        Self {
            policies: policies.cloned().collect(),
            subscribers: subscribers
                .into_iter()
                .map(|(place, list)| (place, list.into()))
                .collect(),
            slots,
        }
    }
}

impl Placed {
    fn new(slot: PluginSlot, health: Arc<Health>) -> Self {
        let (manifest, granted) = (&slot.instance.manifest, &slot.capabilities);
        let writes = granted.fields_write.among(&manifest.writes);
        // What it may write, it may see.
        let reads = granted.fields_read.among(&manifest.reads).with(&writes);
        let secrets = granted.secrets.among(&manifest.reads);
        Self {
            slot,
            reads,
            writes,
            secrets,
            health,
            meters: Meters::default(),
        }
    }

    /// The names of the fields it asked to read and to change, as far as it may.
    pub(crate) fn fields(&self) -> (Vec<String>, Vec<String>) {
        let names = |names: &FieldNames| names.iter().map(ToOwned::to_owned).collect();
        (names(&self.reads), names(&self.writes))
    }

    /// Whether the plugin asked for a field and may see it.
    pub(crate) fn reads(&self, field: &Field) -> bool {
        !field.is_concealed && self.reads_named(&field.name)
    }

    /// Whether what it asks for in a before hook may have to be stored with the record.
    pub(crate) fn may_store(&self) -> bool {
        self.capabilities.store || self.capabilities.mail
    }

    /// The only fields it may see, unless it may see whatever there is.
    pub(crate) fn reads_only(&self) -> Option<impl Iterator<Item = &str>> {
        (!self.reads.contains("*")).then(|| self.reads.iter())
    }

    /// Whether the plugin asked for what has this name and is no record's field, and may see it.
    pub(crate) fn reads_named(&self, name: &str) -> bool {
        self.reads.contains(name)
    }

    /// Whether the plugin asked to change what has this name and is no record's field, and may.
    pub(crate) fn writes_named(&self, name: &str) -> bool {
        self.writes.contains(name)
    }

    /// Whether the plugin asked for a field of a draft and may see it: where it is a secret, in plain.
    pub(crate) fn reads_draft(&self, field: &Field) -> bool {
        self.reads(field) || field.is_concealed && self.secrets.contains(&field.name)
    }

    /// The names of the secrets it asked for and may see in drafts.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.secrets.iter().map(ToOwned::to_owned).collect()
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
