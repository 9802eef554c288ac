//! The content of files that is kept in the database.

use roster_domain::{Action, Collection, Error, Grant, Key, Model, Result};
use sea_query::{Alias, Expr, ExprTrait, Query as Build, Value as Bound};

use crate::sql::{Scope, Sql};
use crate::statement::Statement;
use crate::store::{Store, Tx};

/// Stores the content of a new file.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for creating files.
pub async fn insert_content(tx: &mut Tx, grant: &Grant, file: Key, content: Vec<u8>) -> Result<()> {
    grant.permits(Action::Create, Collection::Files)?;
    let statement = Statement::new(
        r#"INSERT INTO "file_contents" ("file", "content") VALUES ($1, $2)"#,
        vec![tx.dialect().key(file), Bound::Bytes(Some(content))],
    );
    tx.execute(statement).await.map(drop)
}

/// The content of a file, if the grant reaches it and it is kept here.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for reading files.
pub async fn content(
    store: &Store,
    model: &Model,
    grant: &Grant,
    file: Key,
) -> Result<Option<Vec<u8>>> {
    grant.permits(Action::Read, Collection::Files)?;
    let schema = model.schema(Collection::Files);
    let schema = schema.ok_or_else(|| Error::internal("files have no table"))?;
    let dialect = store.dialect();
    let sql = Sql::new(dialect, model);
    let rule = Scope::root(schema, None);
    let (contents, owner) = (Alias::new("file_contents"), Alias::new("file"));
    let mut select = Build::select();
    select
        .from(Alias::new(Collection::Files.table()))
        .inner_join(
            contents.clone(),
            Expr::col((contents.clone(), owner)).eq(rule.column("id")),
        )
        .column((contents, Alias::new("content")))
        .and_where(rule.column("id").eq(dialect.key(file)))
        .cond_where(sql.condition(&rule, grant.filter())?);
    let row = store.fetch_optional(dialect.build(&select)).await?;
    row.map(|row| row.bytes(0)).transpose()
}
