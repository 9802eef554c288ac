use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The values a write is about to store, as far as the plugin may read them.
///
/// Setting a field that the operator did not grant fails the call, not the field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    values: Map<String, Value>,
    patch: Map<String, Value>,
    errors: Vec<FieldError>,
}

/// One problem with one field, reported with all the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field.
    pub field: String,
    /// An `UPPER_SNAKE` code of the plugin's own.
    pub code: String,
    /// A sentence for the caller.
    pub message: String,
}

impl Draft {
    /// A draft over these values.
    pub fn new(values: Map<String, Value>) -> Self {
        Self {
            values,
            patch: Map::new(),
            errors: Vec::new(),
        }
    }

    /// The value of a field, if the write carries one.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.values.get(field)
    }

    /// The text of a field, if the write carries one and it is text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field).and_then(Value::as_str)
    }

    /// Every value the plugin may read.
    pub const fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// Changes a field.
    pub fn set(&mut self, field: impl Into<String>, value: impl Into<Value>) {
        let (field, value) = (field.into(), value.into());
        self.values.insert(field.clone(), value.clone());
        self.patch.insert(field, value);
    }

    /// Reports a problem with a field. The write is refused with all problems found, so what the
    /// hook changed no longer counts.
    pub fn error(
        &mut self,
        field: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.errors.push(FieldError {
            field: field.into(),
            code: code.into(),
            message: message.into(),
        });
    }

    /// What was changed and what was found wrong.
    pub fn into_parts(self) -> (Map<String, Value>, Vec<FieldError>) {
        (self.patch, self.errors)
    }
}

/// A stored record, as far as the plugin may read it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Record(pub Map<String, Value>);

impl Record {
    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// The text of a field, if it is text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field).and_then(Value::as_str)
    }
}
