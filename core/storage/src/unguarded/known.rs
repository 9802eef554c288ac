//! Which users are there already, for a file that is taken in.

use roster_domain::{Result, UserId};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::dialect::Dialect;
use crate::statement::Statement;
use crate::store::Store;

/// The users with one of these normalised e-mails or ids: their ids and normalised e-mails. Whoever
/// may make users learns as much from the refusal of one that is there.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn known_users(
    store: &Store,
    email_keys: &[String],
    ids: &[Uuid],
) -> Result<Vec<(UserId, Option<String>)>> {
    let dialect = store.dialect();
    let sql = match dialect {
        Dialect::Sqlite => {
            r#"SELECT "id", "email_key" FROM "users"
            WHERE "email_key" IN (SELECT value FROM json_each($1))
            OR "id" IN (SELECT value FROM json_each($2))"#
        }
        Dialect::Postgres => {
            r#"SELECT "id", "email_key" FROM "users"
            WHERE "email_key" = ANY(ARRAY(SELECT jsonb_array_elements_text($1)))
            OR "id" = ANY(ARRAY(SELECT CAST(jsonb_array_elements_text($2) AS uuid)))"#
        }
    };
    let keys: Json = email_keys.into();
    let ids: Json = ids.iter().map(ToString::to_string).collect();
    let values = vec![dialect.json(Some(&keys)), dialect.json(Some(&ids))];
    let rows = store.fetch(Statement::new(sql, values)).await?;
    rows.iter()
        .map(|row| Ok((UserId(row.id(0)?), row.text(1)?)))
        .collect()
}
