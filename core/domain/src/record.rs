//! Records as they are read: some fields of a schema, with their values.

use std::sync::Arc;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use crate::{Field, Key, Schema, UserId, Valid, Value};

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

    /// Every field that has a column.
    pub fn stored(schema: &Arc<Schema>) -> Self {
        let fields = schema.fields().iter().enumerate();
        let stored = fields.filter(|(_, field)| field.is_stored());
        Self::of(schema, stored.map(|(index, _)| index).collect())
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
    parts: Vec<(Arc<str>, Part)>,
    is_bare: bool,
}

/// What a record has beside its own fields.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// The value of a function.
    Value(Value),
    /// The record that a field leads to.
    One(Option<Box<Item>>),
    /// The records that a field stands for.
    Many(Vec<Item>),
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
        Self {
            projection,
            values,
            parts: Vec::new(),
            is_bare: false,
        }
    }

    /// The same with one more part.
    pub fn push(&mut self, name: Arc<str>, part: Part) {
        self.parts.push((name, part));
    }

    /// The same, serialised as its only value: nothing but the key was asked for.
    #[must_use]
    pub fn bare(self) -> Self {
        Self {
            is_bare: true,
            ..self
        }
    }

    /// The value of a field, if it was asked for.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.field(name).map(|(_, value)| value)
    }

    /// A field and its value, if it was asked for.
    pub fn field(&self, name: &str) -> Option<(&Field, &Value)> {
        let Projection { schema, fields } = &*self.projection;
        let index = schema.position(name)?;
        let position = fields.binary_search(&index).ok()?;
        Some((&schema.fields()[index], self.values.get(position)?))
    }

    /// Its key, if it was asked for.
    pub fn key(&self) -> Option<Key> {
        self.get("id").and_then(Key::of)
    }

    /// The fields and their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Field, &Value)> {
        self.projection.fields().zip(&self.values)
    }

    /// What it has beside its fields.
    pub fn parts(&self) -> impl Iterator<Item = (&str, &Part)> {
        self.parts.iter().map(|(name, part)| (&**name, part))
    }

    /// Its own fields as JSON.
    pub fn to_json(&self) -> Map<String, Json> {
        self.iter()
            .map(|(field, value)| (field.name.clone(), value.to_json()))
            .collect()
    }
}

impl Record {
    /// The key.
    pub fn key(&self) -> Option<Key> {
        self.item.key()
    }

    /// The record as it is once these values are written.
    #[must_use]
    pub fn with(&self, written: &Valid) -> Self {
        let mut item = self.item.clone();
        for (index, value) in item.projection.fields.iter().zip(&mut item.values) {
            if let Some(written) = written.shown(*index) {
                value.clone_from(written);
            }
        }
        let version = self.version + 1;
        Self { item, version }
    }

    /// The id of a user's record.
    pub fn user_id(&self) -> Option<UserId> {
        self.item.get("id").and_then(Value::as_uuid).map(UserId)
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_bare {
            return self
                .values
                .first()
                .unwrap_or(&Value::Null)
                .serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(self.values.len() + self.parts.len()))?;
        for (field, value) in self.iter() {
            map.serialize_entry(&field.name, value)?;
        }
        for (name, part) in &self.parts {
            map.serialize_entry(&**name, part)?;
        }
        map.end()
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::One(item) => item.serialize(serializer),
            Self::Many(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
        }
    }
}
