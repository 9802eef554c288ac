//! What the wire says of built-in fields (contract/fields.md §6).

use std::sync::Arc;

use roster_domain::field::Link;
use roster_domain::{Collection, Field, FieldType, Schema, Status};
use serde_json::{Value as Json, json};

use super::column;

/// How the app shows a field of users: its interface and its place.
const USERS: [(&str, Option<&str>, u32); 28] = [
    ("id", Some("input"), 26),
    ("first_name", Some("input"), 1),
    ("last_name", Some("input"), 2),
    ("email", Some("input"), 3),
    ("password", Some("input-hash"), 4),
    ("location", Some("input"), 6),
    ("title", Some("input"), 7),
    ("description", Some("input-multiline"), 8),
    ("tags", Some("tags"), 9),
    ("avatar", Some("file"), 5),
    ("language", Some("system-language"), 11),
    ("tfa_secret", Some("system-mfa-setup"), 13),
    ("status", Some("select-dropdown"), 22),
    ("role", Some("select-dropdown-m2o"), 23),
    ("token", Some("system-token"), 25),
    ("last_access", None, 28),
    ("last_page", None, 27),
    ("provider", Some("select-dropdown"), 29),
    ("external_identifier", Some("input"), 30),
    ("auth_data", None, 31),
    ("email_notifications", Some("boolean"), 14),
    ("appearance", Some("select-dropdown"), 16),
    ("theme_dark", Some("system-theme"), 19),
    ("theme_light", Some("system-theme"), 17),
    ("theme_light_overrides", Some("system-theme-overrides"), 18),
    ("theme_dark_overrides", Some("system-theme-overrides"), 20),
    ("text_direction", Some("select-dropdown"), 12),
    ("policies", Some("list-m2m"), 24),
];

/// A built-in field on the wire.
pub(super) fn field(kind: &str, schema: &Arc<Schema>, field: &Field) -> Json {
    let collection = schema.collection();
    let shown = USERS
        .iter()
        .find(|(name, _, _)| collection == Collection::Users && *name == field.name);
    json!({
        "collection": collection.as_str(),
        "field": field.name,
        "type": field.kind.as_str(),
        "schema": column(kind, schema, field),
        "meta": {
            "collection": collection.as_str(),
            "field": field.name,
            "special": special(collection, field),
            "interface": shown.and_then(|(_, interface, _)| *interface),
            "options": options(schema, field),
            "display": null,
            "display_options": null,
            "readonly": field.name == "last_access",
            "hidden": field.name == "auth_data",
            "sort": shown.map(|(_, _, sort)| *sort),
            "width": "full",
            "translations": null,
            "note": null,
            "conditions": null,
            "required": !field.is_nullable && field.default.is_null() && field.name != "id",
            "group": null,
            "searchable": true,
            "system": true,
        },
    })
}

fn special(collection: Collection, field: &Field) -> Json {
    let words: &[&str] = match (&field.link, field.kind) {
        (
            Some(Link::One {
                to: Collection::Files,
            }),
            _,
        ) => &["file"],
        (Some(Link::One { .. }), _) => &["m2o"],
        (Some(Link::Many { .. }), _) if collection == Collection::Users => &["m2m"],
        (Some(Link::Many { .. }), _) => &["o2m"],
        (_, FieldType::Hash) => &["hash", "conceal"],
        _ if field.is_concealed => &["conceal"],
        (_, FieldType::Json) if field.name != "auth_data" => &["cast-json"],
        (_, FieldType::Boolean) => &["cast-boolean"],
        (_, FieldType::Csv) => &["cast-csv"],
        (_, FieldType::Uuid) if field.name == "id" => &["uuid"],
        _ => return Json::Null,
    };
    json!(words)
}

fn options(schema: &Schema, field: &Field) -> Json {
    let choices = |values: Vec<&str>| {
        let choices = values
            .into_iter()
            .map(|value| json!({"text": value, "value": value}));
        json!({"choices": choices.collect::<Vec<_>>()})
    };
    match field.name.as_str() {
        "status" if schema.collection() == Collection::Users => {
            let added = schema.statuses().iter().map(String::as_str);
            choices(
                Status::ALL
                    .iter()
                    .map(|status| status.as_str())
                    .chain(added)
                    .collect(),
            )
        }
        "text_direction" => choices(vec!["auto", "ltr", "rtl"]),
        "appearance" => choices(vec!["auto", "light", "dark"]),
        _ => Json::Null,
    }
}

/// Headings of the app's form; no record has them.
pub(super) fn dividers() -> [Json; 3] {
    [
        ("preferences_divider", 10),
        ("theming_divider", 15),
        ("admin_divider", 21),
    ]
    .map(|(name, sort)| {
        json!({
            "collection": Collection::Users.as_str(),
            "field": name,
            "type": "alias",
            "schema": null,
            "meta": {
                "collection": Collection::Users.as_str(),
                "field": name,
                "special": ["alias", "no-data"],
                "interface": "presentation-divider",
                "options": null,
                "display": null,
                "display_options": null,
                "readonly": false,
                "hidden": false,
                "sort": sort,
                "width": "full",
                "translations": null,
                "note": null,
                "conditions": null,
                "required": false,
                "group": null,
                "searchable": true,
                "system": true,
            },
        })
    })
}
