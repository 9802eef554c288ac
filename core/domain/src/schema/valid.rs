//! Values fit to store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::{Error, Key, Result, Schema, Value};

/// Values that are fit to store. Secrets in it have been replaced by their hashes.
#[derive(Debug, Clone, PartialEq)]
pub struct Valid {
    pub(super) schema: Arc<Schema>,
    pub(super) values: BTreeMap<usize, Value>,
    pub(super) sealed: BTreeSet<usize>,
}

impl Valid {
    /// The schema.
    pub const fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The value for a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(&self.schema.position(name)?)
    }

    /// The value for the field of that position, as it is read back: secrets are concealed.
    pub(crate) fn shown(&self, position: usize) -> Option<&Value> {
        let value = self.values.get(&position)?;
        let is_secret = self.schema.fields()[position].is_concealed && !value.is_null();
        Some(if is_secret { &Value::Concealed } else { value })
    }

    /// The names of the fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values
            .keys()
            .map(|&index| self.schema.fields()[index].name.as_str())
    }

    /// Whether nothing is to be stored.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The plain text of a concealed field that still has to be sealed.
    pub fn plain(&self, name: &str) -> Option<&str> {
        let index = self.schema.position(name)?;
        let is_open = self.schema.fields()[index].is_concealed && !self.sealed.contains(&index);
        if is_open {
            self.values.get(&index)?.as_text()
        } else {
            None
        }
    }

    /// Replaces a secret by what may be stored of it.
    pub fn seal(&mut self, name: &str, stored: String) {
        if let Some(index) = self.schema.position(name) {
            self.values.insert(index, Value::Text(stored));
            self.sealed.insert(index);
        }
    }

    /// Puts the key that the record will have.
    pub fn identify(&mut self, key: Key) {
        if let Some(index) = self.schema.position("id") {
            self.values.insert(index, key.value());
        }
    }

    /// The plain texts that still have to be sealed, with their fields.
    pub fn open(&self) -> Vec<(String, bool)> {
        let fields = self
            .values
            .keys()
            .map(|&index| &self.schema.fields()[index]);
        let open = fields.filter(|field| self.plain(&field.name).is_some());
        open.map(|field| (field.name.clone(), field.is_hashed()))
            .collect()
    }

    /// The values as they go into the database, by field name.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR` if a secret was not sealed: plain text is never stored.
    pub fn stored(&self) -> Result<Vec<(&str, &Value)>> {
        let mut stored = Vec::with_capacity(self.values.len());
        for (&index, value) in &self.values {
            let field = &self.schema.fields()[index];
            if field.is_concealed && !value.is_null() && !self.sealed.contains(&index) {
                return Err(Error::internal(format!(
                    "field `{}` is not sealed",
                    field.name
                )));
            }
            stored.push((field.name.as_str(), value));
        }
        Ok(stored)
    }

    /// The values as JSON, concealed ones masked.
    pub fn to_json(&self) -> Map<String, Json> {
        let values = self.values.keys().filter_map(|&position| {
            let value = self.shown(position)?;
            Some((self.schema.fields()[position].name.clone(), value.to_json()))
        });
        values.collect()
    }
}
