//! The fields of the settings singleton (contract/schema.md §7), in the order of the wire.

use crate::{Collection, Field, FieldType, Value};

pub(super) fn fields() -> Vec<Field> {
    use FieldType::{Boolean, Integer, Json, String, Text, Uuid};
    let field = Field::new;
    let short = |name, limit| Field {
        max_length: Some(limit),
        ..field(name, String)
    };
    let given = |name, limit, default: &str| Field {
        is_nullable: false,
        default: Value::from(default),
        ..short(name, limit)
    };
    let switch = |name, default| Field {
        is_nullable: false,
        default: Value::Boolean(default),
        ..field(name, Boolean)
    };
    vec![
        Field {
            is_nullable: false,
            ..field("id", Integer)
        },
        given("project_name", 100, "Roster"),
        short("project_url", 255),
        given("project_color", 255, "#6644FF"),
        Field::one("project_logo", Collection::Files),
        Field::one("public_foreground", Collection::Files),
        Field::one("public_background", Collection::Files),
        Field::one("public_favicon", Collection::Files),
        field("public_note", Text),
        short("project_descriptor", 100),
        given("default_language", 255, "en-US"),
        given("default_appearance", 255, "auto"),
        short("default_theme_light", 255),
        field("theme_light_overrides", Json),
        short("default_theme_dark", 255),
        field("theme_dark_overrides", Json),
        field("custom_css", Text),
        Field {
            default: Value::Integer(25),
            ..field("auth_login_attempts", Integer)
        },
        short("auth_password_policy", 255),
        switch("public_registration", false),
        switch("public_registration_verify_email", true),
        Field::one("public_registration_role", Collection::Roles),
        field("public_registration_email_filter", Json),
        field("project_id", Uuid),
    ]
}
