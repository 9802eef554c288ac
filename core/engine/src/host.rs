//! What plugins may ask of the server: the one implementation behind native plugins and components.
//!
//! Here, and nowhere else, capabilities are checked.

use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use roster_domain::{Clock, Error, clock, email};
use roster_sdk::{
    Expected, Host, HostError, HostErrorCode, HttpRequest, HttpResponse, Level, Mail, Message,
    Record, StoreEntry, UserQuery, Value as Json,
};
use roster_storage::plugin_store::{self, Kept, Key};

use crate::Inner;
use crate::plugins::{self, HttpClient};
use crate::registry::Capabilities;
use crate::system::{SystemClock, new_id};

/// The longest key and value of the store, in bytes.
const KEY: usize = 255;
const VALUE: usize = 64 << 10;
/// The most keys of one listing.
const KEYS: u32 = 1_000;
/// The most random bytes of one call.
const RANDOM: usize = 4_096;
/// The most recipients of a mail.
const RECIPIENTS: usize = 50;

/// The host as one plugin sees it. What is written counts at once; a before hook gets another one,
/// whose writes count with the record.
#[derive(Debug)]
pub struct PluginHost {
    plugin: String,
    granted: Capabilities,
    http: HttpClient,
    system: OnceLock<Weak<Inner>>,
}

impl PluginHost {
    /// The host for the plugin of this name, with these capabilities.
    pub fn new(plugin: impl Into<String>, granted: Capabilities) -> Arc<Self> {
        Arc::new(Self {
            plugin: plugin.into(),
            http: HttpClient::new(&granted.http),
            granted,
            system: OnceLock::new(),
        })
    }

    /// The plugin's name.
    pub(crate) fn plugin(&self) -> &str {
        &self.plugin
    }

    /// Connects the plugin with the system it is part of.
    pub(crate) fn attach(&self, system: Weak<Inner>) {
        // A plugin that stays while others are replaced is connected already.
        let _ = self.system.set(system);
    }

    fn system(&self, what: &str) -> Result<Arc<Inner>, HostError> {
        let system = self.system.get().and_then(Weak::upgrade);
        system.ok_or_else(|| HostError::unavailable(what))
    }

    fn need(&self, granted: bool, what: &str) -> Result<(), HostError> {
        if granted {
            return Ok(());
        }
        let message = format!(
            "`plugins.{}.capabilities.{what}` is not granted",
            self.plugin
        );
        Err(HostError::new(HostErrorCode::Denied, message))
    }

    /// The system, if the plugin has a store and the key can be one.
    pub(crate) fn store(&self, key: &str) -> Result<Arc<Inner>, HostError> {
        self.need(self.granted.store, "store")?;
        if key.is_empty() || key.len() > KEY || key.contains('\0') {
            return Err(invalid(format!(
                "a key has 1 to {KEY} bytes, got {}",
                key.len()
            )));
        }
        self.system("store")
    }

    /// The system, if the plugin may ask whose password something is.
    pub(crate) fn credentials(&self) -> Result<Arc<Inner>, HostError> {
        self.need(self.granted.credentials, "credentials")?;
        self.system("credentials")
    }

    /// Refuses what is too large to be kept.
    pub(crate) fn fits(value: &Json) -> Result<(), HostError> {
        let bytes = value.to_string().len();
        if bytes > VALUE {
            return Err(invalid(format!(
                "a value has at most {VALUE} bytes, got {bytes}"
            )));
        }
        Ok(())
    }

    /// What is kept under a key.
    pub(crate) async fn kept(&self, inner: &Inner, key: &str) -> Result<Option<Kept>, HostError> {
        let key = Key {
            plugin: &self.plugin,
            key,
        };
        let kept = plugin_store::get(&inner.store, key).await;
        kept.map_err(|error| failed("store", &error))
    }

    /// A mail as it is sent, if the plugin may.
    pub(crate) fn message(&self, mail: &Mail) -> Result<(Arc<Inner>, Message), HostError> {
        self.need(self.granted.mail, "mail")?;
        let inner = self.system("mail")?;
        if mail.to.is_empty() || mail.to.len() > RECIPIENTS {
            let count = mail.to.len();
            return Err(invalid(format!(
                "a mail goes to 1 to {RECIPIENTS} addresses, got {count}"
            )));
        }
        if let Some(bad) = mail.to.iter().find(|address| !email::is_valid(address)) {
            return Err(invalid(format!("`{bad}` is no address")));
        }
        if mail.subject.is_empty() || mail.subject.contains(['\r', '\n']) {
            return Err(invalid("a subject is one line".to_owned()));
        }
        let id = new_id(inner.clock.now()).map_err(|error| failed("mail", &error))?;
        let message = Message {
            id: id.to_string(),
            from: inner.settings.mail_from.clone(),
            to: mail.to.clone(),
            subject: mail.subject.clone(),
            text: mail.text.clone(),
            html: mail.html.clone(),
        };
        Ok((inner, message))
    }
}

