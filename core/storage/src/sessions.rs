//! Sessions. They are proved by tokens, not by grants; see [`crate::unguarded`] for the lookups.

use roster_domain::session::Session;
use roster_domain::{Result, SessionId, Timestamp, UserId};
use sea_query::Value as Bound;

use crate::row::Row;
use crate::statement::Statement;
use crate::store::{Store, Tx};

/// Where a session was begun from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The address.
    pub ip: Option<String>,
    /// The `User-Agent`.
    pub user_agent: Option<String>,
    /// The `Origin`.
    pub origin: Option<String>,
    /// Who acts in it instead of its user.
    pub actor: Option<UserId>,
    /// Why they do.
    pub reason: Option<String>,
}

/// A session as it is shown to its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: SessionId,
    /// `json`, `cookie`, `session` or `impersonation`.
    pub mode: String,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was used last, to about a minute.
    pub last_used_at: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
    /// Where it was begun from.
    pub origin: Origin,
}

/// Begins a session.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR`.
pub async fn insert(tx: &mut Tx, session: &Session, from: &Origin, now: Timestamp) -> Result<()> {
    let dialect = tx.dialect();
    let text = |text: &Option<String>| Bound::String(text.clone());
    let statement = Statement::new(
        r#"INSERT INTO "sessions" ("id", "user", "sequence", "secret_hash", "mode", "created_at",
        "last_used_at", "expires_at", "ends_at", "ip", "user_agent", "origin", "actor", "reason",
        "provider") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"#,
        vec![
            dialect.uuid(session.id.0),
            dialect.uuid(session.user.0),
            session.sequence.into(),
            session.secret_hash.clone().into(),
            session.mode.as_str().into(),
            dialect.timestamp(now),
            dialect.timestamp(now),
            dialect.timestamp(session.expires_at),
            dialect.timestamp(session.ends_at),
            text(&from.ip),
            text(&from.user_agent),
            text(&from.origin),
            dialect.uuid(from.actor.map(|actor| actor.0)),
            text(&from.reason),
            session.provider.as_str().into(),
        ],
    );
    tx.execute(statement).await.map(drop)
}

/// The session of that id.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn find(store: &Store, id: SessionId) -> Result<Option<Session>> {
    let statement = Statement::new(
        r#"SELECT "id", "user", "sequence", "secret_hash", "rotated_at", "expires_at", "ends_at",
        "mode", "provider" FROM "sessions" WHERE "id" = $1"#,
        vec![store.dialect().uuid(id.0)],
    );
    store
        .fetch_optional(statement)
        .await?
        .map(|row| read(&row))
        .transpose()
}

/// Replaces the secret if the session still stands at the sequence before. Whether it did.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn rotate(tx: &mut Tx, next: &Session, now: Timestamp) -> Result<bool> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"UPDATE "sessions" SET "sequence" = $2, "secret_hash" = $3, "rotated_at" = $4,
        "last_used_at" = $4, "expires_at" = $5 WHERE "id" = $1 AND "sequence" = $6"#,
        vec![
            dialect.uuid(next.id.0),
            next.sequence.into(),
            next.secret_hash.clone().into(),
            dialect.timestamp(now),
            dialect.timestamp(next.expires_at),
            (next.sequence - 1).into(),
        ],
    );
    Ok(tx.execute(statement).await? == 1)
}

/// Ends a session. Whether there was one.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn end(tx: &mut Tx, id: SessionId) -> Result<bool> {
    let values = vec![tx.dialect().uuid(id.0)];
    let statement = Statement::new(r#"DELETE FROM "sessions" WHERE "id" = $1"#, values);
    Ok(tx.execute(statement).await? == 1)
}

/// Ends a session of a user. Whether they had it.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn end_one(tx: &mut Tx, user: UserId, id: SessionId) -> Result<bool> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"DELETE FROM "sessions" WHERE "user" = $1 AND "id" = $2"#,
        vec![dialect.uuid(user.0), dialect.uuid(id.0)],
    );
    Ok(tx.execute(statement).await? == 1)
}

/// Notes that a session was used, if that was not noted since `before`.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn touch(tx: &mut Tx, id: SessionId, now: Timestamp, before: Timestamp) -> Result<()> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"UPDATE "sessions" SET "last_used_at" = $2 WHERE "id" = $1 AND "last_used_at" < $3"#,
        vec![
            dialect.uuid(id.0),
            dialect.timestamp(now),
            dialect.timestamp(before),
        ],
    );
    tx.execute(statement).await.map(drop)
}

/// The sessions of a user that have not ended, the newest first. Those that were begun at `oldest`
/// or before have.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn list(
    store: &Store,
    user: UserId,
    now: Timestamp,
    oldest: Timestamp,
) -> Result<Vec<Listed>> {
    let dialect = store.dialect();
    let statement = Statement::new(
        r#"SELECT "id", "mode", "created_at", "last_used_at", "expires_at", "ip", "user_agent",
        "origin", "actor", "reason" FROM "sessions"
        WHERE "user" = $1 AND "expires_at" > $2 AND "ends_at" > $2 AND "created_at" > $3
        ORDER BY "created_at" DESC, "id" DESC"#,
        vec![
            dialect.uuid(user.0),
            dialect.timestamp(now),
            dialect.timestamp(oldest),
        ],
    );
    let rows = store.fetch(statement).await?;
    rows.iter()
        .map(|row| {
            Ok(Listed {
                id: SessionId(row.id(0)?),
                mode: row.word(1)?,
                created_at: row.moment(2)?,
                last_used_at: row.moment(3)?,
                expires_at: row.moment(4)?,
                origin: Origin {
                    ip: row.text(5)?,
                    user_agent: row.text(6)?,
                    origin: row.text(7)?,
                    actor: row.uuid(8)?.map(UserId),
                    reason: row.text(9)?,
                },
            })
        })
        .collect()
}

/// Ends every session of a user, but for one if that is said.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn end_all(tx: &mut Tx, user: UserId, but: Option<SessionId>) -> Result<()> {
    let dialect = tx.dialect();
    let statement = match but {
        None => Statement::new(
            r#"DELETE FROM "sessions" WHERE "user" = $1"#,
            vec![dialect.uuid(user.0)],
        ),
        Some(session) => Statement::new(
            r#"DELETE FROM "sessions" WHERE "user" = $1 AND "id" <> $2"#,
            vec![dialect.uuid(user.0), dialect.uuid(session.0)],
        ),
    };
    tx.execute(statement).await.map(drop)
}

/// Removes sessions that have ended, so that the table does not grow. They are void already.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn sweep(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<()> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"DELETE FROM "sessions" WHERE "user" = $1 AND ("expires_at" <= $2 OR "ends_at" <= $2)"#,
        vec![dialect.uuid(user.0), dialect.timestamp(now)],
    );
    tx.execute(statement).await.map(drop)
}

fn read(row: &Row) -> Result<Session> {
    Ok(Session {
        id: SessionId(row.id(0)?),
        user: UserId(row.id(1)?),
        sequence: row.count(2)?,
        secret_hash: row.bytes(3)?,
        rotated_at: row.timestamp(4)?,
        expires_at: row.moment(5)?,
        ends_at: row.moment(6)?,
        mode: row.word(7)?,
        provider: row.word(8)?,
    })
}
