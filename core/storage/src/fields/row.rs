//! What is kept of custom fields and relations.

use roster_domain::schema::{Definition, OnDelete, Relation};
use roster_domain::{Collection, Error, Field, FieldType, Model, Result};
use sea_query::{Alias, Expr, ExprTrait, Value as Bound};
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

pub(super) async fn write_row(tx: &mut Tx, definition: &Definition, is_there: bool) -> Result<()> {
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
