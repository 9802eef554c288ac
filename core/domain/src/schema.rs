//! The set of fields of a collection, and the way from JSON to a [`Draft`] to a [`Valid`].

mod access;
mod custom;
mod draft;
mod log;
mod model;
mod settings;
mod users;
mod valid;

use std::collections::HashMap;

use serde_json::Value as Json;

pub use custom::{Definition, OnDelete, Relation};
pub use draft::{Draft, Stage};
pub use model::Model;
pub use valid::Valid;

use crate::{Collection, Field, FieldType, Key};

/// The set of fields of a collection. Made anew for each schema epoch.
#[derive(Debug, PartialEq)]
pub struct Schema {
    collection: Collection,
    epoch: u64,
    fields: Vec<Field>,
    by_name: HashMap<String, usize>,
    statuses: Vec<String>,
}

impl Schema {
    /// The users collection without custom fields.
    pub fn users() -> Self {
        Self::new(Collection::Users, 1, users::fields())
    }

    /// The settings singleton.
    pub fn settings() -> Self {
        Self::new(Collection::Settings, 1, settings::fields())
    }

    fn new(collection: Collection, epoch: u64, fields: Vec<Field>) -> Self {
        let by_name = fields
            .iter()
            .enumerate()
            .map(|(index, field)| (field.name.clone(), index))
            .collect();
        Self {
            collection,
            epoch,
            fields,
            by_name,
            statuses: Vec::new(),
        }
    }

    /// Which state of the fields it shows; another epoch is another schema.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The collection.
    pub const fn collection(&self) -> Collection {
        self.collection
    }

    /// The fields, in the order of the wire.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The position of a field.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// A field by name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.position(name).map(|index| &self.fields[index])
    }

    /// Statuses that the operator added to the six known ones.
    pub fn statuses(&self) -> &[String] {
        &self.statuses
    }

    /// Whether the database counts its keys up.
    pub fn counts_keys(&self) -> bool {
        let is_number = |id: &Field| matches!(id.kind, FieldType::Serial | FieldType::Integer);
        self.field("id").is_some_and(is_number)
    }

    /// A key as it stands in a path or in a body. A malformed one is a missing one.
    pub fn key(&self, json: &Json) -> Option<Key> {
        match json {
            Json::String(text) => self.key_of(text),
            json if self.counts_keys() => json.as_i64().map(Key::Serial),
            _ => None,
        }
    }

    /// A key as it stands in a path.
    pub fn key_of(&self, text: &str) -> Option<Key> {
        if self.counts_keys() {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
            return is_plain
                .then(|| text.parse().ok().map(Key::Serial))
                .flatten();
        }
        let id = self.field("id")?;
        let value = id.parse(&Json::String(text.to_owned())).ok()?;
        value.as_uuid().map(Key::Uuid)
    }
}
