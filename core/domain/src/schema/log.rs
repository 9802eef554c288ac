//! The fields of activity, revisions and files (contract/schema.md §11, §12, §14).

use crate::field::OnDeselect;
use crate::{Collection, Field, FieldType};

fn key(kind: FieldType) -> Field {
    Field {
        is_nullable: false,
        ..Field::new("id", kind)
    }
}

pub(super) fn activity() -> Vec<Field> {
    use FieldType::{Serial, String, Text, Timestamp};
    let text = |name| Field::new(name, String);
    vec![
        key(Serial),
        text("action"),
        Field::one("user", Collection::Users),
        Field::new("timestamp", Timestamp),
        text("ip"),
        Field::new("user_agent", Text),
        text("collection"),
        text("item"),
        text("origin"),
        text("source"),
        text("outcome"),
        Field::many(
            "revisions",
            Collection::Revisions,
            "activity",
            None,
            OnDeselect::Delete,
        ),
    ]
}

pub(super) fn revisions() -> Vec<Field> {
    use FieldType::{Json, Serial, String};
    let serial = |name, to| Field {
        kind: Serial,
        ..Field::one(name, to)
    };
    vec![
        key(Serial),
        serial("activity", Collection::Activity),
        Field::new("collection", String),
        Field::new("item", String),
        Field::new("data", Json),
        Field::new("delta", Json),
        serial("parent", Collection::Revisions),
        Field::new("version", FieldType::Uuid),
    ]
}

pub(super) fn files() -> Vec<Field> {
    use FieldType::{BigInteger, Integer, String, Text, Timestamp, Uuid};
    let text = |name, limit| Field {
        max_length: Some(limit),
        ..Field::new(name, String)
    };
    let present = |field: Field| Field {
        is_nullable: false,
        ..field
    };
    vec![
        key(Uuid),
        present(text("storage", 255)),
        text("filename_disk", 255),
        present(text("filename_download", 255)),
        text("title", 255),
        text("type", 255),
        Field::one("uploaded_by", Collection::Users),
        present(Field::new("created_on", Timestamp)),
        Field::one("modified_by", Collection::Users),
        present(Field::new("modified_on", Timestamp)),
        Field::new("filesize", BigInteger),
        Field::new("width", Integer),
        Field::new("height", Integer),
        Field::new("description", Text),
        Field::new("uploaded_on", Timestamp),
    ]
}
