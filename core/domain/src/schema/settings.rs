//! The fields of the settings singleton (contract/schema.md §7), in the order of the wire.

use crate::{Field, FieldType, Value};

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
        field("project_logo", Uuid),
        field("public_foreground", Uuid),
        field("public_background", Uuid),
        field("public_favicon", Uuid),
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
        field("public_registration_role", Uuid),
        field("public_registration_email_filter", Json),
        field("project_id", Uuid),
    ]
}
