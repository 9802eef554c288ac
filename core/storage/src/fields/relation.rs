//! Relations that were added.

use roster_domain::schema::Relation;
use roster_domain::{Action, Collection, Grant, Result};
use sea_query::{Value as Bound, Values};

use super::{ddl, patience, quoted, raise_epoch};
use crate::dialect::Dialect;
use crate::statement::Statement;
use crate::store::Tx;

/// Adds a relation to a field.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for creating relations; `INVALID_FOREIGN_KEY` when a record
/// already holds a key that leads nowhere.
pub async fn relate(tx: &mut Tx, grant: &Grant, relation: &Relation) -> Result<()> {
    grant.permits(Action::Create, Collection::Relations)?;
    let statement = Statement::new(
        r#"INSERT INTO "relations" ("field", "related", "on_delete", "one_field", "sort_field", "deletes")
        VALUES ($1, $2, $3, $4, $5, $6)"#,
        vec![
            relation.field.as_str().into(),
            relation.to.as_str().into(),
            relation.on_delete.as_str().into(),
            Bound::String(relation.one_field.clone()),
            Bound::String(relation.sort_field.clone()),
            relation.deletes.into(),
        ],
    );
    tx.execute(statement).await?;
    let (column, target) = (quoted(&relation.field), quoted(relation.to.table()));
    let lost = format!(
        "SELECT 1 FROM \"users\" u WHERE u.{column} IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM {target} r WHERE r.\"id\" = u.{column}) LIMIT 1"
    );
    let lost = Statement::dynamic(lost, Values(Vec::new()));
    if !tx.fetch(lost).await?.is_empty() {
        let name = Collection::Users.as_str();
        return Err(roster_domain::error::field::foreign_key(name, &relation.field, None).into());
    }
    add_constraint(tx, relation).await?;
    raise_epoch(tx).await
}

/// Changes a relation.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for updating relations.
pub async fn change_relation(tx: &mut Tx, grant: &Grant, relation: &Relation) -> Result<()> {
    grant.permits(Action::Update, Collection::Relations)?;
    let statement = Statement::new(
        r#"UPDATE "relations" SET "on_delete" = $2, "one_field" = $3, "sort_field" = $4,
        "deletes" = $5 WHERE "field" = $1"#,
        vec![
            relation.field.as_str().into(),
            relation.on_delete.as_str().into(),
            Bound::String(relation.one_field.clone()),
            Bound::String(relation.sort_field.clone()),
            relation.deletes.into(),
        ],
    );
    tx.execute(statement).await?;
    drop_constraint(tx, &relation.field).await?;
    add_constraint(tx, relation).await?;
    raise_epoch(tx).await
}

/// Takes a relation away; the field and its values stay.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for deleting relations.
pub async fn unrelate(tx: &mut Tx, grant: &Grant, relation: &Relation) -> Result<()> {
    grant.permits(Action::Delete, Collection::Relations)?;
    let field = relation.field.as_str();
    let sql = r#"DELETE FROM "relations" WHERE "field" = $1"#;
    tx.execute(Statement::new(sql, vec![field.into()])).await?;
    drop_constraint(tx, field).await?;
    raise_epoch(tx).await
}

fn constraint(field: &str) -> String {
    quoted(&format!("users_{field}_foreign"))
}

/// On SQLite a key cannot be added to a column that is there; the check before each write has to
/// do.
async fn add_constraint(tx: &mut Tx, relation: &Relation) -> Result<()> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let (name, column) = (constraint(&relation.field), quoted(&relation.field));
    let (target, action) = (quoted(relation.to.table()), relation.on_delete.as_str());
    patience(tx).await?;
    let sql = format!(
        "ALTER TABLE \"users\" ADD CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES {target} (\"id\") ON DELETE {action}"
    );
    ddl(tx, sql).await
}

async fn drop_constraint(tx: &mut Tx, field: &str) -> Result<()> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    patience(tx).await?;
    let name = constraint(field);
    ddl(
        tx,
        format!("ALTER TABLE \"users\" DROP CONSTRAINT IF EXISTS {name}"),
    )
    .await
}
