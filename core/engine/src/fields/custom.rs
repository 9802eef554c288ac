//! Adding, changing and removing custom fields of users. Every node follows with its next request.

use roster_domain::schema::Definition;
use roster_domain::value::Decimal;
use roster_domain::{Action, Collection, Error, FieldType, Grant, Model, Result, Value};
use roster_storage::{Tx, fields};
use serde_json::{Map, Value as Json, json};

use super::{META, administer, custom_field, known};
use crate::Inner;
use crate::context::Context;
use crate::write::{Change, record};

/// Longer names make names of indexes that a database cuts.
const LONGEST: usize = 48;
/// How often a change that met another one is tried.
const ATTEMPTS: usize = 4;
/// What columns beside those of fields are called, and what bodies carry beside fields.
const TAKEN: [&str; 2] = ["email_key", "current_password"];
const DIVIDERS: [&str; 3] = ["preferences_divider", "theming_divider", "admin_divider"];

fn payload(reason: impl std::fmt::Display) -> Error {
    Error::invalid_payload(reason)
}

/// Adds a field.
pub(crate) async fn create(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    body: &Json,
) -> Result<Json> {
    let grant = administer(cx, Action::Create, Collection::Fields)?;
    only_users(cx, collection)?;
    let body = object(body)?;
    let allowed = ["field", "type", "schema", "meta", "collection"];
    if let Some(stranger) = body.keys().find(|key| !allowed.contains(&key.as_str())) {
        return Err(payload(format!("\"{stranger}\" is not allowed")));
    }
    let name = match body.get("field") {
        Some(Json::String(name)) => name.clone(),
        Some(_) => return Err(payload("\"field\" must be a string")),
        None => return Err(payload("\"field\" is required")),
    };
    let kind = match body.get("type") {
        None | Some(Json::Null) => FieldType::Alias,
        Some(json) => kind(json)?,
    };
    let wanted = Definition {
        id: 0,
        field: name.clone(),
        kind,
        schema: column(kind, Map::new(), body.get("schema"))?,
        meta: match body.get("meta") {
            None | Some(Json::Null) => None,
            Some(meta) => Some(meta_of(Map::new(), meta)?),
        },
    };
    let made = repeat(inner, |model| {
        let (grant, wanted) = (grant.clone(), wanted.clone());
        async move {
            check_name(&model, &wanted.field)?;
            check(&model, &wanted)?;
            let mut wanted = wanted;
            if let Some(meta) = &mut wanted.meta {
                place(&model, meta);
            }
            let Some(mut tx) = begin(inner, &model).await? else {
                return Ok(None);
            };
            fields::insert(&mut tx, &grant, &wanted).await?;
            let field = wanted.field();
            if !field.is_nullable && field.is_stored() {
                let update = administer(cx, Action::Update, Collection::Fields)?;
                refuse_nulls(&mut tx, &update, &wanted).await?;
            }
            log(&mut tx, cx, "create", &wanted).await?;
            tx.commit().await?;
            Ok(Some(wanted))
        }
    });
    let made = made.await?;
    if let Err(error) = fields::index(&inner.store, &grant, &made).await {
        // A field that was asked to be unique is not there unless it is.
        let remove = administer(cx, Action::Delete, Collection::Fields)?;
        let mut tx = inner.store.begin().await?;
        fields::delete(&mut tx, &remove, &made).await?;
        tx.commit().await?;
        return Err(error);
    }
    shown(inner, &name).await
}

/// Changes a field.
pub(crate) async fn update(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    name: &str,
    body: &Json,
) -> Result<Json> {
    let grant = administer(cx, Action::Update, Collection::Fields)?;
    only_users(cx, collection)?;
    let body = object(body)?.clone();
    if is_built_in(&Model::built_in(), name) {
        return built_in(inner, cx, name, &body);
    }
    let (before, after) = repeat(inner, |model| {
        let (grant, body) = (grant.clone(), body.clone());
        async move {
            let found = model.definitions().iter().find(|known| known.field == name);
            let users = Collection::Users.as_str();
            let before = found
                .cloned()
                .ok_or_else(|| Error::forbidden_fields(users, &[name.to_owned()]))?;
            let after = changed(&before, &body)?;
            check(&model, &after)?;
            let Some(mut tx) = begin(inner, &model).await? else {
                return Ok(None);
            };
            fields::update(&mut tx, &grant, &before, &after).await?;
            let field = after.field();
            if !field.is_nullable && before.field().is_nullable && field.is_stored() {
                refuse_nulls(&mut tx, &grant, &after).await?;
            }
            log(&mut tx, cx, "update", &after).await?;
            tx.commit().await?;
            Ok(Some((before, after)))
        }
    })
    .await?;
    if let Err(error) = fields::index(&inner.store, &grant, &after).await {
        // As it was before: the values that are there are not unique.
        let mut tx = inner.store.begin().await?;
        fields::update(&mut tx, &grant, &after, &before).await?;
        tx.commit().await?;
        return Err(error);
    }
    shown(inner, name).await
}

