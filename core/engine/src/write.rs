//! What every write has in common: attempts, activity, revisions, after-events.

use roster_domain::{Code, Collection, Key, Principal, Result};
use roster_sdk::{Event, Map, Value as Json};
use roster_storage::outbox::{self, Entry};
use roster_storage::{Tx, activity};
use uuid::Uuid;

use crate::Inner;
use crate::context::Context;
use crate::convert::Occasion;
use crate::hooks::AfterPayload;
use crate::system::new_id;
use crate::trace;

/// How often a write that met another one is run, from the grant on.
const ATTEMPTS: u32 = 4;

/// Counts the attempts of one write.
pub(crate) struct Attempts(u32);

impl Attempts {
    pub(crate) const fn first() -> Self {
        Self(1)
    }

    /// Whether to run the write again: it conflicted, and not too often.
    pub(crate) fn again<T>(&mut self, done: &Result<T>) -> bool {
        let conflicts = done
            .as_ref()
            .is_err_and(|error| error.code() == &Code::Conflict);
        let again = conflicts && self.0 < ATTEMPTS;
        self.0 += 1;
        again
    }
}

/// Values by field.
type Fields = Map<String, Json>;

/// A change of a record, as activity and revisions keep it. Secrets come in masked.
pub(crate) struct Change<'a> {
    pub(crate) collection: Collection,
    pub(crate) action: &'static str,
    /// The id of the record.
    pub(crate) item: String,
    /// Who did it, where that is not the principal: a login has none yet.
    pub(crate) actor: Option<Uuid>,
    /// The record as it is now, and what changed of it; nothing for a removal.
    pub(crate) revision: Option<(&'a Fields, Fields)>,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// What else there is to say.
    pub(crate) detail: Option<&'a str>,
}

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was done.
    Success,
    /// It was refused.
    Failure,
}

impl<'a> Change<'a> {
    /// A change of a record.
    pub(crate) fn of(
        collection: Collection,
        action: &'static str,
        key: Key,
        revision: Option<(&'a Fields, Fields)>,
    ) -> Self {
        let item = key.to_string();
        Self {
            collection,
            action,
            item,
            actor: None,
            revision,
            outcome: Outcome::Success,
            detail: None,
        }
    }

    /// What happened to a user beside their record.
    pub(crate) fn user(action: &'static str, id: Uuid) -> Self {
        Self::of(Collection::Users, action, Key::Uuid(id), None)
    }

    /// What somebody tried with a user and failed.
    pub(crate) fn failure(action: &'static str, id: Uuid, detail: &'a str) -> Self {
        Self {
            outcome: Outcome::Failure,
            detail: Some(detail),
            ..Self::user(action, id)
        }
    }

    /// What a user did with a session of theirs.
    pub(crate) fn session(action: &'static str, id: Uuid) -> Self {
        Self {
            actor: Some(id),
            ..Self::of(Collection::Users, action, Key::Uuid(id), None)
        }
    }
}

/// Writes activity and revision.
pub(crate) async fn record(tx: &mut Tx, cx: &Context, change: Change<'_>) -> Result<()> {
    let Change {
        collection,
        action,
        item,
        actor,
        revision,
        outcome,
        detail,
    } = change;
    let entry = activity::Entry {
        action,
        user: actor
            .or(cx.impersonator.map(|user| user.0))
            .or_else(|| cx.principal.user().map(|user| user.0)),
        timestamp: cx.now,
        ip: cx.client.ip.map(|ip| ip.to_string()),
        user_agent: cx.client.user_agent.as_deref(),
        origin: cx.client.origin.as_deref(),
        collection,
        item: &item,
        source: cx.client.source.as_str(),
        outcome: match outcome {
            Outcome::Success => "success",
            Outcome::Failure => "failure",
        },
        detail,
    };
    let activity = activity::insert(tx, &entry).await?;
    if let Some((data, delta)) = revision {
        let data = data.clone();
        activity::insert_revision(tx, activity, collection, &item, data, delta).await?;
    }
    Ok(())
}

/// What an event is about: a record, by its key, or a field or a relation, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A record.
    Record(Key),
    /// A field or a relation.
    Named(String),
}

impl From<Key> for Subject {
    fn from(key: Key) -> Self {
        Self::Record(key)
    }
}

/// Puts an after-event into the outbox, if somebody is to be told. Whether somebody is.
pub(crate) async fn tell(
    inner: &Inner,
    tx: &mut Tx,
    cx: &Context,
    collection: Collection,
    event: Event,
    subject: impl Into<Subject>,
    payload: impl FnOnce(Occasion) -> AfterPayload,
) -> Result<bool> {
    let (item, user) = match subject.into() {
        Subject::Record(key) => (key.to_string(), key.uuid()),
        Subject::Named(name) => (name, None),
    };
    let applied = cx.effects.apply(inner, tx, cx, collection, &item);
    let has_mail = applied.await?;
    let slots = inner.registry.subscribers(collection, event);
    if slots.is_empty() && !inner.settings.outbox.retain {
        return Ok(has_mail);
    }
    let payload = serde_json::to_value(payload(Occasion::of(cx)));
    let mut payload = payload.map_err(roster_domain::Error::internal)?;
    trace::keep(&mut payload);
    let entry = Entry {
        id: new_id(cx.now)?,
        kind: "event".to_owned(),
        event: event.as_str().to_owned(),
        collection: collection.table().to_owned(),
        item,
        user,
        payload,
        created_at: cx.now,
    };
    let subscribers: Vec<String> = slots.iter().map(|slot| slot.name.clone()).collect();
    outbox::enqueue(tx, &entry, &subscribers).await?;
    Ok(has_mail || !subscribers.is_empty())
}

/// Commits, then wakes the deliverer if there is something to deliver.
pub(crate) async fn commit(inner: &Inner, tx: Tx, has_deliveries: bool) -> Result<()> {
    tx.commit().await?;
    if has_deliveries {
        inner.delivery.notify_one();
        inner.announce.notify_one();
    }
    Ok(())
}

/// Whether the caller acts on their own record.
pub(crate) fn is_own(principal: &Principal, id: Uuid) -> bool {
    principal.user().is_some_and(|user| user.0 == id)
}
