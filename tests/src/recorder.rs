use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use roster_sdk::{
    Context, Draft, Event, Failure, HookError, Hooks, Host, Linked, Login, Manifest, Map, Plugin,
    Principal, Record, StartError, Value as Json, async_trait,
};
use serde::Deserialize;
use uuid::Uuid;

/// One call of a hook.
#[derive(Debug, Clone)]
pub struct Call {
    /// The event.
    pub event: Event,
    /// The collection.
    pub collection: String,
    /// The id of the event.
    pub id: String,
    /// The id of the record.
    pub item: String,
    /// Where the write came from.
    pub source: String,
    /// Who acted.
    pub principal: Principal,
    /// What was shown of the draft, the record or the user.
    pub values: Map<String, Json>,
    /// What was shown of the stored record, before an update.
    pub stored: Map<String, Json>,
    /// Which fields an update changed, afterwards.
    pub changed: Vec<String>,
}

impl Call {
    /// The text of a field that was shown.
    pub fn text(&self, field: &str) -> &str {
        self.values
            .get(field)
            .and_then(Json::as_str)
            .unwrap_or_default()
    }
}

type Before = dyn Fn(&Call, &mut Draft) -> Result<(), HookError> + Send + Sync;
type After = dyn Fn(&Call) -> Result<(), Failure> + Send + Sync;

#[derive(Default)]
struct Script {
    before: Option<Arc<Before>>,
    after: Option<Arc<After>>,
    hangs: bool,
    calls: Vec<Call>,
    events: Option<Vec<Event>>,
    collections: Option<Vec<String>>,
    reads: Option<Vec<String>>,
    writes: Option<Vec<String>>,
}

/// Remembers what a [`RecordingHooks`] of this process was called for, and says what it does then.
/// Without a word it lets everything pass.
#[derive(Clone)]
pub struct Recorder {
    key: Arc<str>,
    script: Arc<Mutex<Script>>,
}

