//! The set of fields of a collection, and the way from JSON to a [`Draft`] to a [`Valid`].

mod draft;
mod settings;
mod users;

use std::collections::HashMap;

pub use draft::{Draft, Stage, Valid};

use crate::{Collection, Field};

/// The set of fields of a collection. Made anew for each schema epoch.
#[derive(Debug, PartialEq)]
pub struct Schema {
    collection: Collection,
    epoch: u64,
    fields: Vec<Field>,
    by_name: HashMap<String, usize>,
}

impl Schema {
    /// The users collection without custom fields.
    pub fn users() -> Self {
        Self::new(Collection::Users, users::fields())
    }

    /// The settings singleton.
    pub fn settings() -> Self {
        Self::new(Collection::Settings, settings::fields())
    }

    fn new(collection: Collection, fields: Vec<Field>) -> Self {
        let by_name = fields
            .iter()
            .enumerate()
            .map(|(index, field)| (field.name.clone(), index))
            .collect();
        Self {
            collection,
            epoch: 1,
            fields,
            by_name,
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
}
