use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use roster_domain::Timestamp;
use roster_sdk::{
    Credentials, Expected, Host, HostError, HostErrorCode, HttpRequest, HttpResponse, Identity,
    Level, Mail, Record, StoreEntry, UserQuery, Value as Json,
};
use roster_storage::plugin_store::first_version;

use super::effects::{self, Effect, Effects, What};
use crate::context::Context;
use crate::host::{PluginHost, conflict, version};
use crate::login::password::Verifier;
use crate::registry::Placed;

/// How often one call may ask the host, and how often over HTTP.
const CALLS: u32 = 100;
const REQUESTS: u32 = 8;

/// The host as one call of a plugin sees it: with a count of what it asks for, and, in a before
/// hook, with writes that count only with the record.
pub(crate) struct CallHost {
    host: Arc<PluginHost>,
    calls: AtomicU32,
    requests: AtomicU32,
    /// Whether the log tells already that it was denied something.
    is_told: AtomicBool,
    deferred: Option<Deferred>,
    verifier: Option<Arc<Verifier>>,
}

/// What a before hook asked for so far.
struct Deferred {
    effects: Effects,
    item: String,
    now: Timestamp,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    own: Vec<Effect>,
    /// The versions of the keys it read, 0 for none.
    read: BTreeMap<String, i64>,
}

impl CallHost {
    /// The host of a call whose writes count at once.
    pub(crate) fn direct(host: &Arc<PluginHost>) -> Arc<Self> {
        Self::new(host, None, None)
    }

    /// The host of a login with a password of ours.
    pub(crate) fn verifying(host: &Arc<PluginHost>, verifier: &Arc<Verifier>) -> Arc<Self> {
        Self::new(host, None, Some(Arc::clone(verifier)))
    }

    /// The host of a before hook. What stands for its record is needed where it may store something.
    pub(crate) fn before(slot: &Placed, cx: &Context, item: Option<&str>) -> Arc<Self> {
        let item = item.filter(|_| slot.may_store());
        let deferred = item.map(|item| Deferred {
            effects: cx.effects.clone(),
            item: item.to_owned(),
            now: cx.now,
            state: Mutex::default(),
        });
        Self::new(&slot.host, deferred, None)
    }

    fn new(
        host: &Arc<PluginHost>,
        deferred: Option<Deferred>,
        verifier: Option<Arc<Verifier>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            host: Arc::clone(host),
            calls: AtomicU32::new(0),
            requests: AtomicU32::new(0),
            is_told: AtomicBool::new(false),
            deferred,
            verifier,
        })
    }

    /// The hook ended well: what it wrote will be stored with the record.
    pub(crate) fn keep(&self) {
        if let Some(deferred) = &self.deferred {
            let own = std::mem::take(&mut deferred.locked().own);
            if !own.is_empty() {
                deferred.effects.keep(own);
            }
        }
    }

    fn spend(&self) -> Result<(), HostError> {
        count(&self.calls, CALLS, "calls of the host")
    }

    /// Counts what was denied, and logs the first of it: a plugin that tries is worth a look.
    fn judged<T>(&self, what: &'static str, answer: Result<T, HostError>) -> Result<T, HostError> {
        if let Err(error) = &answer
            && error.code == HostErrorCode::Denied
        {
            let plugin = self.host.plugin();
            metrics::counter!("roster_plugin_denied_total", "plugin" => plugin.to_owned(), "what" => what)
                .increment(1);
            if !self.is_told.swap(true, Ordering::Relaxed) {
                tracing::warn!(plugin, what, reason = error.message, "plugin denied");
            }
        }
        answer
    }
}

fn count(counter: &AtomicU32, most: u32, what: &str) -> Result<(), HostError> {
    if counter.fetch_add(1, Ordering::Relaxed) < most {
        return Ok(());
    }
    // It does not have to count any further.
    counter.store(most, Ordering::Relaxed);
    let message = format!("more than {most} {what} in one call");
    Err(HostError::new(HostErrorCode::Denied, message))
}

impl Deferred {
    /// What is under a key as this hook sees it, its own and its predecessors' writes included.
    async fn visible(
        &self,
        host: &PluginHost,
        key: &str,
    ) -> Result<(Option<Json>, i64), HostError> {
        let inner = host.store(key)?;
        if let Some(written) = self.written(host, key) {
            return Ok(written);
        }
        let kept = host.kept(&inner, key).await?;
        let kept = kept.map_or((None, 0), |kept| (Some(kept.value), kept.version));
        Ok(kept)
    }

    fn written(&self, host: &PluginHost, key: &str) -> Option<(Option<Json>, i64)> {
        let own = effects::last(&self.locked().own, host.plugin(), key);
        own.or_else(|| self.effects.seen(host.plugin(), key))
    }

