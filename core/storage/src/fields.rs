//! Custom fields and relations of users: what they are, and the columns behind them.
//!
//! A column is plain and nullable; whatever else a field demands is checked before anything is
//! written. Changes of columns go together with the change of what is said about them, but for
//! indexes on PostgreSQL, which are built while others read and write.

use roster_domain::schema::{Definition, OnDelete, Relation};
use roster_domain::{Action, Collection, Error, Field, FieldType, Grant, Model, Result, Value};
use sea_query::{Alias, Expr, ExprTrait, Value as Bound, Values};
use serde_json::{Map, Value as Json};

use crate::dialect::Dialect;
use crate::statement::Statement;
use crate::store::{Store, Tx};

/// The keys of `meta` that are columns, but for `special`.
const TEXTS: [&str; 6] = [
    "interface",
    "display",
    "width",
    "note",
    "group",
    "validation_message",
];
const JSONS: [&str; 5] = [
    "options",
    "display_options",
    "translations",
    "conditions",
    "validation",
];
const SWITCHES: [&str; 4] = ["readonly", "hidden", "required", "searchable"];

/// The fields and relations that were added, with the epoch they belong to.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn model(store: &Store, statuses: &[String]) -> Result<Model> {
    // Both tables are written together with the epoch: what was read between two equal ones fits.
    let mut epoch = epoch_of(store).await?;
    loop {
        let definitions = definitions(store).await?;
        let relations = relations(store).await?;
        let now = epoch_of(store).await?;
        if now == epoch {
            let epoch = epoch.unsigned_abs();
            return Ok(Model::new(epoch, definitions, relations, statuses));
        }
        epoch = now;
    }
}

async fn epoch_of(store: &Store) -> Result<i64> {
    let sql = r#"SELECT "schema_epoch" FROM "counters" WHERE "id" = 1"#;
    let row = store
        .fetch_optional(Statement::new(sql, Vec::new()))
        .await?;
    row.map_or(Ok(1), |row| row.count(0))
}

/// Keeps others from changing fields until the transaction ends; gives the epoch.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn lock(tx: &mut Tx) -> Result<u64> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => r#"SELECT "schema_epoch" FROM "counters" WHERE "id" = 1"#,
        Dialect::Postgres => r#"SELECT "schema_epoch" FROM "counters" WHERE "id" = 1 FOR UPDATE"#,
    };
    let rows = tx.fetch(Statement::new(sql, Vec::new())).await?;
    let epoch = rows.first().map_or(Ok(1), |row| row.count(0))?;
    Ok(epoch.unsigned_abs())
}

async fn definitions(store: &Store) -> Result<Vec<Definition>> {
    let statement = Statement::new(
        r#"SELECT "id", "field", "type", "schema", "special", "sort", "interface", "display",
        "width", "note", "group", "validation_message", "options", "display_options",
        "translations", "conditions", "validation", "readonly", "hidden", "required", "searchable",
        "roster_has_meta"
        FROM "fields" WHERE "collection" = 'directus_users' ORDER BY "id""#,
        Vec::new(),
    );
    let mut definitions = Vec::new();
    for row in store.fetch(statement).await? {
        let word = row.word(2)?;
        let kind = FieldType::parse_word(&word)
            .ok_or_else(|| Error::internal(format!("a field of type `{word}`")))?;
        let Json::Object(schema) = row.json(3)?.unwrap_or_default() else {
            return Err(Error::internal("the schema of a field is no object"));
        };
        let mut meta = Map::new();
        let special = row.text(4)?;
        let special = special.map(|words| words.split(',').map(Json::from).collect::<Vec<_>>());
        meta.insert("special".to_owned(), special.map_or(Json::Null, Json::from));
        let sort = row.value(5, &Field::new("", FieldType::Integer))?;
        meta.insert("sort".to_owned(), sort.to_json());
        let mut next = 6;
        for name in TEXTS {
            meta.insert(name.to_owned(), row.text(next)?.into());
            next += 1;
        }
        for name in JSONS {
            meta.insert(name.to_owned(), row.json(next)?.unwrap_or_default());
            next += 1;
        }
        for name in SWITCHES {
            meta.insert(
                name.to_owned(),
                row.boolean(next)?.unwrap_or_default().into(),
            );
            next += 1;
        }
        let has_meta = row.boolean(next)?.unwrap_or(true);
        definitions.push(Definition {
            id: row.count(0)?,
            field: row.word(1)?,
            kind,
            schema,
            meta: has_meta.then_some(meta),
        });
    }
    Ok(definitions)
}