/// An error of the system in a plugin's words.
pub(crate) fn failed(what: &str, error: &Error) -> HostError {
    HostError::new(HostErrorCode::Unavailable, format!("{what}: {error}"))
}

pub(crate) fn conflict(key: &str) -> HostError {
    let message = format!("`{key}` does not have the expected version");
    HostError::new(HostErrorCode::Conflict, message)
}

fn invalid(message: String) -> HostError {
    HostError::new(HostErrorCode::Invalid, message)
}

/// The version that has to be there, 0 for none.
pub(crate) fn version(expected: Expected) -> Option<i64> {
    match expected {
        Expected::Any => None,
        Expected::Absent => Some(0),
        Expected::Version(version) => Some(i64::try_from(version).unwrap_or(i64::MAX)),
    }
}

#[async_trait]
impl Host for PluginHost {
    fn log(&self, level: Level, message: &str) {
        // Lines keep a message of ours, so that no plugin makes its own look like another's.
        let (plugin, text) = (self.plugin.as_str(), message);
        match level {
            Level::Debug => tracing::debug!(plugin, text, "plugin log"),
            Level::Info => tracing::info!(plugin, text, "plugin log"),
            Level::Warn => tracing::warn!(plugin, text, "plugin log"),
            Level::Error => tracing::error!(plugin, text, "plugin log"),
        }
    }

    fn now(&self) -> String {
        let system = self.system.get().and_then(Weak::upgrade);
        let now = system.map_or_else(|| SystemClock.now(), |inner| inner.clock.now());
        clock::format(now)
    }

    fn random(&self, count: u32) -> Vec<u8> {
        let count = usize::try_from(count).unwrap_or(RANDOM).min(RANDOM);
        let mut bytes = vec![0; count];
        match getrandom::fill(&mut bytes) {
            Ok(()) => bytes,
            // Bytes that are not random would be worse than none.
            Err(_) => Vec::new(),
        }
    }

    async fn http(&self, request: &HttpRequest) -> Result<HttpResponse, HostError> {
        self.need(!self.granted.http.is_empty(), "http")?;
        self.http.send(request).await
    }

    async fn store_get(&self, key: &str) -> Result<Option<StoreEntry>, HostError> {
        let inner = self.store(key)?;
        let kept = self.kept(&inner, key).await?;
        Ok(kept.map(|kept| StoreEntry {
            value: kept.value,
            version: kept.version.unsigned_abs(),
        }))
    }

    async fn store_set(
        &self,
        key: &str,
        value: &Json,
        expected: Expected,
    ) -> Result<u64, HostError> {
        let inner = self.store(key)?;
        Self::fits(value)?;
        let row = Key {
            plugin: &self.plugin,
            key,
        };
        let set = async {
            let mut tx = inner.store.begin().await?;
            let now = inner.clock.now();
            let set = plugin_store::set(&mut tx, row, value, version(expected), now).await?;
            tx.commit().await?;
            Ok(set)
        };
        let set = set.await.map_err(|error| failed("store", &error))?;
        set.map(i64::unsigned_abs).ok_or_else(|| conflict(key))
    }

    async fn store_delete(&self, key: &str, expected: Expected) -> Result<bool, HostError> {
        let inner = self.store(key)?;
        let row = Key {
            plugin: &self.plugin,
            key,
        };
        let gone = async {
            let mut tx = inner.store.begin().await?;
            let gone = plugin_store::delete(&mut tx, row, version(expected)).await?;
            tx.commit().await?;
            Ok(gone)
        };
        let gone = gone.await.map_err(|error| failed("store", &error))?;
        gone.ok_or_else(|| conflict(key))
    }

    async fn store_keys(&self, prefix: &str, limit: u32) -> Result<Vec<String>, HostError> {
        self.need(self.granted.store, "store")?;
        let inner = self.system("store")?;
        let keys = plugin_store::keys(&inner.store, &self.plugin, prefix, limit.min(KEYS)).await;
        keys.map_err(|error| failed("store", &error))
    }

    async fn users(&self, query: &UserQuery) -> Result<Vec<Record>, HostError> {
        self.need(self.granted.users, "users")?;
        let inner = self.system("users")?;
        plugins::find(&inner, &self.granted, query).await
    }

    async fn send_mail(&self, mail: &Mail) -> Result<String, HostError> {
        let (inner, message) = self.message(mail)?;
        let sent = plugins::send_mail(&inner, &message).await;
        sent.map_err(|error| failed("mail", &error))?;
        Ok(message.id)
    }
}
