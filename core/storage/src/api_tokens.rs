//! Further tokens of users. See [`crate::unguarded`] for the lookup of one that is presented.

use roster_domain::{Error, Result, Timestamp, UserId};
use sea_query::Value as Bound;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::statement::Statement;
use crate::store::{Store, Tx};

/// A token as its owner sees it again: all but the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// How it begins.
    pub prefix: String,
    /// To which policies of its owner it is narrowed, if it is.
    pub policies: Option<Vec<Uuid>>,
    /// From which addresses it works, if not from all.
    pub ip_access: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to about a minute.
    pub last_used_at: Option<Timestamp>,
}

/// Keeps a token by its hash.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn insert(tx: &mut Tx, token: &ApiToken, hash: &str) -> Result<()> {
    let dialect = tx.dialect();
    let policies = token.policies.as_ref().map(|policies| json!(policies));
    let statement = Statement::new(
        r#"INSERT INTO "api_tokens" ("id", "user", "name", "prefix", "hash", "ip_access",
        "created_at", "expires_at", "policies") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"#,
        vec![
            dialect.uuid(token.id),
            dialect.uuid(token.user.0),
            token.name.as_str().into(),
            token.prefix.as_str().into(),
            hash.into(),
            Bound::String(token.ip_access.clone()),
            dialect.timestamp(token.created_at),
            dialect.timestamp(token.expires_at),
            dialect.json(policies.as_ref()),
        ],
    );
    tx.execute(statement).await.map(drop)
}

/// The tokens of a user, the newest last.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn list(store: &Store, user: UserId) -> Result<Vec<ApiToken>> {
    let statement = Statement::new(
        r#"SELECT "id", "user", "name", "prefix", "ip_access", "created_at", "expires_at",
        "last_used_at", "policies" FROM "api_tokens" WHERE "user" = $1 ORDER BY "created_at", "id""#,
        vec![store.dialect().uuid(user.0)],
    );
    let rows = store.fetch(statement).await?;
    rows.iter()
        .map(|row| {
            Ok(ApiToken {
                id: row.id(0)?,
                user: UserId(row.id(1)?),
                name: row.word(2)?,
                prefix: row.word(3)?,
                ip_access: row.text(4)?,
                created_at: row.moment(5)?,
                expires_at: row.timestamp(6)?,
                last_used_at: row.timestamp(7)?,
                policies: policies(row.json(8)?.as_ref())?,
            })
        })
        .collect()
}

/// The policies of a token, as they are kept. What cannot be understood is an error: it would narrow
/// nothing.
pub(crate) fn policies(kept: Option<&Json>) -> Result<Option<Vec<Uuid>>> {
    let read = |list: &Json| -> Option<Vec<Uuid>> {
        let ids = list.as_array()?.iter();
        ids.map(|id| Uuid::parse_str(id.as_str()?).ok()).collect()
    };
    match kept {
        None | Some(Json::Null) => Ok(None),
        Some(list) => {
            let unreadable = || Error::internal("a token with unreadable policies");
            read(list).ok_or_else(unreadable).map(Some)
        }
    }
}

/// Removes a token of a user. Whether there was one.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn remove(tx: &mut Tx, user: UserId, id: Uuid) -> Result<bool> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"DELETE FROM "api_tokens" WHERE "user" = $1 AND "id" = $2"#,
        vec![dialect.uuid(user.0), dialect.uuid(id)],
    );
    Ok(tx.execute(statement).await? == 1)
}

/// Removes every token of a user.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn remove_all(tx: &mut Tx, user: UserId) -> Result<()> {
    let values = vec![tx.dialect().uuid(user.0)];
    let statement = Statement::new(r#"DELETE FROM "api_tokens" WHERE "user" = $1"#, values);
    tx.execute(statement).await.map(drop)
}

/// Notes that a token was used, if that was not noted since `before`.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn touch(tx: &mut Tx, id: Uuid, now: Timestamp, before: Timestamp) -> Result<()> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"UPDATE "api_tokens" SET "last_used_at" = $2
        WHERE "id" = $1 AND ("last_used_at" IS NULL OR "last_used_at" < $3)"#,
        vec![
            dialect.uuid(id),
            dialect.timestamp(now),
            dialect.timestamp(before),
        ],
    );
    tx.execute(statement).await.map(drop)
}
