//! What plugins keep between calls: JSON values under keys of their own, each with a version.

use roster_domain::{Result, Timestamp};
use serde_json::Value as Json;

use crate::statement::Statement;
use crate::store::{Store, Tx};

/// Which row is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key<'a> {
    /// The plugin whose row it is.
    pub plugin: &'a str,
    /// The plugin's own name for it.
    pub key: &'a str,
}

/// A value and its version.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The value.
    pub value: Json,
    /// Grows with every write. A key that was removed and comes back has a larger one than before.
    pub version: i64,
}

/// The version of a key that was not there before.
pub const fn first_version(now: Timestamp) -> i64 {
    now.timestamp_millis()
}

/// What is kept under a key.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn get(store: &Store, key: Key<'_>) -> Result<Option<Kept>> {
    let statement = Statement::new(
        r#"SELECT "value", "version" FROM "plugin_store" WHERE "plugin" = $1 AND "key" = $2"#,
        vec![key.plugin.into(), key.key.into()],
    );
    let row = store.fetch_optional(statement).await?;
    row.map(|row| {
        Ok(Kept {
            value: row.json(0)?.unwrap_or(Json::Null),
            version: row.count(1)?,
        })
    })
    .transpose()
}

/// Keeps a value; gives its version, or none if there is not the expected one, 0 standing for none.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`, `CONFLICT`.
pub async fn set(
    tx: &mut Tx,
    key: Key<'_>,
    value: &Json,
    expected: Option<i64>,
    now: Timestamp,
) -> Result<Option<i64>> {
    let dialect = tx.dialect();
    let sql = match expected {
        None => {
            r#"INSERT INTO "plugin_store" ("plugin", "key", "value", "updated_at", "version")
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT ("plugin", "key") DO UPDATE SET
            "value" = excluded."value", "updated_at" = excluded."updated_at",
            "version" = "plugin_store"."version" + 1 RETURNING "version""#
        }
        Some(0) => {
            r#"INSERT INTO "plugin_store" ("plugin", "key", "value", "updated_at", "version")
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING "version""#
        }
        Some(_) => {
            r#"UPDATE "plugin_store" SET "value" = $3, "updated_at" = $4, "version" = "version" + 1
            WHERE "plugin" = $1 AND "key" = $2 AND "version" = $5 RETURNING "version""#
        }
    };
    let version = match expected {
        None | Some(0) => first_version(now),
        Some(version) => version,
    };
    let values = vec![
        key.plugin.into(),
        key.key.into(),
        dialect.json(Some(value)),
        dialect.timestamp(now),
        version.into(),
    ];
    let rows = tx.fetch(Statement::new(sql, values)).await?;
    rows.first().map(|row| row.count(0)).transpose()
}

/// Forgets a key; whether there was something, or none if there is not the expected version.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`, `CONFLICT`.
pub async fn delete(tx: &mut Tx, key: Key<'_>, expected: Option<i64>) -> Result<Option<bool>> {
    let mut values = vec![key.plugin.into(), key.key.into()];
    let sql = match expected {
        None => r#"DELETE FROM "plugin_store" WHERE "plugin" = $1 AND "key" = $2"#,
        Some(version) => {
            values.push(version.into());
            r#"DELETE FROM "plugin_store" WHERE "plugin" = $1 AND "key" = $2 AND "version" = $3"#
        }
    };
    let is_gone = tx.execute(Statement::new(sql, values)).await? > 0;
    Ok(match expected {
        None => Some(is_gone),
        Some(_) => is_gone.then_some(true),
    })
}

/// The keys that begin so, in order.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn keys(store: &Store, plugin: &str, prefix: &str, most: u32) -> Result<Vec<String>> {
    let statement = Statement::new(
        r#"SELECT "key" FROM "plugin_store" WHERE "plugin" = $1
        AND substr("key", 1, length($2)) = $2 ORDER BY "key" LIMIT $3"#,
        vec![plugin.into(), prefix.into(), i64::from(most).into()],
    );
    let rows = store.fetch(statement).await?;
    rows.iter().map(|row| row.word(0)).collect()
}

/// A number that grows when the operator wants components to be loaded again.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn epoch(store: &Store) -> Result<i64> {
    let statement = Statement::new(
        r#"SELECT "plugins_epoch" FROM "counters" WHERE "id" = 1"#,
        Vec::new(),
    );
    let row = store.fetch_optional(statement).await?;
    row.map_or(Ok(0), |row| row.count(0))
}

/// Asks every node to load its components again.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn raise_epoch(store: &Store) -> Result<()> {
    let mut tx = store.begin().await?;
    let statement = Statement::new(
        r#"UPDATE "counters" SET "plugins_epoch" = "plugins_epoch" + 1 WHERE "id" = 1"#,
        Vec::new(),
    );
    tx.execute(statement).await?;
    tx.commit().await
}
