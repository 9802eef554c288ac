//! Deliveries as operators see them: what waits, what was given up, and telling it again. And how
//! nodes wake each other.

use roster_domain::{Code, Error, Result, Timestamp};
use sea_query::Value as Bound;
use sqlx::postgres::PgListener;
use uuid::Uuid;

use crate::error::from_sqlx;
use crate::row::Row;
use crate::statement::Statement;
use crate::store::{Pool, Store, Tx};

/// The channel of PostgreSQL on which nodes wake each other.
const CHANNEL: &str = "roster_outbox";

/// A delivery as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub id: i64,
    /// The id of the event.
    pub event: Uuid,
    /// The name of the event, such as `create.after`.
    pub name: String,
    /// The collection.
    pub collection: String,
    /// The record.
    pub item: String,
    /// To whom it is told.
    pub subscriber: String,
    /// `pending`, `leased`, `done` or `dead`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Why it was not told the last time.
    pub last_error: Option<String>,
    /// When the event happened.
    pub created_at: Timestamp,
    /// When it is tried next, if it waits.
    pub next_attempt_at: Timestamp,
}

/// Which deliveries are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Of this state.
    pub state: Option<String>,
    /// To this subscriber.
    pub subscriber: Option<String>,
    /// Of this event.
    pub event: Option<Uuid>,
}

/// Deliveries, the latest first.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn list(store: &Store, selection: &Selection, most: u32) -> Result<Vec<Listed>> {
    let mut values = vec![i64::from(most).into()];
    let sql = format!(
        r#"SELECT d."id", d."event", o."event", o."collection", o."item", d."subscriber",
        d."state", d."attempts", d."last_error", o."created_at", d."next_attempt_at"
        FROM "deliveries" d JOIN "outbox" o ON o."id" = d."event" WHERE 1 = 1{}
        ORDER BY d."id" DESC LIMIT $1"#,
        conditions(selection, store, &mut values)
    );
    let statement = Statement::dynamic(sql, sea_query::Values(values));
    let rows = store.fetch(statement).await?;
    rows.iter().map(listed).collect()
}