static RECORDERS: LazyLock<Mutex<HashMap<String, Recorder>>> = LazyLock::new(Mutex::default);

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// One that has seen nothing and subscribes to everything.
    pub fn new() -> Self {
        let recorder = Self {
            key: Uuid::new_v4().to_string().into(),
            script: Arc::default(),
        };
        lock(&RECORDERS).insert(recorder.key.to_string(), recorder.clone());
        recorder
    }

    /// One that subscribes to these events only.
    pub fn of(events: &[Event]) -> Self {
        let recorder = Self::new();
        lock(&recorder.script).events = Some(events.to_vec());
        recorder
    }

    /// It subscribes to its events of these collections, not to those of users.
    #[must_use]
    pub fn watching(self, collections: &[&str]) -> Self {
        let owned = collections.iter().map(ToString::to_string).collect();
        lock(&self.script).collections = Some(owned);
        self
    }

    /// It asks for these fields only.
    #[must_use]
    pub fn asking(self, reads: &[&str], writes: &[&str]) -> Self {
        let owned = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
        lock(&self.script).reads = owned(reads);
        lock(&self.script).writes = owned(writes);
        self
    }

    /// It does this before a write or a login.
    #[must_use]
    pub fn before(
        self,
        act: impl Fn(&Call, &mut Draft) -> Result<(), HookError> + Send + Sync + 'static,
    ) -> Self {
        lock(&self.script).before = Some(Arc::new(act));
        self
    }

    /// It does this after a write or a login.
    #[must_use]
    pub fn after(self, act: impl Fn(&Call) -> Result<(), Failure> + Send + Sync + 'static) -> Self {
        lock(&self.script).after = Some(Arc::new(act));
        self
    }

    /// It never comes back from what is asked before a write or a login.
    #[must_use]
    pub fn hanging(self) -> Self {
        lock(&self.script).hangs = true;
        self
    }

    /// What it was called for so far.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.script).calls.clone()
    }

    /// The names of the events so far, in the order of the calls.
    pub fn events(&self) -> Vec<&'static str> {
        lock(&self.script)
            .calls
            .iter()
            .map(|call| call.event.as_str())
            .collect()
    }

    /// The events so far with their collections, such as `fields.create.before`.
    pub fn named(&self) -> Vec<String> {
        let name = |call: &Call| format!("{}.{}", call.collection, call.event.as_str());
        lock(&self.script).calls.iter().map(name).collect()
    }

    /// Forgets what was so far.
    pub fn forget(&self) {
        lock(&self.script).calls.clear();
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn linked(name: &str) -> Linked {
        Linked::hooks::<RecordingHooks>(name)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The plugin of a [`Recorder`], which its configuration names.
pub struct RecordingHooks(Recorder);

/// `[plugins.<name>.config]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    recorder: String,
}

#[async_trait]
impl Plugin for RecordingHooks {
    type Config = Config;

    async fn start(config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        let recorder = lock(&RECORDERS).get(&config.recorder).cloned();
        recorder
            .map(Self)
            .ok_or_else(|| StartError::new("no recorder of that key"))
    }

    fn manifest(&self) -> Manifest {
        let script = lock(&self.0.script);
        let all = || vec!["*".to_owned()];
        let events = script.events.clone().unwrap_or_else(|| Event::ALL.to_vec());
        let users = || vec!["users".to_owned()];
        let collections = script.collections.clone().unwrap_or_else(users);
        let mut manifest = Manifest::new("recorder", "1.0.0");
        for collection in &collections {
            let on = |manifest: Manifest, event| manifest.on_collection(collection, event);
            manifest = events.iter().copied().fold(manifest, on);
        }
        manifest
            .reads(script.reads.clone().unwrap_or_else(all))
            .writes(script.writes.clone().unwrap_or_else(all))
    }
}

impl RecordingHooks {
    async fn take_before(&self, call: Call, draft: &mut Draft) -> Result<(), HookError> {
        let (act, hangs) = {
            let mut script = lock(&self.0.script);
            script.calls.push(call.clone());
            (script.before.clone(), script.hangs)
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        act.map_or(Ok(()), |act| act(&call, draft))
    }

    fn take_after(&self, call: &Call) -> Result<(), Failure> {
        let act = {
            let mut script = lock(&self.0.script);
            script.calls.push(call.clone());
            script.after.clone()
        };
        act.map_or(Ok(()), |act| act(call))
    }
}

fn call(cx: &Context, values: &Map<String, Json>) -> Call {
    Call {
        event: cx.event,
        collection: cx.collection.clone(),
        id: cx.id.clone(),
        item: cx.item.clone().unwrap_or_default(),
        source: cx.source.clone(),
        principal: cx.principal.clone(),
        values: values.clone(),
        stored: Map::new(),
        changed: Vec::new(),
    }
}

#[async_trait]
impl Hooks for RecordingHooks {
    async fn before_create(&self, cx: &Context, draft: &mut Draft) -> Result<(), HookError> {
        self.take_before(call(cx, draft.values()), draft).await
    }

    async fn before_update(
        &self,
        cx: &Context,
        stored: &Record,
        draft: &mut Draft,
    ) -> Result<(), HookError> {
        let call = Call {
            stored: stored.0.clone(),
            ..call(cx, draft.values())
        };
        self.take_before(call, draft).await
    }

    async fn before_delete(&self, cx: &Context, stored: &Record) -> Result<(), HookError> {
        self.take_before(call(cx, &stored.0), &mut Draft::default())
            .await
    }

    async fn before_login(&self, cx: &Context, login: &Login) -> Result<(), HookError> {
        self.take_before(call(cx, &login.user.0), &mut Draft::default())
            .await
    }

    async fn after_create(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        self.take_after(&call(cx, &record.0))
    }

    async fn after_update(
        &self,
        cx: &Context,
        record: &Record,
        changed: &[String],
    ) -> Result<(), Failure> {
        self.take_after(&Call {
            changed: changed.to_vec(),
            ..call(cx, &record.0)
        })
    }

    async fn after_delete(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        self.take_after(&call(cx, &record.0))
    }

    async fn after_login(&self, cx: &Context, login: &Login) -> Result<(), Failure> {
        self.take_after(&call(cx, &login.user.0))
    }

    async fn after_login_failed(&self, cx: &Context, login: &Login) -> Result<(), Failure> {
        self.take_after(&call(cx, &login.user.0))
    }

    async fn after_locked(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        self.take_after(&call(cx, &record.0))
    }
}
