//! Untrusted values and values fit to store.

mod demands;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::valid::Valid;
use crate::error::field as problem;
use crate::field::{Special, describe};
use crate::filter;
use crate::value::MASK;
use crate::{
    Collection, Error, Field, FieldType, Filter, Model, Problem, Result, Schema, Status, Timestamp,
    Value, clock, email,
};

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
    sent: BTreeSet<usize>,
    unknown: Vec<String>,
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
            sent: BTreeSet::new(),
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
        draft.mark_sent();
        Error::of(problems).map_or(Ok(draft), Err)
    }

    /// Applies a plugin's patch, all of it or nothing, under the same rules as a body.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, also for unknown fields.
    pub fn patch(&mut self, patch: &Map<String, Json>) -> Result<()> {
        let (mut values, mut problems) = (Vec::with_capacity(patch.len()), Vec::new());
        for (name, json) in patch {
            match self.read(name, json) {
                Ok(value) => values.extend(value),
                Err(Unfit::Unknown) => {
                    problems.push(problem::unknown(self.schema.collection().as_str(), name));
                }
                Err(Unfit::Problem(problem)) => problems.push(*problem),
            }
        }
        if let Some(error) = Error::of(problems) {
            return Err(error);
        }
        self.values.extend(values);
        Ok(())
    }

    fn put(&mut self, name: &str, json: &Json) -> Result<(), Unfit> {
        self.values.extend(self.read(name, json)?);
        Ok(())
    }

    /// The position and the value of a field; nothing where what is sent is to be ignored.
    fn read(&self, name: &str, json: &Json) -> Result<Option<(usize, Value)>, Unfit> {
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
            return Ok(None);
        }
        if field.is_concealed && json.as_str() == Some(MASK) {
            return Ok(None);
        }
        match field.parse(json) {
            Ok(value) if field.is_stored() => Ok(Some((index, value))),
            Ok(_) => wrong(field.kind.expected(), describe(json)),
            Err((expected, got)) => wrong(expected, got),
        }
    }

    /// Notes which fields are submitted, by the caller or by a preset: what is added later is
    /// nobody's wish.
    fn mark_sent(&mut self) {
        self.sent = self.values.keys().copied().collect();
    }

    /// Puts in what a rule presets, where the caller said nothing.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD` where a preset does not fit its field.
    pub fn preset(&mut self, presets: &Map<String, Json>) -> Result<()> {
        let missing = presets.iter().filter(|(name, _)| {
            let index = self.schema.position(name);
            index.is_some_and(|index| !self.values.contains_key(&index))
        });
        let missing: Map<String, Json> = missing
            .map(|(name, json)| (name.clone(), json.clone()))
            .collect();
        self.patch(&missing)?;
        self.mark_sent();
        Ok(())
    }

    /// Fills in what fields do by themselves: who wrote, and when. It overrides what was sent.
    pub fn stamp(
        &mut self,
        now: Timestamp,
        user: Option<Uuid>,
        role: Option<Uuid>,
        id: Option<Uuid>,
    ) {
        let schema = Arc::clone(&self.schema);
        for (index, field) in schema.fields().iter().enumerate() {
            let Some(demands) = &field.demands else {
                continue;
            };
            let is_new = self.stage == Stage::Create;
            if is_new && demands.default_now && !self.values.contains_key(&index) {
                self.put_moment(index, field, now);
            }
            for special in &demands.specials {
                match special {
                    Special::DateCreated if is_new => self.put_moment(index, field, now),
                    Special::DateUpdated if !is_new => self.put_moment(index, field, now),
                    Special::UserCreated if is_new => self.put_uuid(index, field, user),
                    Special::UserUpdated if !is_new => self.put_uuid(index, field, user),
                    Special::RoleCreated if is_new => self.put_uuid(index, field, role),
                    Special::RoleUpdated if !is_new => self.put_uuid(index, field, role),
                    Special::Uuid if is_new && !self.values.contains_key(&index) => {
                        self.put_uuid(index, field, id);
                    }
                    _ => {}
                }
            }
        }
    }

    fn put_moment(&mut self, index: usize, field: &Field, now: Timestamp) {
        if let Ok(value) = field.parse(&Json::String(clock::format(now))) {
            self.values.insert(index, value);
        }
    }

    fn put_uuid(&mut self, index: usize, field: &Field, uuid: Option<Uuid>) {
        let json = uuid.map_or(Json::Null, |uuid| Json::String(uuid.to_string()));
        if let Ok(value) = field.parse(&json) {
            self.values.insert(index, value);
        }
    }

    /// The schema.
    pub const fn schema(&self) -> &Arc<Schema> {
        &self.schema
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

    /// Checks every value and, on create, fills in the defaults. `rules` are those of the caller's
    /// permissions, beside those of the fields.
    ///
    /// # Errors
    /// `FAILED_VALIDATION` and `VALUE_TOO_LONG`, one problem for each rule that is broken.
    pub fn validate<'f>(
        mut self,
        model: &Model,
        rules: impl IntoIterator<Item = &'f Filter>,
    ) -> Result<Valid> {
        let schema = Arc::clone(&self.schema);
        let mut problems = Vec::new();
        if self.stage == Stage::Create {
            for (index, field) in schema.fields().iter().enumerate() {
                if !field.is_stored() || self.values.contains_key(&index) {
                    continue;
                }
                if field.default != Value::Null {
                    self.values.insert(index, field.default.clone());
                } else if is_needed(field) {
                    problems.push(problem::failed(
                        &field.name,
                        "required",
                        "Value is required.",
                    ));
                }
            }
        }
        for (&index, value) in &self.values {
            problems.extend(check(&schema, index, value, self.stage));
        }
        let fields = schema.fields().iter();
        for (field, demands) in fields.filter_map(|field| Some((field, field.demands.as_ref()?))) {
            problems.extend(self.judge(model, field, demands));
        }
        for rule in rules {
            problems.extend(filter::problems(rule, &self));
        }
        for problem in &mut problems {
            let name = problem.extensions.get("field").and_then(Json::as_str);
            if name
                .and_then(|name| schema.field(name))
                .is_some_and(|field| field.is_concealed)
            {
                problem.extensions.remove("invalid");
            }
        }
        problems.dedup();
        match Error::of(problems) {
            Some(error) => Err(error),
            None => Ok(Valid {
                schema: self.schema,
                values: self.values,
                sealed: BTreeSet::new(),
            }),
        }
    }
}

