//! Tokens that were mailed. What proves them is a hash; what they allow is said by their purpose.

use roster_domain::{Result, Timestamp, UserId};
use sea_query::Value as Bound;
use uuid::Uuid;

use crate::statement::Statement;
use crate::store::{Store, Tx};

/// A token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailToken {
    /// Its id.
    pub id: Uuid,
    /// For whom.
    pub user: UserId,
    /// For what.
    pub purpose: String,
    /// SHA-256 of its secret.
    pub secret_hash: Vec<u8>,
    /// The user's generation when it was made, if it depends on that.
    pub generation: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Keeps a token, and drops those of the user that have ended.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn insert(tx: &mut Tx, token: &MailToken) -> Result<()> {
    let dialect = tx.dialect();
    let sweep = Statement::new(
        r#"DELETE FROM "mail_tokens" WHERE "user" = $1 AND "expires_at" <= $2"#,
        vec![
            dialect.uuid(token.user.0),
            dialect.timestamp(token.created_at),
        ],
    );
    tx.execute(sweep).await?;
    let statement = Statement::new(
        r#"INSERT INTO "mail_tokens" ("id", "user", "purpose", "secret_hash", "generation",
        "created_at", "expires_at") VALUES ($1, $2, $3, $4, $5, $6, $7)"#,
        vec![
            dialect.uuid(token.id),
            dialect.uuid(token.user.0),
            token.purpose.as_str().into(),
            token.secret_hash.clone().into(),
            Bound::BigInt(token.generation),
            dialect.timestamp(token.created_at),
            dialect.timestamp(token.expires_at),
        ],
    );
    tx.execute(statement).await.map(drop)
}

/// The token of that hash and whether it was used, if it has not ended.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn find(
    store: &Store,
    secret_hash: &[u8],
    now: Timestamp,
) -> Result<Option<(MailToken, bool)>> {
    let statement = Statement::new(
        r#"SELECT "id", "user", "purpose", "secret_hash", "generation", "created_at", "expires_at",
        "used_at" FROM "mail_tokens" WHERE "secret_hash" = $1 AND "expires_at" > $2"#,
        vec![secret_hash.to_vec().into(), store.dialect().timestamp(now)],
    );
    let Some(row) = store.fetch_optional(statement).await? else {
        return Ok(None);
    };
    let token = MailToken {
        id: row.id(0)?,
        user: UserId(row.id(1)?),
        purpose: row.word(2)?,
        secret_hash: row.bytes(3)?,
        generation: row.integer(4)?,
        created_at: row.moment(5)?,
        expires_at: row.moment(6)?,
    };
    Ok(Some((token, row.timestamp(7)?.is_some())))
}

/// Uses a token up. Whether it was there to be used: of several uses one succeeds.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn consume(tx: &mut Tx, id: Uuid, now: Timestamp) -> Result<bool> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"UPDATE "mail_tokens" SET "used_at" = $2 WHERE "id" = $1 AND "used_at" IS NULL"#,
        vec![dialect.uuid(id), dialect.timestamp(now)],
    );
    Ok(tx.execute(statement).await? == 1)
}

/// Gives a token back that was used up for something that was refused.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn release(tx: &mut Tx, id: Uuid) -> Result<()> {
    let values = vec![tx.dialect().uuid(id)];
    let sql = r#"UPDATE "mail_tokens" SET "used_at" = NULL WHERE "id" = $1"#;
    tx.execute(Statement::new(sql, values)).await.map(drop)
}

/// Uses up every token of a user for a purpose.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn consume_all(tx: &mut Tx, user: UserId, purpose: &str, now: Timestamp) -> Result<u64> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"UPDATE "mail_tokens" SET "used_at" = $3
        WHERE "user" = $1 AND "purpose" = $2 AND "used_at" IS NULL"#,
        vec![dialect.uuid(user.0), purpose.into(), dialect.timestamp(now)],
    );
    tx.execute(statement).await
}
