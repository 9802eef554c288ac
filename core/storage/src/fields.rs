//! Custom fields and relations of users: what they are, and the columns behind them.
//!
//! A column is plain and nullable; whatever else a field demands is checked before anything is
//! written. Changes of columns go together with the change of what is said about them, but for
//! indexes on PostgreSQL, which are built while others read and write.

mod column;
mod relation;
mod row;

pub use relation::{change_relation, relate, unrelate};
pub use row::{lock, model};

use std::time::Duration;

use roster_domain::schema::Definition;
use roster_domain::{Action, Code, Collection, Field, FieldType, Grant, Result};
use sea_query::{Value as Bound, Values};
use serde_json::Value as Json;

use self::column::{convert, fill};
use self::row::write_row;
use crate::dialect::Dialect;
use crate::error::Violation;
use crate::statement::Statement;
use crate::store::{Store, Tx};

/// Adds a field, with its column.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for creating fields; `CONFLICT` when the table is busy.
pub async fn insert(tx: &mut Tx, grant: &Grant, definition: &Definition) -> Result<()> {
    grant.permits(Action::Create, Collection::Fields)?;
    let dialect = tx.dialect();
    let field = definition.field();
    write_row(tx, definition, false).await?;
    if field.is_stored() {
        let column = quoted(&field.name);
        let kind = dialect.definition(&field);
        patience(tx).await?;
        ddl(
            tx,
            format!("ALTER TABLE \"users\" ADD COLUMN {column} {kind}"),
        )
        .await?;
        fill(tx, &field).await?;
    }
    raise_epoch(tx).await
}

/// Changes what is said of a field, and its column where the type or the size differs.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for updating fields; `INVALID_PAYLOAD` where a value does not fit
/// the new type.
pub async fn update(
    tx: &mut Tx,
    grant: &Grant,
    before: &Definition,
    after: &Definition,
) -> Result<()> {
    grant.permits(Action::Update, Collection::Fields)?;
    write_row(tx, after, true).await?;
    let (old, new) = (before.field(), after.field());
    let dialect = tx.dialect();
    let is_other = dialect.definition(&old) != dialect.definition(&new)
        || (old.kind == FieldType::Decimal && old.decimal != new.decimal)
        || old.kind != new.kind;
    if is_other && old.is_stored() && new.is_stored() {
        patience(tx).await?;
        convert(tx, &old, &new).await?;
    }
    raise_epoch(tx).await
}

/// Takes a field away, with its column and what permissions say of it.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for deleting fields.
pub async fn delete(tx: &mut Tx, grant: &Grant, definition: &Definition) -> Result<()> {
    grant.permits(Action::Delete, Collection::Fields)?;
    let name = &definition.field;
    let statement = Statement::new(
        r#"DELETE FROM "fields" WHERE "collection" = 'directus_users' AND "field" = $1"#,
        vec![name.as_str().into()],
    );
    tx.execute(statement).await?;
    let statement = Statement::new(
        r#"DELETE FROM "relations" WHERE "field" = $1"#,
        vec![name.as_str().into()],
    );
    tx.execute(statement).await?;
    let statement = Statement::new(
        r#"UPDATE "relations" SET "sort_field" = NULL WHERE "sort_field" = $1"#,
        vec![name.as_str().into()],
    );
    tx.execute(statement).await?;
    if definition.field().is_stored() {
        patience(tx).await?;
        for index in [unique_index(name), plain_index(name)] {
            ddl(tx, format!("DROP INDEX IF EXISTS {}", quoted(&index))).await?;
        }
        ddl(
            tx,
            format!("ALTER TABLE \"users\" DROP COLUMN {}", quoted(name)),
        )
        .await?;
    }
    forget(tx, name).await?;
    raise_epoch(tx).await
}

/// The definition of the index that a field wants, if it wants one.
fn wanted_index(field: &Field, is_indexed: bool) -> Option<(String, bool)> {
    if field.is_unique {
        Some((unique_index(&field.name), true))
    } else if is_indexed {
        Some((plain_index(&field.name), false))
    } else {
        None
    }
}