/// Whether a record cannot be made without a value.
fn is_needed(field: &Field) -> bool {
    let required = field
        .demands
        .as_ref()
        .is_some_and(|demands| demands.required);
    (required || !field.is_nullable) && field.name != "id"
}

impl filter::Written for Draft {
    fn is_sent(&self, field: &str) -> bool {
        let position = self.schema.position(field);
        position.is_some_and(|index| self.sent.contains(&index))
    }

    fn value(&self, field: &str) -> Option<&Value> {
        self.get(field)
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
        let is_address = name == "email" && schema.collection() == Collection::Users;
        let required = field
            .demands
            .as_ref()
            .is_some_and(|demands| demands.required);
        let refused = !field.is_nullable || required || (is_address && stage == Stage::Create);
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
    if schema.collection() != Collection::Users {
        return None;
    }
    let known = || {
        let added = schema.statuses().iter().map(String::as_str);
        Status::ALL
            .iter()
            .map(|status| status.as_str())
            .chain(added)
    };
    match name {
        "email" if !email::is_valid(text) => Some(problem::email(name)),
        "status" if known().all(|status| status != text) => {
            let known: Vec<&str> = known().collect();
            let list: Vec<String> = known.iter().map(|status| format!("\"{status}\"")).collect();
            let list = list.join(", ");
            let clause = format!("Value has to be one of {list}.");
            Some(problem::failed(name, "in", &clause).with("valid", known))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