fn conditions(selection: &Selection, store: &Store, values: &mut Vec<Bound>) -> String {
    let mut sql = String::new();
    let mut and = |column: &str, value: Bound| {
        values.push(value);
        sql = format!(r#"{sql} AND d."{column}" = ${}"#, values.len());
    };
    if let Some(state) = &selection.state {
        and("state", state.as_str().into());
    }
    if let Some(subscriber) = &selection.subscriber {
        and("subscriber", subscriber.as_str().into());
    }
    if let Some(event) = selection.event {
        and("event", store.dialect().uuid(event));
    }
    sql
}

fn listed(row: &Row) -> Result<Listed> {
    Ok(Listed {
        id: row.count(0)?,
        event: row.id(1)?,
        name: row.word(2)?,
        collection: row.word(3)?,
        item: row.word(4)?,
        subscriber: row.word(5)?,
        state: row.word(6)?,
        attempts: row.small(7)?,
        last_error: row.text(8)?,
        created_at: row.moment(9)?,
        next_attempt_at: row.moment(10)?,
    })
}

/// Has what was given up tried again: one delivery, or all, or all to one subscriber. How many.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn retry(
    tx: &mut Tx,
    id: Option<i64>,
    subscriber: Option<&str>,
    now: Timestamp,
) -> Result<u64> {
    let mut values = vec![tx.dialect().timestamp(now)];
    let mut sql = String::from(
        r#"UPDATE "deliveries" SET "state" = 'pending', "attempts" = 0, "next_attempt_at" = $1,
        "finished_at" = NULL WHERE "state" = 'dead'"#,
    );
    if let Some(id) = id {
        values.push(id.into());
        sql = format!(r#"{sql} AND "id" = ${}"#, values.len());
    }
    if let Some(subscriber) = subscriber {
        values.push(subscriber.into());
        sql = format!(r#"{sql} AND "subscriber" = ${}"#, values.len());
    }
    tx.execute(Statement::dynamic(sql, sea_query::Values(values)))
        .await
}

/// From where events are told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// From this event on, itself included.
    Event(Uuid),
    /// From what happened at this time on.
    Time(Timestamp),
}

/// Has kept events told again: to this subscriber, whether it was told before or not, or to all
/// who were told. What is under way is left alone. How many deliveries.
///
/// # Errors
/// `FORBIDDEN` if there is no such event; `SERVICE_UNAVAILABLE`.
pub async fn replay(
    tx: &mut Tx,
    from: From,
    subscriber: Option<&str>,
    now: Timestamp,
) -> Result<u64> {
    let dialect = tx.dialect();
    let first = match from {
        From::Event(id) => Statement::new(
            r#"SELECT "sequence" FROM "outbox" WHERE "id" = $1"#,
            vec![dialect.uuid(id)],
        ),
        From::Time(time) => Statement::new(
            r#"SELECT MIN("sequence") FROM "outbox" WHERE "created_at" >= $1"#,
            vec![dialect.timestamp(time)],
        ),
    };
    let rows = tx.fetch(first).await?;
    let first = rows
        .first()
        .map(|row| row.integer(0))
        .transpose()?
        .flatten();
    let Some(first) = first else {
        return match from {
            From::Event(_) => Err(Error::from(Code::Forbidden)),
            From::Time(_) => Ok(0),
        };
    };
    let due = dialect.timestamp(now);
    let statement = match subscriber {
        Some(subscriber) => Statement::new(
            r#"INSERT INTO "deliveries" ("event", "subscriber", "ordering_key", "sequence", "state",
            "next_attempt_at")
            SELECT o."id", $3, COALESCE(CAST(o."user" AS TEXT), o."item"), o."sequence", 'pending', $2
            FROM "outbox" o WHERE o."sequence" >= $1 AND o."kind" = 'event'
            ON CONFLICT ("event", "subscriber") DO UPDATE SET "state" = 'pending', "attempts" = 0,
            "next_attempt_at" = excluded."next_attempt_at", "finished_at" = NULL
            WHERE "deliveries"."state" IN ('done', 'dead')"#,
            vec![first.into(), due, subscriber.into()],
        ),
        None => Statement::new(
            r#"UPDATE "deliveries" SET "state" = 'pending', "attempts" = 0, "next_attempt_at" = $2,
            "finished_at" = NULL WHERE "sequence" >= $1 AND "state" IN ('done', 'dead')
            AND "event" IN (SELECT "id" FROM "outbox" WHERE "sequence" >= $1 AND "kind" = 'event')"#,
            vec![first.into(), due],
        ),
    };
    tx.execute(statement).await
}

/// Removes what happened before this time and is not to be told any more. How many events.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    let statement = Statement::new(
        r#"DELETE FROM "outbox" WHERE "created_at" < $1 AND NOT EXISTS (
            SELECT 1 FROM "deliveries" d WHERE d."event" = "outbox"."id"
            AND d."state" IN ('pending', 'leased')
        )"#,
        vec![tx.dialect().timestamp(before)],
    );
    tx.execute(statement).await
}

/// Tells the other nodes that there is something to deliver. Of no use on SQLite, where there are
/// none.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn wake_others(store: &Store, node: &str) -> Result<()> {
    let Pool::Postgres(_) = &store.pool else {
        return Ok(());
    };
    let statement = Statement::new(
        "SELECT pg_notify($1, $2)::text",
        vec![CHANNEL.into(), node.into()],
    );
    store.fetch(statement).await.map(drop)
}

/// Hears from the other nodes.
pub struct Listener(PgListener);

impl Listener {
    /// Begins to listen; nothing on SQLite.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn open(store: &Store) -> Result<Option<Self>> {
        let Pool::Postgres(pool) = &store.pool else {
            return Ok(None);
        };
        let mut listener = PgListener::connect_with(pool).await.map_err(from_sqlx)?;
        listener.listen(CHANNEL).await.map_err(from_sqlx)?;
        Ok(Some(Self(listener)))
    }

    /// Waits until another node says that there is something, or until the connection was lost and
    /// found again, as something may have been said meanwhile.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn heard(&mut self, node: &str) -> Result<()> {
        loop {
            match self.0.try_recv().await.map_err(from_sqlx)? {
                Some(said) if said.payload() == node => {}
                Some(_) | None => return Ok(()),
            }
        }
    }
}