/// Builds the index that a field wants, and drops the one it no longer wants. On PostgreSQL others
/// go on reading and writing meanwhile.
///
/// # Errors
/// `RECORD_NOT_UNIQUE` when two records hold the same value; then the index is not there.
/// `CONFLICT` when the table stays busy.
pub async fn index(store: &Store, grant: &Grant, definition: &Definition) -> Result<()> {
    grant.permits(grant.action(), Collection::Fields)?;
    let field = definition.field();
    let is_indexed = definition.schema.get("is_indexed").and_then(Json::as_bool);
    let wanted = wanted_index(&field, is_indexed.unwrap_or_default());
    // Null comes first in every order of ours, which PostgreSQL keeps in an index only if it is told.
    let (online, nulls) = match store.dialect() {
        Dialect::Sqlite => ("", ""),
        Dialect::Postgres => ("CONCURRENTLY ", " NULLS FIRST"),
    };
    for (name, is_unique) in [
        (unique_index(&field.name), true),
        (plain_index(&field.name), false),
    ] {
        let index = quoted(&name);
        let drop = format!("DROP INDEX {online}IF EXISTS {index}");
        if wanted.as_ref() != Some(&(name, is_unique)) {
            patiently(store, &drop, None).await?.ok();
            continue;
        }
        let kind = if is_unique { "UNIQUE INDEX" } else { "INDEX" };
        let column = quoted(&field.name);
        let sql =
            format!("CREATE {kind} {online}IF NOT EXISTS {index} ON \"users\" ({column}{nulls})");
        if patiently(store, &sql, Some(&drop)).await?.is_err() {
            patiently(store, &drop, None).await?.ok();
            let name = Collection::Users.as_str();
            return Err(roster_domain::error::field::not_unique(name, &field.name, None).into());
        }
    }
    Ok(())
}

/// How often a statement is tried that meets others.
const ATTEMPTS: u32 = 6;

/// Runs a statement, again where it met others. What half of it has left is undone before.
async fn patiently(
    store: &Store,
    sql: &str,
    undo: Option<&str>,
) -> Result<std::result::Result<(), Violation>> {
    let mut attempt = 1;
    loop {
        match store.run(sql.to_owned()).await {
            Err(error) if error.code() == &Code::Conflict && attempt < ATTEMPTS => {
                tokio::time::sleep(Duration::from_millis(50) * attempt).await;
                if let Some(undo) = undo {
                    store.run(undo.to_owned()).await?.ok();
                }
                attempt += 1;
            }
            done => return done,
        }
    }
}

/// Whether a record holds nothing in a field.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn has_nulls(tx: &mut Tx, grant: &Grant, field: &Field) -> Result<bool> {
    grant.permits(Action::Update, Collection::Fields)?;
    let column = quoted(&field.name);
    let sql = format!("SELECT 1 FROM \"users\" WHERE {column} IS NULL LIMIT 1");
    let statement = Statement::dynamic(sql, Values(Vec::new()));
    Ok(!tx.fetch(statement).await?.is_empty())
}

/// Whether two records hold the same value in a field.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn has_duplicates(tx: &mut Tx, grant: &Grant, field: &Field) -> Result<bool> {
    grant.permits(Action::Update, Collection::Fields)?;
    let column = quoted(&field.name);
    let sql = format!(
        "SELECT 1 FROM \"users\" WHERE {column} IS NOT NULL GROUP BY {column} HAVING COUNT(*) > 1 LIMIT 1"
    );
    let statement = Statement::dynamic(sql, Values(Vec::new()));
    Ok(!tx.fetch(statement).await?.is_empty())
}

/// Permissions name fields in a list; a name that is gone must not come back with another field.
async fn forget(tx: &mut Tx, name: &str) -> Result<()> {
    let sql = r#"SELECT "id", "fields" FROM "permissions" WHERE "collection" = 'directus_users' AND "fields" IS NOT NULL"#;
    let rows = tx.fetch(Statement::new(sql, Vec::new())).await?;
    for row in rows {
        let (id, fields) = (row.count(0)?, row.word(1)?);
        if !fields.split(',').any(|field| field == name) {
            continue;
        }
        let rest: Vec<&str> = fields.split(',').filter(|field| *field != name).collect();
        let rest = (!rest.is_empty()).then(|| rest.join(","));
        let sql = r#"UPDATE "permissions" SET "fields" = $2 WHERE "id" = $1"#;
        tx.execute(Statement::new(sql, vec![id.into(), Bound::String(rest)]))
            .await?;
    }
    crate::bootstrap::raise_rules_epoch(tx).await
}

/// Voids what every node has cached of fields.
async fn raise_epoch(tx: &mut Tx) -> Result<()> {
    let sql = r#"UPDATE "counters" SET "schema_epoch" = "schema_epoch" + 1 WHERE "id" = 1"#;
    tx.execute(Statement::new(sql, Vec::new())).await.map(drop)
}

/// Others do not wait behind a change of the table that itself waits.
async fn patience(tx: &mut Tx) -> Result<()> {
    match tx.dialect() {
        Dialect::Sqlite => Ok(()),
        Dialect::Postgres => ddl(tx, "SET LOCAL lock_timeout = '2s'".to_owned()).await,
    }
}

async fn ddl(tx: &mut Tx, sql: String) -> Result<()> {
    tx.execute(Statement::dynamic(sql, Values(Vec::new())))
        .await
        .map(drop)
}

/// A name in a statement. Names of fields have letters, digits and underscores only.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', ""))
}

fn unique_index(field: &str) -> String {
    format!("users_{field}_unique")
}

fn plain_index(field: &str) -> String {
    format!("users_{field}_index")
}