/// Changes several fields, one after another.
pub(crate) async fn update_many(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    body: &Json,
) -> Result<Vec<Json>> {
    administer(cx, Action::Update, Collection::Fields)?;
    let Json::Array(items) = body else {
        return Err(payload("Submitted body has to be an array"));
    };
    let mut named = Vec::with_capacity(items.len());
    for item in items {
        let name = item.get("field").and_then(Json::as_str);
        named.push((name.ok_or_else(|| payload("\"field\" is required"))?, item));
    }
    let mut changed = Vec::with_capacity(named.len());
    for (name, item) in named {
        changed.push(update(inner, cx, collection, name, item).await?);
    }
    Ok(changed)
}

/// Removes a field, its values and what permissions say of it.
pub(crate) async fn delete(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    name: &str,
) -> Result<()> {
    let grant = administer(cx, Action::Delete, Collection::Fields)?;
    only_users(cx, collection)?;
    if is_built_in(&Model::built_in(), name) {
        return Err(Error::forbidden());
    }
    repeat(inner, |model| {
        let grant = grant.clone();
        async move {
            let found = model.definitions().iter().find(|known| known.field == name);
            let Some(definition) = found.cloned() else {
                return Ok(Some(()));
            };
            let Some(mut tx) = begin(inner, &model).await? else {
                return Ok(None);
            };
            fields::delete(&mut tx, &grant, &definition).await?;
            log(&mut tx, cx, "delete", &definition).await?;
            tx.commit().await?;
            Ok(Some(()))
        }
    })
    .await
}

