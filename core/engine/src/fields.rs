//! `/fields`, `/relations`, `/collections`: what records have, and how they lead to one another
//! (contract/fields.md).

mod built_in;
mod collections;
mod custom;
mod relations;
mod said;

pub(crate) use collections::{collection, collections};
pub(crate) use custom::{create, delete, update, update_many};
pub(crate) use relations::{
    create as create_relation, delete as delete_relation, list as relations, one as relation,
    update as update_relation,
};
pub(crate) use said::Said;

use std::sync::Arc;

use roster_domain::schema::Definition;
use roster_domain::{
    Action, Collection, Error, Field, FieldType, Grant, Model, Principal, Result, Schema,
};
use serde_json::{Map, Value as Json, json};

use crate::context::Context;
use crate::{Inner, access};

/// Collections without a table, whose fields are said as text.
const LISTED: [Collection; 9] = [
    Collection::Users,
    Collection::Roles,
    Collection::Policies,
    Collection::Access,
    Collection::Permissions,
    Collection::Settings,
    Collection::Activity,
    Collection::Revisions,
    Collection::Files,
];

/// Only administrators change what records have.
pub(super) fn administer(cx: &Context, action: Action, collection: Collection) -> Result<Grant> {
    let may = match cx.principal {
        Principal::System(_) => true,
        Principal::User { .. } => cx.rights.admin_access,
        Principal::Public => false,
    };
    if !may {
        return Err(Error::forbidden());
    }
    access::grant(cx, action, collection)
}

/// Every field that the caller may know of.
pub(crate) fn list(inner: &Inner, cx: &Context) -> Result<Vec<Json>> {
    readable(cx, Collection::Fields)?;
    let mut fields = Vec::new();
    for collection in LISTED {
        if let Ok(grant) = access::grant(cx, Action::Read, collection) {
            fields.extend(of_collection(inner, &cx.model, &grant, collection));
        }
    }
    Ok(fields)
}

/// The fields of one collection.
pub(crate) fn of(inner: &Inner, cx: &Context, collection: &str) -> Result<Vec<Json>> {
    readable(cx, Collection::Fields)?;
    let known = known(cx, collection)?;
    let grant = access::grant(cx, Action::Read, known)?;
    Ok(of_collection(inner, &cx.model, &grant, known))
}

/// One field.
pub(crate) fn one(inner: &Inner, cx: &Context, collection: &str, field: &str) -> Result<Json> {
    readable(cx, Collection::Fields)?;
    let known = known(cx, collection)?;
    let grant = access::grant(cx, Action::Read, known)?;
    let found = of_collection(inner, &cx.model, &grant, known)
        .into_iter()
        .find(|json| json["field"] == field);
    found.ok_or_else(|| Error::forbidden_fields(known.as_str(), &[field.to_owned()]))
}

fn readable(cx: &Context, collection: Collection) -> Result<()> {
    access::grant(cx, Action::Read, collection).map(drop).map_err(|_| {
        let name = collection.as_str();
        roster_domain::Problem::new(roster_domain::Code::Forbidden)
            .saying(format!(
                "You don't have permission to perform \"read\" for collection \"{name}\" or it does not exist."
            ))
            .into()
    })
}

pub(super) fn known(cx: &Context, collection: &str) -> Result<Collection> {
    let known = Collection::parse(collection).filter(|known| LISTED.contains(known));
    let known = known.filter(|known| cx.model.schema(*known).is_some());
    known.ok_or_else(|| Error::forbidden_collection(collection))
}

fn of_collection(inner: &Inner, model: &Model, grant: &Grant, collection: Collection) -> Vec<Json> {
    let Some(schema) = model.schema(collection) else {
        return Vec::new();
    };
    let (mut columns, mut lists) = (Vec::new(), Vec::new());
    for field in schema
        .fields()
        .iter()
        .filter(|field| grant.allows(&field.name))
    {
        if field.is_custom && collection == Collection::Users {
            continue;
        }
        let json = built_in::field(inner.store.kind(), schema, field);
        if field.is_stored() {
            columns.push(json);
        } else {
            lists.push(json);
        }
    }
    if collection == Collection::Users {
        let visible = |definition: &&Definition| grant.allows(&definition.field);
        for definition in model.definitions().iter().filter(visible) {
            let json = custom_field(inner.store.kind(), model, definition);
            if definition.kind == FieldType::Alias {
                lists.insert(0, json);
            } else {
                columns.push(json);
            }
        }
        for divider in built_in::dividers() {
            if grant.allows(divider["field"].as_str().unwrap_or_default()) {
                lists.push(divider);
            }
        }
    }
    columns.append(&mut lists);
    columns
}

