//! Records as they are read: some fields of a schema, with their values.

use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use crate::{Field, Schema, UserId, Value};

/// Some fields of a schema, in the schema's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    schema: Arc<Schema>,
    fields: Vec<usize>,
}

impl Projection {
    /// Every field.
    pub fn all(schema: &Arc<Schema>) -> Self {
        Self {
            schema: Arc::clone(schema),
            fields: (0..schema.fields().len()).collect(),
        }
    }

    /// The fields of these positions, each once.
    pub fn of(schema: &Arc<Schema>, mut fields: Vec<usize>) -> Self {
        fields.sort_unstable();
        fields.dedup();
        Self {
            schema: Arc::clone(schema),
            fields,
        }
    }

    /// The schema.
    pub const fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The positions of the fields in the schema, in order.
    pub fn positions(&self) -> &[usize] {
        &self.fields
    }

    /// The fields, in order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = &Field> {
        self.fields
            .iter()
            .map(|&index| &self.schema.fields()[index])
    }
}

/// A record, as far as it was asked for. Serialises as an object, concealed values masked.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    projection: Arc<Projection>,
    values: Vec<Value>,
}

/// A whole record: an [`Item`] of every field, with what concurrent writers compare.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its fields.
    pub item: Item,
    /// How often it was written.
    pub version: i64,
}

impl Item {
    /// An item; the values stand in the order of the projection's fields.
    pub const fn new(projection: Arc<Projection>, values: Vec<Value>) -> Self {
        Self { projection, values }
    }

    /// The value of a field, if it was asked for.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let position = self
            .projection
            .fields()
            .position(|field| field.name == name)?;
        self.values.get(position)
    }

    /// The fields and their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Field, &Value)> {
        self.projection.fields().zip(&self.values)
    }

    /// The item as JSON.
    pub fn to_json(&self) -> Map<String, Json> {
        self.iter()
            .map(|(field, value)| (field.name.clone(), value.to_json()))
            .collect()
    }
}

impl Record {
    /// The id of a user's record.
    pub fn user_id(&self) -> Option<UserId> {
        self.item.get("id").and_then(Value::as_uuid).map(UserId)
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (field, value) in self.iter() {
            map.serialize_entry(&field.name, value)?;
        }
        map.end()
    }
}
