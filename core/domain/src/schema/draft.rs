//! Untrusted values and values fit to store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::error::field as problem;
use crate::field::describe;
use crate::value::MASK;
use crate::{Error, Field, FieldType, Problem, Result, Schema, Status, Value, email};

/// Whether a record is made or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It is made: defaults apply.
    Create,
    /// It is changed: only what is named changes.
    Update,
}

/// Values that were parsed and typed, and are not trusted yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    schema: Arc<Schema>,
    stage: Stage,
    values: BTreeMap<usize, Value>,
    unknown: Vec<String>,
}

/// Values that are fit to store. Secrets in it have been replaced by their hashes.
#[derive(Debug, Clone, PartialEq)]
pub struct Valid {
    schema: Arc<Schema>,
    values: BTreeMap<usize, Value>,
    sealed: BTreeSet<usize>,
}

impl Draft {
    /// Reads a body. All problems are reported at once; masked secrets that come back are ignored,
    /// and so is the id on an update.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD` with a problem for each field of a wrong type.
    pub fn parse(schema: &Arc<Schema>, stage: Stage, body: &Json) -> Result<Self> {
        let body = match body {
            Json::Object(map) => map,
            other => {
                let reason = format!("expected an object, got {}", describe(other));
                return Err(Error::invalid_payload(reason));
            }
        };
        let mut draft = Self {
            schema: Arc::clone(schema),
            stage,
            values: BTreeMap::new(),
            unknown: Vec::new(),
        };
        let mut problems = Vec::new();
        for (name, json) in body {
            match draft.put(name, json) {
                Ok(()) => {}
                Err(Unfit::Unknown) => draft.unknown.push(name.clone()),
                Err(Unfit::Problem(problem)) => problems.push(*problem),
            }
        }
        Error::of(problems).map_or(Ok(draft), Err)
    }

    /// Applies a plugin's patch, under the same rules as a body.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, also for unknown fields.
    pub fn patch(&mut self, patch: &Map<String, Json>) -> Result<()> {
        let mut problems = Vec::new();
        for (name, json) in patch {
            match self.put(name, json) {
                Ok(()) => {}
                Err(Unfit::Unknown) => {
                    problems.push(problem::unknown(self.schema.collection().as_str(), name));
                }
                Err(Unfit::Problem(problem)) => problems.push(*problem),
            }
        }
        Error::of(problems).map_or(Ok(()), Err)
    }

    fn put(&mut self, name: &str, json: &Json) -> Result<(), Unfit> {
        let Some(index) = self.schema.position(name) else {
            return Err(Unfit::Unknown);
        };
        let field = &self.schema.fields()[index];
        let wrong = |expected, got| {
            Err(Unfit::Problem(Box::new(problem::wrong_type(
                name, expected, got,
            ))))
        };
        if self.stage == Stage::Update && name == "id" {
            return Ok(());
        }
        if field.is_concealed && json.as_str() == Some(MASK) {
            return Ok(());
        }
        if !field.is_writable() {
            return wrong(
                "nothing, as it cannot be written through this field yet",
                describe(json),
            );
        }
        match field.kind.parse(json) {
            Ok(value) => {
                self.values.insert(index, value);
                Ok(())
            }
            Err((expected, got)) => wrong(expected, got),
        }
    }

    /// Fields of the body that do not exist.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// The names of the fields it carries.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values
            .keys()
            .map(|&index| self.schema.fields()[index].name.as_str())
    }

    /// The value it carries for a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(&self.schema.position(name)?)
    }

    /// Sets a field of that name, which has to exist and take such a value.
    pub fn set(&mut self, name: &str, value: Value) {
        if let Some(index) = self.schema.position(name) {
            self.values.insert(index, value);
        }
    }

    /// Takes a field away.
    pub fn remove(&mut self, name: &str) {
        if let Some(index) = self.schema.position(name) {
            self.values.remove(&index);
        }
    }

    /// The fields it carries and their values, secrets included.
    pub fn iter(&self) -> impl Iterator<Item = (&Field, &Value)> {
        self.values
            .iter()
            .map(|(&index, value)| (&self.schema.fields()[index], value))
    }

    /// Checks every value and, on create, fills in the defaults.
    ///
    /// # Errors
    /// `FAILED_VALIDATION` and `VALUE_TOO_LONG`, one problem for each field at fault.
    pub fn validate(self) -> Result<Valid> {
        let mut values = self.values;
        if self.stage == Stage::Create {
            for (index, field) in self.schema.fields().iter().enumerate() {
                if field.is_writable() && field.default != Value::Null {
                    values.entry(index).or_insert_with(|| field.default.clone());
                }
            }
        }
        let mut problems = Vec::new();
        for (&index, value) in &values {
            problems.extend(check(&self.schema, index, value, self.stage));
        }
        match Error::of(problems) {
            Some(error) => Err(error),
            None => Ok(Valid {
                schema: self.schema,
                values,
                sealed: BTreeSet::new(),
            }),
        }
    }
}

enum Unfit {
    Unknown,
    Problem(Box<Problem>),
}

fn check(schema: &Schema, index: usize, value: &Value, stage: Stage) -> Option<Problem> {
    let field = &schema.fields()[index];
    let name = field.name.as_str();
    if value.is_null() {
        // An address can be cleared later, but a record is not made with an empty one.
        let refused = !field.is_nullable || (name == "email" && stage == Stage::Create);
        return refused.then(|| match name {
            "email" => problem::email(name),
            _ => problem::null(name),
        });
    }
    let text = value.as_text()?;
    if let Some(limit) = field.max_length
        && field.kind != FieldType::Hash
        && text.chars().count() > limit
    {
        return Some(problem::too_long(schema.collection().as_str(), name, limit));
    }
    match name {
        "email" if !email::is_valid(text) => Some(problem::email(name)),
        "status" if Status::ALL.iter().all(|status| status.as_str() != text) => {
            let known = Status::ALL.map(Status::as_str);
            let list = known.map(|status| format!("\"{status}\"")).join(", ");
            let clause = format!("Value has to be one of {list}.");
            Some(problem::failed(name, "in", &clause).with("valid", known.to_vec()))
        }
        _ => None,
    }
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

    /// Puts the id that the record will have.
    pub fn identify(&mut self, id: uuid::Uuid) {
        if let Some(index) = self.schema.position("id") {
            self.values.insert(index, Value::Uuid(id));
        }
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
        let fields = self
            .values
            .iter()
            .map(|(&i, value)| (&self.schema.fields()[i], value));
        fields
            .map(|(field, value)| {
                let value = match value {
                    value if !field.is_concealed || value.is_null() => value.to_json(),
                    _ => Value::Concealed.to_json(),
                };
                (field.name.clone(), value)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