    /// Takes a write down; gives the version there will be, and whether there was something.
    async fn write(
        &self,
        host: &PluginHost,
        key: &str,
        value: Option<Json>,
        expected: Expected,
    ) -> Result<(i64, bool), HostError> {
        let (present, is_written) = {
            let visible = self.visible(host, key).await?;
            (visible.1, self.written(host, key).is_some())
        };
        let expected = match version(expected) {
            Some(expected) if expected != present => return Err(conflict(key)),
            Some(expected) => Some(expected),
            // What it has read, and what it builds on, has to be the same still.
            None if is_written => Some(present),
            None => self.locked().read.get(key).copied(),
        };
        let next = match (&value, present) {
            (None, _) => 0,
            (Some(_), 0) => first_version(self.now),
            (Some(_), present) => present + 1,
        };
        let is_nothing = value.is_none() && present == 0;
        if !is_nothing {
            self.locked().own.push(Effect {
                plugin: host.plugin().to_owned(),
                item: self.item.clone(),
                what: What::Value {
                    key: key.to_owned(),
                    value,
                    expected,
                    version: next,
                },
            });
        }
        Ok((next, present != 0))
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Host for CallHost {
    fn log(&self, level: Level, message: &str) {
        self.host.log(level, message);
    }

    fn now(&self) -> String {
        self.host.now()
    }

    fn random(&self, count: u32) -> Vec<u8> {
        self.host.random(count)
    }

    async fn http(&self, request: &HttpRequest) -> Result<HttpResponse, HostError> {
        let sending = async {
            self.spend()?;
            count(&self.requests, REQUESTS, "requests over HTTP")?;
            self.host.http(request).await
        };
        self.judged("http", sending.await)
    }

    async fn store_get(&self, key: &str) -> Result<Option<StoreEntry>, HostError> {
        let getting = async {
            self.spend()?;
            let Some(deferred) = &self.deferred else {
                return self.host.store_get(key).await;
            };
            let (value, version) = deferred.visible(&self.host, key).await?;
            deferred.locked().read.insert(key.to_owned(), version);
            Ok(value.map(|value| StoreEntry {
                value,
                version: version.unsigned_abs(),
            }))
        };
        self.judged("store", getting.await)
    }

    async fn store_set(
        &self,
        key: &str,
        value: &Json,
        expected: Expected,
    ) -> Result<u64, HostError> {
        let setting = async {
            self.spend()?;
            let Some(deferred) = &self.deferred else {
                return self.host.store_set(key, value, expected).await;
            };
            PluginHost::fits(value)?;
            let written = deferred.write(&self.host, key, Some(value.clone()), expected);
            Ok(written.await?.0.unsigned_abs())
        };
        self.judged("store", setting.await)
    }

    async fn store_delete(&self, key: &str, expected: Expected) -> Result<bool, HostError> {
        let deleting = async {
            self.spend()?;
            let Some(deferred) = &self.deferred else {
                return self.host.store_delete(key, expected).await;
            };
            let written = deferred.write(&self.host, key, None, expected);
            Ok(written.await?.1)
        };
        self.judged("store", deleting.await)
    }

    /// The keys as they are stored: what this request writes is not among them yet.
    async fn store_keys(&self, prefix: &str, limit: u32) -> Result<Vec<String>, HostError> {
        let listing = async {
            self.spend()?;
            self.host.store_keys(prefix, limit).await
        };
        self.judged("store", listing.await)
    }

    async fn users(&self, query: &UserQuery) -> Result<Vec<Record>, HostError> {
        let finding = async {
            self.spend()?;
            self.host.users(query).await
        };
        self.judged("users", finding.await)
    }

    async fn verify_credentials(
        &self,
        credentials: &Credentials,
    ) -> Result<Option<Identity>, HostError> {
        self.spend()?;
        let inner = self.host.credentials()?;
        match &self.verifier {
            Some(verifier) => verifier.verify(&inner, credentials).await,
            None => Err(HostError::unavailable("credentials")),
        }
    }

    async fn send_mail(&self, mail: &Mail) -> Result<String, HostError> {
        let sending = async {
            self.spend()?;
            let Some(deferred) = &self.deferred else {
                return self.host.send_mail(mail).await;
            };
            let (_, message) = self.host.message(mail)?;
            let id = message.id.clone();
            deferred.locked().own.push(Effect {
                plugin: self.host.plugin().to_owned(),
                item: deferred.item.clone(),
                what: What::Mail(message),
            });
            Ok(id)
        };
        self.judged("mail", sending.await)
    }
}
