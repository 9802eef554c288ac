//! The values of a column that is added or changed.

use roster_domain::{Error, Field, FieldType, Model, Result, Value};
use sea_query::{Alias, Expr, ExprTrait};
use serde_json::Value as Json;

use super::{ddl, lock, plain_index, quoted, unique_index};
use crate::statement::Statement;
use crate::store::Tx;

/// A statement that is prepared for these types alone: PostgreSQL refuses one that was prepared for
/// a column of the same name and another type, also where that change was rolled back.
fn apart(statement: Statement, epoch: u64, types: [FieldType; 2]) -> Statement {
    let (text, values) = statement.into_parts();
    let [old, new] = types.map(FieldType::as_str);
    let text = format!("{text} /* {epoch} {old} {new} */");
    Statement::dynamic(text, sea_query::Values(values))
}

/// Puts the default into the records that are there.
pub(super) async fn fill(tx: &mut Tx, field: &Field) -> Result<()> {
    if field.default == Value::Null || field.is_concealed {
        return Ok(());
    }
    let dialect = tx.dialect();
    let mut update = sea_query::Query::update();
    let name = Alias::new(&field.name);
    update
        .table("users")
        .value(name, dialect.bind(field.kind, &field.default));
    let epoch = lock(tx).await?;
    let statement = apart(dialect.build(&update), epoch, [field.kind; 2]);
    tx.execute(statement).await.map(drop)
}

/// Another type is another column: added, filled, and put in the place of the old one.
pub(super) async fn convert(tx: &mut Tx, old: &Field, new: &Field) -> Result<()> {
    let dialect = tx.dialect();
    let (column, made) = (quoted(&old.name), quoted("roster_converted"));
    ddl(
        tx,
        format!(
            "ALTER TABLE \"users\" ADD COLUMN {made} {}",
            dialect.definition(new)
        ),
    )
    .await?;
    let (epoch, types) = (lock(tx).await?, [old.kind, new.kind]);
    let mut last: Option<roster_domain::Key> = None;
    let users = Model::built_in();
    let id = users.users().field("id").cloned();
    let id = id.ok_or_else(|| Error::internal("users have no id"))?;
    loop {
        let mut select = sea_query::Query::select();
        select
            .from("users")
            .column("id")
            .expr(dialect.read(old.kind, Expr::col(Alias::new(&old.name))))
            .and_where(Expr::col(Alias::new(&old.name)).is_not_null())
            .order_by("id", sea_query::Order::Asc)
            .limit(1_000);
        if let Some(last) = last {
            select.and_where(Expr::col("id").gt(dialect.key(last)));
        }
        let rows = tx
            .fetch(apart(dialect.build(&select), epoch, types))
            .await?;
        let Some(end) = rows.last() else { break };
        last = roster_domain::Key::of(&end.value(0, &id)?);
        for row in &rows {
            let key = row.id(0)?;
            let plain = Field {
                is_concealed: false,
                ..old.clone()
            };
            let value = converted(&row.value(1, &plain)?, old, new)?;
            let mut update = sea_query::Query::update();
            update
                .table("users")
                .value(
                    Alias::new("roster_converted"),
                    dialect.bind(new.kind, &value),
                )
                .and_where(Expr::col("id").eq(dialect.uuid(key)));
            tx.execute(apart(dialect.build(&update), epoch, types))
                .await?;
        }
    }
    for index in [unique_index(&old.name), plain_index(&old.name)] {
        ddl(tx, format!("DROP INDEX IF EXISTS {}", quoted(&index))).await?;
    }
    ddl(tx, format!("ALTER TABLE \"users\" DROP COLUMN {column}")).await?;
    ddl(
        tx,
        format!("ALTER TABLE \"users\" RENAME COLUMN {made} TO {column}"),
    )
    .await
}

/// The value as the new type has it.
fn converted(value: &Value, old: &Field, new: &Field) -> Result<Value> {
    let json = value.to_json();
    let text = || match &json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let read = match new.kind {
        kind if kind.is_text() && !matches!(json, Json::Array(_)) => Json::from(text()),
        FieldType::Integer | FieldType::Float | FieldType::Boolean if json.is_string() => {
            serde_json::from_str(text().trim()).unwrap_or(Json::Null)
        }
        _ => json.clone(),
    };
    match new.parse(&read) {
        Ok(made) if made != Value::Null => Ok(made),
        _ => Err(Error::invalid_payload(format!(
            "field `{}`: a value of type {} that is there does not fit type {}",
            old.name,
            old.kind.as_str(),
            new.kind.as_str()
        ))),
    }
}
