//! The built-in fields of a user (contract/users.md §1), in the order of the wire.

use crate::field::OnDeselect;
use crate::{Collection, Field, FieldType, Value};

pub(super) fn fields() -> Vec<Field> {
    use FieldType::{Boolean, Hash, Json, String, Text, Timestamp, Uuid};
    let field = Field::new;
    let short = |name, limit| Field {
        max_length: Some(limit),
        ..field(name, String)
    };
    let secret = |name, kind| Field {
        is_concealed: true,
        is_searchable: false,
        ..field(name, kind)
    };
    let given = |name, limit, default: &str| Field {
        is_nullable: false,
        default: Value::from(default),
        ..short(name, limit)
    };
    let unique = |field: Field| Field {
        is_unique: true,
        ..field
    };
    vec![
        Field {
            is_nullable: false,
            ..field("id", Uuid)
        },
        short("first_name", 50),
        short("last_name", 50),
        unique(short("email", 128)),
        secret("password", Hash),
        short("location", 255),
        short("title", 50),
        field("description", Text),
        field("tags", Json),
        Field::one("avatar", Collection::Files),
        short("language", 255),
        secret("tfa_secret", String),
        given("status", 16, "active"),
        Field::one("role", Collection::Roles),
        Field {
            max_length: Some(255),
            ..unique(secret("token", String))
        },
        field("last_access", Timestamp),
        short("last_page", 255),
        given("provider", 128, "default"),
        unique(short("external_identifier", 255)),
        field("auth_data", Json),
        Field {
            default: Value::Boolean(true),
            ..field("email_notifications", Boolean)
        },
        short("appearance", 255),
        short("theme_dark", 255),
        short("theme_light", 255),
        field("theme_light_overrides", Json),
        field("theme_dark_overrides", Json),
        given("text_direction", 255, "auto"),
        Field::many(
            "policies",
            Collection::Access,
            "user",
            Some("sort"),
            OnDeselect::Delete,
        ),
    ]
}
