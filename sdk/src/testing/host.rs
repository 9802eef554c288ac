use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    Expected, Host, HostError, HostErrorCode, HttpRequest, HttpResponse, Level, Mail, Record,
    StoreEntry, UserQuery,
};

type Respond = dyn Fn(&HttpRequest) -> Result<HttpResponse, HostError> + Send + Sync;
type Find = dyn Fn(&UserQuery) -> Vec<Record> + Send + Sync;

/// A host in memory, which grants everything: it keeps log lines, requests and mails, answers
/// requests and lookups as it was told, and has a store, a clock that stands still and bytes that
/// are always the same.
#[derive(Default)]
pub struct FakeHost(Mutex<State>);

#[derive(Default)]
struct State {
    lines: Vec<(Level, String)>,
    requests: Vec<HttpRequest>,
    mails: Vec<Mail>,
    store: BTreeMap<String, StoreEntry>,
    respond: Option<Arc<Respond>>,
    find: Option<Arc<Find>>,
    now: Option<String>,
    random: u8,
}

impl FakeHost {
    /// A host that was told nothing yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Answers requests this way.
    pub fn respond(
        &self,
        respond: impl Fn(&HttpRequest) -> Result<HttpResponse, HostError> + Send + Sync + 'static,
    ) {
        self.locked().respond = Some(Arc::new(respond));
    }

    /// Finds users this way.
    pub fn find(&self, find: impl Fn(&UserQuery) -> Vec<Record> + Send + Sync + 'static) {
        self.locked().find = Some(Arc::new(find));
    }

    /// Sets the clock.
    pub fn set_now(&self, now: impl Into<String>) {
        self.locked().now = Some(now.into());
    }

    /// The lines logged so far, in order.
    pub fn lines(&self) -> Vec<(Level, String)> {
        self.locked().lines.clone()
    }

    /// The requests made so far, in order.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.locked().requests.clone()
    }

    /// The mails sent so far, in order.
    pub fn mails(&self) -> Vec<Mail> {
        self.locked().mails.clone()
    }

    /// What is kept under a key.
    pub fn stored(&self, key: &str) -> Option<Value> {
        self.locked()
            .store
            .get(key)
            .map(|entry| entry.value.clone())
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for FakeHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeHost").finish_non_exhaustive()
    }
}

/// The version that is there, if it is the expected one; 0 for none.
fn present(state: &State, key: &str, expected: Expected) -> Result<u64, HostError> {
    let version = state.store.get(key).map_or(0, |entry| entry.version);
    let is_met = match expected {
        Expected::Any => true,
        Expected::Absent => version == 0,
        Expected::Version(expected) => version == expected,
    };
    if is_met {
        Ok(version)
    } else {
        let message = format!("`{key}` has version {version}");
        Err(HostError::new(HostErrorCode::Conflict, message))
    }
}

#[async_trait]
impl Host for FakeHost {
    fn log(&self, level: Level, message: &str) {
        self.locked().lines.push((level, message.to_owned()));
    }

    fn now(&self) -> String {
        let now = self.locked().now.clone();
        now.unwrap_or_else(|| "2026-01-02T03:04:05.678Z".to_owned())
    }

    fn random(&self, count: u32) -> Vec<u8> {
        let mut state = self.locked();
        let mut next = || {
            state.random = state.random.wrapping_add(1);
            state.random
        };
        (0..count.min(4_096)).map(|_| next()).collect()
    }

    async fn http(&self, request: &HttpRequest) -> Result<HttpResponse, HostError> {
        let respond = {
            let mut state = self.locked();
            state.requests.push(request.clone());
            state.respond.clone()
        };
        match respond {
            Some(respond) => respond(request),
            None => Err(HostError::unavailable("http")),
        }
    }

    async fn store_get(&self, key: &str) -> Result<Option<StoreEntry>, HostError> {
        Ok(self.locked().store.get(key).cloned())
    }

    async fn store_set(
        &self,
        key: &str,
        value: &Value,
        expected: Expected,
    ) -> Result<u64, HostError> {
        let mut state = self.locked();
        let version = present(&state, key, expected)? + 1;
        let value = value.clone();
        let entry = StoreEntry { value, version };
        state.store.insert(key.to_owned(), entry);
        Ok(version)
    }

    async fn store_delete(&self, key: &str, expected: Expected) -> Result<bool, HostError> {
        let mut state = self.locked();
        present(&state, key, expected)?;
        Ok(state.store.remove(key).is_some())
    }

    async fn store_keys(&self, prefix: &str, limit: u32) -> Result<Vec<String>, HostError> {
        let state = self.locked();
        let keys = state.store.keys().filter(|key| key.starts_with(prefix));
        Ok(keys
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .cloned()
            .collect())
    }

    async fn users(&self, query: &UserQuery) -> Result<Vec<Record>, HostError> {
        let find = self.locked().find.clone();
        Ok(find.map(|find| find(query)).unwrap_or_default())
    }

    async fn send_mail(&self, mail: &Mail) -> Result<String, HostError> {
        let mut state = self.locked();
        state.mails.push(mail.clone());
        Ok(format!("mail-{}", state.mails.len()))
    }
}
