//! The fields of roles, policies, access and permissions (contract/access-control.md §1.1).

use crate::field::OnDeselect;
use crate::{Collection, Field, FieldType, Value};

fn id() -> Field {
    Field {
        is_nullable: false,
        ..Field::new("id", FieldType::Uuid)
    }
}

fn needed(field: Field) -> Field {
    Field {
        is_nullable: false,
        ..field
    }
}

fn short(name: &str, limit: usize) -> Field {
    Field {
        max_length: Some(limit),
        ..Field::new(name, FieldType::String)
    }
}

fn icon(default: &str) -> Field {
    Field {
        default: Value::from(default),
        ..needed(short("icon", 64))
    }
}

fn switch(name: &str) -> Field {
    Field {
        default: Value::Boolean(false),
        ..needed(Field::new(name, FieldType::Boolean))
    }
}

pub(super) fn roles() -> Vec<Field> {
    use Collection::{Access, Roles, Users};
    vec![
        id(),
        needed(short("name", 100)),
        icon("supervised_user_circle"),
        Field::new("description", FieldType::Text),
        Field::one("parent", Roles),
        Field::many("children", Roles, "parent", None, OnDeselect::Nullify),
        Field::many("policies", Access, "role", Some("sort"), OnDeselect::Delete),
        Field::many("users", Users, "role", None, OnDeselect::Nullify),
    ]
}

pub(super) fn policies() -> Vec<Field> {
    use Collection::{Access, Permissions};
    vec![
        id(),
        needed(short("name", 100)),
        icon("badge"),
        Field::new("description", FieldType::Text),
        Field::new("ip_access", FieldType::Csv),
        switch("enforce_tfa"),
        switch("admin_access"),
        switch("app_access"),
        Field::many(
            "permissions",
            Permissions,
            "policy",
            None,
            OnDeselect::Delete,
        ),
        Field::many("users", Access, "policy", Some("sort"), OnDeselect::Delete),
        Field::many("roles", Access, "policy", Some("sort"), OnDeselect::Delete),
    ]
}

pub(super) fn access() -> Vec<Field> {
    use Collection::{Policies, Roles, Users};
    vec![
        id(),
        Field::one("role", Roles),
        Field::one("user", Users),
        needed(Field::one("policy", Policies)),
        Field::new("sort", FieldType::Integer),
    ]
}

pub(super) fn permissions() -> Vec<Field> {
    let rule = |name| Field::new(name, FieldType::Json);
    vec![
        needed(Field::new("id", FieldType::Serial)),
        needed(short("collection", 64)),
        needed(short("action", 10)),
        rule("permissions"),
        rule("validation"),
        rule("presets"),
        Field::new("fields", FieldType::Csv),
        needed(Field::one("policy", Collection::Policies)),
    ]
}