/// Runs a change on the newest fields, again where another change came in between.
pub(super) async fn repeat<T, F>(
    inner: &Inner,
    change: impl Fn(std::sync::Arc<Model>) -> F,
) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    for _ in 0..ATTEMPTS {
        let model = inner.model().await?;
        match change(model).await {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => {}
            Err(error) if error.code() == &roster_domain::Code::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Err(roster_domain::Code::Conflict.into())
}

/// A transaction in which the fields are as in the model, and stay so; nothing where they are not.
pub(super) async fn begin(inner: &Inner, model: &Model) -> Result<Option<Tx>> {
    let mut tx = inner.store.begin().await?;
    let is_current = fields::lock(&mut tx).await? == model.epoch();
    Ok(is_current.then_some(tx))
}

async fn shown(inner: &Inner, name: &str) -> Result<Json> {
    let model = inner.model().await?;
    let found = model.definitions().iter().find(|known| known.field == name);
    let definition = found.ok_or_else(Error::forbidden)?;
    Ok(custom_field(inner.store.kind(), &model, definition))
}

async fn log(
    tx: &mut Tx,
    cx: &Context,
    action: &'static str,
    definition: &Definition,
) -> Result<()> {
    let said = json!({
        "collection": Collection::Users.as_str(),
        "field": definition.field,
        "type": definition.kind.as_str(),
        "schema": definition.schema,
        "meta": definition.meta,
    });
    let said = said.as_object().cloned().unwrap_or_default();
    let is_there = action != "delete";
    let change = Change {
        collection: Collection::Fields,
        action,
        item: format!("{}.{}", Collection::Users.as_str(), definition.field),
        actor: None,
        revision: is_there.then(|| (&said, said.clone())),
    };
    record(tx, cx, change).await
}

fn only_users(cx: &Context, collection: &str) -> Result<()> {
    if known(cx, collection)? == Collection::Users {
        return Ok(());
    }
    Err(payload(format!(
        "fields can be added to \"{}\" only",
        Collection::Users.as_str()
    )))
}

fn is_built_in(model: &Model, name: &str) -> bool {
    model.users().field(name).is_some() || DIVIDERS.contains(&name)
}

/// Of a built-in field only the index may be changed, and those it has are the ones it needs.
fn built_in(inner: &Inner, cx: &Context, name: &str, body: &Map<String, Json>) -> Result<Json> {
    let is_index = |(key, json): (&String, &Json)| {
        key == "schema"
            && json
                .as_object()
                .is_some_and(|map| map.keys().all(|key| key == "is_indexed"))
    };
    if body.is_empty() || !body.iter().all(is_index) {
        return Err(payload(
            "Only \"schema.is_indexed\" may be modified for system fields",
        ));
    }
    super::one(inner, cx, Collection::Users.as_str(), name)
}

fn object(body: &Json) -> Result<&Map<String, Json>> {
    body.as_object()
        .ok_or_else(|| payload("\"value\" must be of type object"))
}

fn kind(json: &Json) -> Result<FieldType> {
    let known = json.as_str().and_then(FieldType::parse_word);
    known.ok_or_else(|| {
        let words = FieldType::CUSTOM.map(FieldType::as_str).join(", ");
        payload(format!("\"type\" must be one of [{words}]"))
    })
}

/// Names are columns, keys of filters and names in paths: letters, digits and underscores.
fn check_name(model: &Model, name: &str) -> Result<()> {
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= LONGEST;
    if !is_word {
        return Err(payload(format!(
            "\"field\" must be a letter followed by letters, digits and underscores, {LONGEST} characters at most, got \"{name}\""
        )));
    }
    if name.to_ascii_lowercase().starts_with("roster_") {
        return Err(payload("names that start with \"roster_\" are reserved"));
    }
    // SQLite tells no case apart in names of columns.
    let same = |known: &str| known.eq_ignore_ascii_case(name);
    let is_taken = model.users().fields().iter().any(|field| same(&field.name))
        || model.definitions().iter().any(|known| same(&known.field))
        || TAKEN.into_iter().chain(DIVIDERS).any(same);
    if is_taken {
        let users = Collection::Users.as_str();
        return Err(payload(format!(
            "Field \"{name}\" already exists in collection \"{users}\""
        )));
    }
    Ok(())
}

/// What is said of the column, with what was said before.
fn column(
    kind: FieldType,
    mut before: Map<String, Json>,
    json: Option<&Json>,
) -> Result<Map<String, Json>> {
    let given = match json {
        None | Some(Json::Null) => Map::new(),
        Some(Json::Object(map)) => map.clone(),
        Some(_) => return Err(payload("\"schema\" must be of type object")),
    };
    for (name, json) in given {
        let fits = match name.as_str() {
            "default_value" => true,
            "max_length" => {
                json.is_null() || json.as_u64().is_some_and(|n| (1..=1_000_000).contains(&n))
            }
            "numeric_precision" => {
                json.is_null()
                    || json
                        .as_u64()
                        .is_some_and(|n| (1..=u64::from(Decimal::PRECISION)).contains(&n))
            }
            "numeric_scale" => {
                json.is_null()
                    || json
                        .as_u64()
                        .is_some_and(|n| n <= u64::from(Decimal::PRECISION))
            }
            "is_nullable" | "is_unique" | "is_indexed" => json.is_boolean() || json.is_null(),
            "is_primary_key" | "has_auto_increment" => json.as_bool() != Some(true),
            // What the wire shows and nobody sets.
            _ => continue,
        };
        if !fits {
            return Err(payload(format!("\"schema.{name}\" cannot be {json}")));
        }
        if name != "is_primary_key" && name != "has_auto_increment" {
            before.insert(name, json);
        }
    }
    if matches!(kind, FieldType::String) && before.get("max_length").is_none_or(Json::is_null) {
        before.insert("max_length".to_owned(), 255.into());
    }
    Ok(before)
}

fn meta_of(mut before: Map<String, Json>, json: &Json) -> Result<Map<String, Json>> {
    let Json::Object(given) = json else {
        return Err(payload("\"meta\" must be of type object"));
    };
    for (name, json) in given {
        if !META.contains(&name.as_str()) || name == "system" {
            continue;
        }
        let fits = json.is_null()
            || match name.as_str() {
                "special" => json.is_array() || json.is_string(),
                "readonly" | "hidden" | "required" | "searchable" => json.is_boolean(),
                "sort" => json.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
                "options" | "display_options" | "validation" => json.is_object(),
                "translations" | "conditions" => json.is_array() || json.is_object(),
                _ => json.as_str().is_some_and(|text| !text.contains('\0')),
            };
        if !fits {
            return Err(payload(format!("\"meta.{name}\" cannot be {json}")));
        }
        let json = match (name.as_str(), json) {
            ("special", Json::String(words)) => {
                words.split(',').map(str::trim).map(Json::from).collect()
            }
            (_, json) => json.clone(),
        };
        before.insert(name.clone(), json);
    }
    for (name, default) in [
        ("readonly", false),
        ("hidden", false),
        ("required", false),
        ("searchable", true),
    ] {
        if before.get(name).is_none_or(Json::is_null) {
            before.insert(name.to_owned(), default.into());
        }
    }
    if before.get("width").is_none_or(Json::is_null) {
        before.insert("width".to_owned(), "full".into());
    }
    Ok(before)
}

/// A new field comes last.
fn place(model: &Model, meta: &mut Map<String, Json>) {
    if meta.get("sort").is_some_and(|sort| !sort.is_null()) {
        return;
    }
    let sort = |known: &Definition| known.meta.as_ref()?.get("sort")?.as_i64();
    let last = model
        .definitions()
        .iter()
        .filter_map(sort)
        .max()
        .unwrap_or(0);
    meta.insert("sort".to_owned(), (last + 1).into());
}

fn changed(before: &Definition, body: &Map<String, Json>) -> Result<Definition> {
    let kind = match body.get("type") {
        None | Some(Json::Null) => before.kind,
        Some(json) => kind(json)?,
    };
    if (kind == FieldType::Alias) != (before.kind == FieldType::Alias) {
        return Err(payload("Alias type cannot be changed"));
    }
    if body
        .get("field")
        .and_then(Json::as_str)
        .is_some_and(|name| name != before.field)
    {
        return Err(payload("\"field\" cannot be changed"));
    }
    let mut schema = before.schema.clone();
    if kind != before.kind {
        // A default of the old type is none of the new one.
        let is_said = body
            .get("schema")
            .is_some_and(|schema| schema.get("default_value").is_some());
        if !is_said {
            schema.remove("default_value");
        }
    }
    let meta = match body.get("meta") {
        None => before.meta.clone(),
        Some(Json::Null) => None,
        Some(meta) => Some(meta_of(before.meta.clone().unwrap_or_default(), meta)?),
    };
    Ok(Definition {
        id: before.id,
        field: before.field.clone(),
        kind,
        schema: column(kind, schema, body.get("schema"))?,
        meta,
    })
}

/// What a definition says has to hold together.
fn check(model: &Model, definition: &Definition) -> Result<()> {
    let field = definition.field();
    let default = definition
        .schema
        .get("default_value")
        .unwrap_or(&Json::Null);
    let is_now = field
        .demands
        .as_ref()
        .is_some_and(|demands| demands.default_now);
    let is_moment = matches!(
        field.kind,
        FieldType::Date | FieldType::Time | FieldType::DateTime | FieldType::Timestamp
    );
    if is_now && is_moment {
        // Filled in when a record is made.
    } else if let Err((expected, got)) = field.parse(default) {
        return Err(payload(format!(
            "\"schema.default_value\": expected {expected}, got {got}"
        )));
    } else if let (Some(limit), Value::Text(text)) = (field.max_length, &field.default)
        && text.chars().count() > limit
    {
        return Err(payload(format!(
            "\"schema.default_value\" is longer than {limit} characters"
        )));
    }
    if field.is_concealed && field.default != Value::Null {
        return Err(payload("a concealed field cannot have a default"));
    }
    let is_comparable = !matches!(
        field.kind,
        FieldType::Json | FieldType::Hash | FieldType::Alias
    );
    if field.is_unique && !is_comparable {
        let kind = field.kind.as_str();
        return Err(payload(format!("a field of type {kind} cannot be unique")));
    }
    let (precision, scale) = (
        definition
            .schema
            .get("numeric_precision")
            .and_then(Json::as_u64)
            .unwrap_or(10),
        definition
            .schema
            .get("numeric_scale")
            .and_then(Json::as_u64)
            .unwrap_or(5),
    );
    if field.kind == FieldType::Decimal && scale > precision {
        return Err(payload(
            "\"schema.numeric_scale\" cannot be larger than \"schema.numeric_precision\"",
        ));
    }
    if let Some(rule) = field
        .demands
        .as_ref()
        .and_then(|demands| demands.validation.as_ref())
    {
        // The rule may name the field itself, which the model does not have yet.
        let mut definitions = model.definitions().to_vec();
        definitions.retain(|known| known.field != definition.field);
        definitions.push(definition.clone());
        let with = Model::new(model.epoch(), definitions, model.relations().to_vec(), &[]);
        let variables = roster_domain::variables::Variables::default();
        let uses = roster_domain::filter::Uses::Validation;
        crate::access::read_rule(&with, &variables, Collection::Users, rule, uses)
            .map_err(|error| payload(format!("\"meta.validation\": {error}")))?;
    }
    Ok(())
}

async fn refuse_nulls(tx: &mut Tx, grant: &Grant, definition: &Definition) -> Result<()> {
    if !fields::has_nulls(tx, grant, &definition.field()).await? {
        return Ok(());
    }
    let (name, users) = (&definition.field, Collection::Users.as_str());
    Err(
        roster_domain::Problem::new(roster_domain::Code::ContainsNullValues)
            .saying(format!(
                "Field \"{name}\" in collection \"{users}\" contains null values."
            ))
            .with("collection", users)
            .with("field", name.clone())
            .into(),
    )
}
