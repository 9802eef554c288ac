//! The outbox: what is to be told after a commit, and to whom.
//!
//! Entries are written in the transaction of the change they tell of. Any node delivers: a claim
//! leases rows without an earlier unfinished row of the same subscriber and order, and every
//! acknowledgement carries the fence of its lease.

use chrono::TimeDelta;
use roster_domain::{Result, Timestamp};
use sea_query::Value as Bound;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::row::Row;
use crate::statement::Statement;
use crate::store::{Store, Tx};

/// Something that is to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its stable id; every delivery carries it.
    pub id: Uuid,
    /// `event` or `mail`.
    pub kind: String,
    /// Such as `users.create`.
    pub event: String,
    /// The collection.
    pub collection: String,
    /// The record.
    pub item: String,
    /// The user whose order it belongs to; events of one user are delivered in their order.
    pub user: Option<Uuid>,
    /// What is told.
    pub payload: Json,
    /// When it happened.
    pub created_at: Timestamp,
}

/// One telling of one entry to one subscriber, leased to this node.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its id.
    pub id: i64,
    /// To whom.
    pub subscriber: String,
    /// How often it was tried, this time included.
    pub attempts: i32,
    /// Proof of the lease.
    pub fence: i64,
    /// What is told.
    pub entry: Entry,
}

/// Writes an entry and one delivery for each subscriber.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn enqueue(tx: &mut Tx, entry: &Entry, subscribers: &[String]) -> Result<()> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"INSERT INTO "outbox" ("id", "kind", "event", "collection", "item", "user", "payload",
        "created_at") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING "sequence""#,
        vec![
            dialect.uuid(entry.id),
            entry.kind.as_str().into(),
            entry.event.as_str().into(),
            entry.collection.as_str().into(),
            entry.item.as_str().into(),
            dialect.uuid(entry.user),
            dialect.json(Some(&entry.payload)),
            dialect.timestamp(entry.created_at),
        ],
    );
    let rows = tx.fetch(statement).await?;
    let sequence = rows.first().map_or(Ok(0), |row| row.count(0))?;
    let order = entry
        .user
        .map_or_else(|| entry.item.clone(), |user| user.to_string());
    for subscriber in subscribers {
        let statement = Statement::new(
            r#"INSERT INTO "deliveries" ("event", "subscriber", "ordering_key", "sequence", "state",
            "next_attempt_at") VALUES ($1, $2, $3, $4, 'pending', $5)"#,
            vec![
                dialect.uuid(entry.id),
                subscriber.as_str().into(),
                order.as_str().into(),
                sequence.into(),
                dialect.timestamp(entry.created_at),
            ],
        );
        tx.execute(statement).await?;
    }
    Ok(())
}

/// Leases what is due, the longest due first, at most `most`. What is leased is due again when its
/// lease ends, so that one index has the order of all: no backlog is read to find the first of it.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn claim(
    tx: &mut Tx,
    now: Timestamp,
    lease: TimeDelta,
    most: u32,
) -> Result<Vec<Delivery>> {
    let dialect = tx.dialect();
    let sql = format!(
        r#"UPDATE "deliveries" SET "state" = 'leased', "lease_until" = $2, "next_attempt_at" = $2,
        "fence" = "fence" + 1, "attempts" = "attempts" + 1
        WHERE "id" IN (
            SELECT d."id" FROM "deliveries" d
            WHERE d."state" IN ('pending', 'leased') AND d."next_attempt_at" <= $1
            AND (d."state" = 'pending' OR d."lease_until" <= $1)
            AND NOT EXISTS (
                SELECT 1 FROM "deliveries" e
                WHERE e."subscriber" = d."subscriber" AND e."ordering_key" = d."ordering_key"
                AND e."sequence" < d."sequence" AND e."state" IN ('pending', 'leased')
            )
            ORDER BY d."next_attempt_at", d."id" LIMIT $3 {}
        )
        RETURNING "id", "event", "subscriber", "attempts", "fence""#,
        dialect.skip_locked()
    );
    let values = vec![
        dialect.timestamp(now),
        dialect.timestamp(now + lease),
        i64::from(most).into(),
    ];
    let claimed = tx
        .fetch(Statement::dynamic(sql, sea_query::Values(values)))
        .await?;
    let mut deliveries = Vec::with_capacity(claimed.len());
    let mut entries = entries(tx, &claimed).await?;
    for row in &claimed {
        let event = row.id(1)?;
        let Some(position) = entries.iter().position(|(_, entry)| entry.id == event) else {
            continue;
        };
        let (sequence, entry) = match claimed.len() {
            1 => entries.swap_remove(position),
            _ => entries[position].clone(),
        };
        let delivery = Delivery {
            id: row.count(0)?,
            subscriber: row.word(2)?,
            attempts: row.small(3)?,
            fence: row.count(4)?,
            entry,
        };
        deliveries.push((sequence, delivery));
    }
    deliveries.sort_by_key(|(sequence, _)| *sequence);
    Ok(deliveries
        .into_iter()
        .map(|(_, delivery)| delivery)
        .collect())
}