/// A custom field on the wire.
pub(super) fn custom_field(kind: &str, model: &Model, definition: &Definition) -> Json {
    let schema = model.users();
    let field = schema.field(&definition.field).cloned();
    let field = field.unwrap_or_else(|| definition.field());
    let meta = definition.meta.as_ref().map(|meta| {
        let mut shown = Map::new();
        shown.insert("id".to_owned(), definition.id.into());
        shown.insert("collection".to_owned(), Collection::Users.as_str().into());
        shown.insert("field".to_owned(), definition.field.clone().into());
        for name in META {
            shown.insert(name.to_owned(), meta.get(name).cloned().unwrap_or_default());
        }
        Json::Object(shown)
    });
    let mut column = column(kind, schema, &field);
    if let Some(column) = column.as_object_mut() {
        let indexed = definition.schema.get("is_indexed").and_then(Json::as_bool);
        column.insert("is_indexed".to_owned(), indexed.unwrap_or_default().into());
        let default = definition.schema.get("default_value").cloned();
        column.insert("default_value".to_owned(), default.unwrap_or_default());
    }
    json!({
        "collection": Collection::Users.as_str(),
        "field": definition.field,
        "type": definition.kind.as_str(),
        "schema": column,
        "meta": meta,
    })
}

/// The keys of `meta`, in the order of the wire.
pub(super) const META: [&str; 18] = [
    "special",
    "interface",
    "options",
    "display",
    "display_options",
    "readonly",
    "hidden",
    "sort",
    "width",
    "translations",
    "note",
    "conditions",
    "required",
    "group",
    "validation",
    "validation_message",
    "searchable",
    "system",
];

/// What the wire calls `schema`: the column of a field; null for one without.
pub(super) fn column(kind: &str, schema: &Arc<Schema>, field: &Field) -> Json {
    if !field.is_stored() {
        return Json::Null;
    }
    let is_decimal = field.kind == FieldType::Decimal;
    let related = field.leads_to();
    json!({
        "name": field.name,
        "table": schema.collection().as_str(),
        "data_type": data_type(kind, field),
        "default_value": field.default.to_json(),
        "max_length": field.max_length,
        "numeric_precision": is_decimal.then_some(field.decimal.0),
        "numeric_scale": is_decimal.then_some(field.decimal.1),
        "is_generated": false,
        "generation_expression": null,
        "is_nullable": field.is_nullable,
        "is_unique": field.is_unique || field.name == "id",
        "is_indexed": false,
        "is_primary_key": field.name == "id",
        "has_auto_increment": field.name == "id" && schema.counts_keys(),
        "foreign_key_column": related.map(|_| "id"),
        "foreign_key_table": related.map(Collection::as_str),
    })
}

fn data_type(kind: &str, field: &Field) -> &'static str {
    let is_sqlite = kind == "sqlite";
    match field.kind {
        FieldType::Integer
        | FieldType::Serial
        | FieldType::BigInteger
        | FieldType::Decimal
        | FieldType::Boolean
            if is_sqlite =>
        {
            "integer"
        }
        FieldType::Float if is_sqlite => "real",
        _ if is_sqlite => "text",
        FieldType::Integer => "integer",
        FieldType::Serial | FieldType::BigInteger => "bigint",
        FieldType::Float => "double precision",
        FieldType::Decimal => "numeric",
        FieldType::Boolean => "boolean",
        FieldType::Date => "date",
        FieldType::Time => "time without time zone",
        FieldType::DateTime => "timestamp without time zone",
        FieldType::Timestamp => "timestamp with time zone",
        FieldType::Json | FieldType::Alias => "jsonb",
        FieldType::Uuid => "uuid",
        FieldType::String | FieldType::Text | FieldType::Csv | FieldType::Hash => "text",
    }
}
