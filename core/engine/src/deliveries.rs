//! The outbox as administrators see it: what waits, what was given up, and telling it again.

use roster_domain::{Error, Result, Timestamp, clock};
use roster_storage::deliveries::{self, From, Listed, Selection};
use roster_storage::plugin_store;
use serde::Serialize;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::Engine;
use crate::context::Context;

/// The most deliveries of one list.
const MOST: u32 = 1_000;
const USUAL: u32 = 100;

/// A delivery of an event or a mail to one plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Its number.
    pub id: i64,
    /// The id of the event.
    pub event: Uuid,
    /// The name of the event.
    pub name: String,
    /// The collection.
    pub collection: String,
    /// The record.
    pub item: String,
    /// The plugin.
    pub subscriber: String,
    /// `pending`, `leased`, `done` or `dead`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Why it was not told the last time.
    pub last_error: Option<String>,
    /// When the event happened.
    pub created_at: String,
    /// When it is tried next, if it waits.
    pub next_attempt_at: String,
}

/// From where events are told again, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// From where.
    pub from: From,
    /// To this plugin; to all who were told if there is none.
    pub subscriber: Option<String>,
}

impl Delivery {
    /// What is shown of a delivery.
    pub fn of(listed: Listed) -> Self {
        Self {
            id: listed.id,
            event: listed.event,
            name: listed.name,
            collection: listed.collection,
            item: listed.item,
            subscriber: listed.subscriber,
            state: listed.state,
            attempts: listed.attempts,
            last_error: listed.last_error,
            created_at: clock::format(listed.created_at),
            next_attempt_at: clock::format(listed.next_attempt_at),
        }
    }
}

impl Replay {
    /// Reads `{"event": …}` or `{"since": …}`, with `subscriber` beside it.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`.
    pub fn parse(body: &Json) -> Result<Self> {
        let text = |name: &str| body.get(name).and_then(Json::as_str);
        let event = text("event").map(|text| text.parse::<Uuid>().map(From::Event).ok());
        let since = text("since").map(|text| time(text).map(From::Time));
        let from = match (event, since) {
            (Some(Some(event)), None) => event,
            (None, Some(Some(since))) => since,
            _ => {
                return Err(Error::invalid_payload(
                    "expected either \"event\", an id, or \"since\", a time",
                ));
            }
        };
        Ok(Self {
            from,
            subscriber: text("subscriber").map(ToOwned::to_owned),
        })
    }
}

/// Reads a time as it is written on the wire: RFC 3339.
fn time(text: &str) -> Option<Timestamp> {
    let parsed = text.parse::<Timestamp>();
    parsed.ok()
}

fn administrator(cx: &Context) -> Result<()> {
    if cx.rights.admin_access {
        Ok(())
    } else {
        Err(Error::forbidden())
    }
}

impl Engine {
    /// Deliveries, the latest first, for administrators: `state`, `subscriber` and `limit` choose.
    ///
    /// # Errors
    /// `FORBIDDEN`, `INVALID_QUERY`.
    pub async fn deliveries(
        &self,
        cx: &Context,
        state: Option<&str>,
        subscriber: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Vec<Delivery>> {
        administrator(cx)?;
        let selection = Selection {
            state: state.map(ToOwned::to_owned),
            subscriber: subscriber.map(ToOwned::to_owned),
            event: None,
        };
        let most = limit.unwrap_or(USUAL).clamp(1, MOST);
        let listed = deliveries::list(&self.inner.store, &selection, most).await?;
        Ok(listed.into_iter().map(Delivery::of).collect())
    }

    /// Has what was given up tried again, for administrators: `{"id": …}`, `{"subscriber": …}` or
    /// all of it. How many deliveries.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub async fn retry_deliveries(&self, cx: &Context, body: &Json) -> Result<u64> {
        administrator(cx)?;
        let id = body.get("id").and_then(Json::as_i64);
        let subscriber = body.get("subscriber").and_then(Json::as_str);
        let mut tx = self.inner.store.begin().await?;
        let count = deliveries::retry(&mut tx, id, subscriber, cx.now).await?;
        crate::write::commit(&self.inner, tx, count > 0).await?;
        Ok(count)
    }

    /// Has kept events told again, for administrators. How many deliveries.
    ///
    /// # Errors
    /// `FORBIDDEN`, also if there is no such event; `INVALID_PAYLOAD`.
    pub async fn replay_deliveries(&self, cx: &Context, body: &Json) -> Result<u64> {
        administrator(cx)?;
        let Replay { from, subscriber } = Replay::parse(body)?;
        let mut tx = self.inner.store.begin().await?;
        let count = deliveries::replay(&mut tx, from, subscriber.as_deref(), cx.now).await?;
        crate::write::commit(&self.inner, tx, count > 0).await?;
        Ok(count)
    }

    /// Asks every node to load its components again, for administrators.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub async fn ask_for_plugins(&self, cx: &Context) -> Result<()> {
        administrator(cx)?;
        plugin_store::raise_epoch(&self.inner.store).await
    }

    /// A number that grows when components are to be loaded again.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn plugins_epoch(&self) -> Result<i64> {
        plugin_store::epoch(&self.inner.store).await
    }
}
