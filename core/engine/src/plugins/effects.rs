use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use roster_domain::{Code, Collection, Error, Result, Timestamp};
use roster_sdk::{Message, Value as Json};
use roster_storage::plugin_store::{self, Key};
use roster_storage::{Tx, outbox};
use uuid::Uuid;

use crate::Inner;
use crate::context::Context;
use crate::mail;
use crate::system::new_id;
use crate::trace;
use crate::write::commit;

/// What the before hooks of a request want to be stored: in the transaction of the record they
/// were called for, or not at all.
#[derive(Clone, Default)]
pub struct Effects(Arc<Mutex<Pending>>);

#[derive(Default)]
struct Pending {
    list: Vec<Effect>,
    /// Which of them the transaction has.
    taken: BTreeSet<usize>,
}

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Effect {
    pub(crate) plugin: String,
    /// The record whose hook it was.
    pub(crate) item: String,
    pub(crate) what: What,
}

/// What is to be stored.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// A value of the plugin's own; none to forget it.
    Value {
        key: String,
        value: Option<Json>,
        /// Which version has to be there, 0 for none; nothing if it does not matter.
        expected: Option<i64>,
        /// Which version it will be, as far as can be told.
        version: i64,
    },
    /// A mail.
    Mail(Message),
}

impl Effects {
    /// The hooks of a write are about to run: what came of another attempt at it, or of another
    /// write, is void.
    pub(crate) fn forget(&self) {
        *self.locked() = Pending::default();
    }

    /// Another transaction is to take what the hooks wanted, the last one having failed.
    pub(crate) fn rewind(&self) {
        self.locked().taken.clear();
    }

    /// A hook ended well: what it asked for counts.
    pub(crate) fn keep(&self, effects: Vec<Effect>) {
        self.locked().list.extend(effects);
    }

    /// What will be under a key, with its version, if a hook of this request wrote it.
    pub(crate) fn seen(&self, plugin: &str, key: &str) -> Option<(Option<Json>, i64)> {
        let pending = self.locked();
        last(&pending.list, plugin, key)
    }

    /// Stores what belongs to a record, each effect once. Whether there is something to deliver.
    ///
    /// # Errors
    /// `CONFLICT` if a value was changed by somebody else since the hook read it.
    pub(crate) async fn apply(
        &self,
        inner: &Inner,
        tx: &mut Tx,
        cx: &Context,
        collection: Collection,
        key: &str,
    ) -> Result<bool> {
        let mut has_mail = false;
        for effect in self.take(collection, key) {
            let plugin = effect.plugin.as_str();
            match effect.what {
                What::Mail(message) => {
                    enqueue(inner, tx, cx.now, &message).await?;
                    has_mail = true;
                }
                What::Value {
                    key,
                    value,
                    expected,
                    ..
                } => {
                    let key = Key { plugin, key: &key };
                    let is_met = match value {
                        Some(value) => plugin_store::set(tx, key, &value, expected, cx.now)
                            .await?
                            .is_some(),
                        None => plugin_store::delete(tx, key, expected).await?.is_some(),
                    };
                    if !is_met {
                        return Err(Error::from(Code::Conflict));
                    }
                }
            }
        }
        Ok(has_mail)
    }

    /// What belongs to a record and is not taken yet.
    fn take(&self, collection: Collection, key: &str) -> Vec<Effect> {
        let mut pending = self.locked();
        let Pending { list, taken } = &mut *pending;
        if taken.len() == list.len() {
            return Vec::new();
        }
        let (own, new) = (of(collection, key), new(collection));
        let is_own = |effect: &Effect| effect.item == own || effect.item.starts_with(&new);
        let list = list.iter().enumerate();
        let own = list.filter(|(index, effect)| is_own(effect) && taken.insert(*index));
        own.map(|(_, effect)| effect.clone()).collect()
    }

    fn locked(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.locked().list.len();
        f.debug_struct("Effects").field("count", &count).finish()
    }
}

/// What stands for a record until it is stored: its key, or, where the database makes that, the id
/// of the event.
pub(crate) fn order(collection: Collection, key: Option<&str>, call: Uuid) -> String {
    match key {
        Some(key) => of(collection, key),
        None => format!("{}{call}", new(collection)),
    }
}

fn of(collection: Collection, key: &str) -> String {
    format!("{}/{key}", collection.table())
}

fn new(collection: Collection) -> String {
    format!("{}/new/", collection.table())
}

/// What the last of these effects leaves under a key.
pub(crate) fn last(effects: &[Effect], plugin: &str, key: &str) -> Option<(Option<Json>, i64)> {
    effects.iter().rev().find_map(|effect| match &effect.what {
        What::Value {
            key: written,
            value,
            version,
            ..
        } if effect.plugin == plugin && written == key => Some((value.clone(), *version)),
        _ => None,
    })
}

/// Puts a mail into the outbox, at once.
pub(crate) async fn send_mail(inner: &Inner, message: &Message) -> Result<()> {
    let mut tx = inner.store.begin().await?;
    enqueue(inner, &mut tx, inner.clock.now(), message).await?;
    commit(inner, tx, true).await
}

async fn enqueue(inner: &Inner, tx: &mut Tx, now: Timestamp, message: &Message) -> Result<()> {
    let mut payload = serde_json::to_value(message).map_err(Error::internal)?;
    trace::keep(&mut payload);
    let entry = outbox::Entry {
        id: new_id(now)?,
        kind: "mail".to_owned(),
        event: mail::MAIL.to_owned(),
        collection: "users".to_owned(),
        item: message.id.clone(),
        user: None,
        payload,
        created_at: now,
    };
    outbox::enqueue(tx, &entry, std::slice::from_ref(&inner.settings.mailer)).await
}