async fn relations(store: &Store) -> Result<Vec<Relation>> {
    let statement = Statement::new(
        r#"SELECT "id", "field", "related", "on_delete", "one_field", "sort_field", "deletes"
        FROM "relations" ORDER BY "id""#,
        Vec::new(),
    );
    let mut relations = Vec::new();
    for row in store.fetch(statement).await? {
        let (related, on_delete) = (row.word(2)?, row.word(3)?);
        let unknown = |word: &str| Error::internal(format!("a relation with `{word}`"));
        relations.push(Relation {
            id: row.count(0)?,
            field: row.word(1)?,
            to: Collection::parse(&related).ok_or_else(|| unknown(&related))?,
            on_delete: OnDelete::parse(&on_delete).ok_or_else(|| unknown(&on_delete))?,
            one_field: row.text(4)?,
            sort_field: row.text(5)?,
            deletes: row.boolean(6)?.unwrap_or_default(),
        });
    }
    Ok(relations)
}

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
pub async fn index(store: &Store, grant: &Grant, definition: &Definition) -> Result<()> {
    grant.permits(grant.action(), Collection::Fields)?;
    let field = definition.field();
    let is_indexed = definition.schema.get("is_indexed").and_then(Json::as_bool);
    let wanted = wanted_index(&field, is_indexed.unwrap_or_default());
    let online = match store.dialect() {
        Dialect::Sqlite => "",
        Dialect::Postgres => "CONCURRENTLY ",
    };
    for (name, is_unique) in [
        (unique_index(&field.name), true),
        (plain_index(&field.name), false),
    ] {
        let index = quoted(&name);
        if wanted.as_ref() != Some(&(name, is_unique)) {
            store
                .run(format!("DROP INDEX {online}IF EXISTS {index}"))
                .await?
                .ok();
            continue;
        }
        let kind = if is_unique { "UNIQUE INDEX" } else { "INDEX" };
        let column = quoted(&field.name);
        let sql = format!("CREATE {kind} {online}IF NOT EXISTS {index} ON \"users\" ({column})");
        if store.run(sql).await?.is_err() {
            store
                .run(format!("DROP INDEX {online}IF EXISTS {index}"))
                .await?
                .ok();
            let name = Collection::Users.as_str();
            return Err(roster_domain::error::field::not_unique(name, &field.name, None).into());
        }
    }
    Ok(())
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

async fn write_row(tx: &mut Tx, definition: &Definition, is_there: bool) -> Result<()> {
    let dialect = tx.dialect();
    let none = Map::new();
    let meta = definition.meta.as_ref().unwrap_or(&none);
    let text = |name: &str| {
        let text = meta.get(name).and_then(Json::as_str);
        Bound::String(text.map(ToOwned::to_owned))
    };
    let json = |name: &str| dialect.json(meta.get(name).filter(|json| **json != Json::Null));
    let switch = |name: &str, default: bool| {
        Bound::Bool(Some(
            meta.get(name).and_then(Json::as_bool).unwrap_or(default),
        ))
    };
    let specials = definition.specials();
    let special = (!specials.is_empty()).then(|| specials.join(","));
    let sort = meta.get("sort").and_then(Json::as_i64);
    let sort = sort.and_then(|sort| i32::try_from(sort).ok());
    let mut columns: Vec<(&str, Bound)> = vec![
        ("type", definition.kind.as_str().into()),
        (
            "schema",
            dialect.json(Some(&Json::Object(definition.schema.clone()))),
        ),
        ("special", Bound::String(special)),
        ("sort", Bound::Int(sort)),
        ("roster_has_meta", definition.meta.is_some().into()),
    ];
    columns.extend(TEXTS.map(|name| (name, text(name))));
    columns.extend(JSONS.map(|name| (name, json(name))));
    columns.extend(SWITCHES.map(|name| (name, switch(name, name == "searchable"))));
    let name = definition.field.as_str();
    let statement = if is_there {
        let mut update = sea_query::Query::update();
        update
            .table("fields")
            .values(
                columns
                    .into_iter()
                    .map(|(name, value)| (Alias::new(name), Expr::val(value))),
            )
            .and_where(Expr::cust("\"collection\" = 'directus_users'"))
            .and_where(Expr::col("field").eq(name));
        dialect.build(&update)
    } else {
        let mut insert = sea_query::Query::insert();
        columns.push(("collection", Collection::Users.as_str().into()));
        columns.push(("field", name.into()));
        insert
            .into_table("fields")
            .columns(columns.iter().map(|(name, _)| Alias::new(*name)))
            .values_panic(columns.into_iter().map(|(_, value)| Expr::val(value)));
        dialect.build(&insert)
    };
    tx.execute(statement).await.map(drop)
}

/// Puts the default into the records that are there.
async fn fill(tx: &mut Tx, field: &Field) -> Result<()> {
    if field.default == Value::Null || field.is_concealed {
        return Ok(());
    }
    let dialect = tx.dialect();
    let mut update = sea_query::Query::update();
    let name = Alias::new(&field.name);
    update
        .table("users")
        .value(name, dialect.bind(field.kind, &field.default));
    tx.execute(dialect.build(&update)).await.map(drop)
}

/// Another type is another column: added, filled, and put in the place of the old one.
async fn convert(tx: &mut Tx, old: &Field, new: &Field) -> Result<()> {
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
        let rows = tx.fetch(dialect.build(&select)).await?;
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
            tx.execute(dialect.build(&update)).await?;
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
