//! What a custom field may be.

use roster_domain::schema::Definition;
use roster_domain::value::Decimal;
use roster_domain::{Collection, FieldType, Grant, Model, Result, Value};
use roster_storage::{Tx, fields};
use serde_json::{Map, Value as Json};

use super::super::{META, known};
use super::payload;
use crate::Inner;
use crate::context::Context;

/// Longer names make names of indexes that a database cuts.
const LONGEST: usize = 48;
/// What columns beside those of fields are called, and what bodies carry beside fields.
const TAKEN: [&str; 2] = ["email_key", "current_password"];
const DIVIDERS: [&str; 3] = ["preferences_divider", "theming_divider", "admin_divider"];

pub(super) fn only_users(cx: &Context, collection: &str) -> Result<()> {
    if known(cx, collection)? == Collection::Users {
        return Ok(());
    }
    Err(payload(format!(
        "fields can be added to \"{}\" only",
        Collection::Users.as_str()
    )))
}

pub(super) fn is_built_in(model: &Model, name: &str) -> bool {
    model.users().field(name).is_some() || DIVIDERS.contains(&name)
}

/// Of a built-in field only the index may be changed, and those it has are the ones it needs.
pub(super) fn built_in(
    inner: &Inner,
    cx: &Context,
    name: &str,
    body: &Map<String, Json>,
) -> Result<Json> {
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
    super::super::one(inner, cx, Collection::Users.as_str(), name)
}

pub(super) fn object(body: &Json) -> Result<&Map<String, Json>> {
    body.as_object()
        .ok_or_else(|| payload("\"value\" must be of type object"))
}

pub(super) fn kind(json: &Json) -> Result<FieldType> {
    let known = json.as_str().and_then(FieldType::parse_word);
    known.ok_or_else(|| {
        let words = FieldType::CUSTOM.map(FieldType::as_str).join(", ");
        payload(format!("\"type\" must be one of [{words}]"))
    })
}

/// Names are columns, keys of filters and names in paths: letters, digits and underscores.
pub(super) fn check_name(model: &Model, name: &str) -> Result<()> {
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
pub(super) fn column(
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

pub(super) fn meta_of(mut before: Map<String, Json>, json: &Json) -> Result<Map<String, Json>> {
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
pub(super) fn place(model: &Model, meta: &mut Map<String, Json>) {
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

pub(super) fn changed(before: &Definition, body: &Map<String, Json>) -> Result<Definition> {
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
pub(super) fn check(model: &Model, definition: &Definition) -> Result<()> {
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

pub(super) async fn refuse_nulls(
    tx: &mut Tx,
    grant: &Grant,
    definition: &Definition,
) -> Result<()> {
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

/// The index that follows keeps values unique; that they are is known before anybody is told.
pub(super) async fn refuse_duplicates(
    tx: &mut Tx,
    grant: &Grant,
    definition: &Definition,
) -> Result<()> {
    if !fields::has_duplicates(tx, grant, &definition.field()).await? {
        return Ok(());
    }
    let (name, users) = (&definition.field, Collection::Users.as_str());
    Err(roster_domain::error::field::not_unique(users, name, None).into())
}