async fn entries(tx: &mut Tx, claimed: &[Row]) -> Result<Vec<(i64, Entry)>> {
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    let ids = claimed.iter().map(|row| Ok(dialect.uuid(row.id(1)?)));
    let ids = ids.collect::<Result<Vec<Bound>>>()?;
    let places = (1..=ids.len())
        .map(|n| format!("${n}"))
        .collect::<Vec<_>>()
        .join(", ");
    let sql = format!(
        r#"SELECT "id", "kind", "event", "collection", "item", "user", "payload", "created_at",
        "sequence" FROM "outbox" WHERE "id" IN ({places})"#
    );
    let rows = tx
        .fetch(Statement::dynamic(sql, sea_query::Values(ids)))
        .await?;
    rows.iter()
        .map(|row| {
            let entry = Entry {
                id: row.id(0)?,
                kind: row.word(1)?,
                event: row.word(2)?,
                collection: row.word(3)?,
                item: row.word(4)?,
                user: row.uuid(5)?,
                payload: row.json(6)?.unwrap_or(Json::Null),
                created_at: row.moment(7)?,
            };
            Ok((row.count(8)?, entry))
        })
        .collect()
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was told.
    Done,
    /// It was not; try again at that time.
    Retry {
        /// When.
        at: Timestamp,
        /// Why it was not told.
        error: String,
    },
    /// It was not and is given up; the next one of its order may go.
    Dead {
        /// Why it was not told.
        error: String,
    },
}

/// Notes what became of a delivery, unless the lease was lost meanwhile. What everybody has been
/// told is removed unless it is to be retained.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn settle(
    tx: &mut Tx,
    delivery: &Delivery,
    outcome: &Outcome,
    now: Timestamp,
    retain: bool,
) -> Result<()> {
    let dialect = tx.dialect();
    let (state, at, error, finished) = match outcome {
        Outcome::Done => ("done", now, None, Some(now)),
        Outcome::Retry { at, error } => ("pending", *at, Some(error.clone()), None),
        Outcome::Dead { error } => ("dead", now, Some(error.clone()), Some(now)),
    };
    let statement = Statement::new(
        r#"UPDATE "deliveries" SET "state" = $3, "next_attempt_at" = $4, "last_error" = $5,
        "finished_at" = $6, "lease_until" = NULL
        WHERE "id" = $1 AND "fence" = $2 AND "state" = 'leased'"#,
        vec![
            delivery.id.into(),
            delivery.fence.into(),
            state.into(),
            dialect.timestamp(at),
            Bound::String(error),
            dialect.timestamp(finished),
        ],
    );
    let settled = tx.execute(statement).await? == 1;
    if settled && !retain && matches!(outcome, Outcome::Done) {
        let statement = Statement::new(
            r#"DELETE FROM "outbox" WHERE "id" = $1 AND NOT EXISTS (
                SELECT 1 FROM "deliveries" WHERE "event" = $1 AND "state" <> 'done'
            )"#,
            vec![dialect.uuid(delivery.entry.id)],
        );
        tx.execute(statement).await?;
    }
    Ok(())
}

/// When the next delivery is due, if any is waiting.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn next_due(store: &Store) -> Result<Option<Timestamp>> {
    let statement = Statement::new(
        r#"SELECT "next_attempt_at" FROM "deliveries" WHERE "state" IN ('pending', 'leased')
        ORDER BY "next_attempt_at" LIMIT 1"#,
        Vec::new(),
    );
    store
        .fetch_optional(statement)
        .await?
        .map_or(Ok(None), |row| row.timestamp(0))
}
