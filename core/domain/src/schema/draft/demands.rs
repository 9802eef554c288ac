//! What custom fields demand of the values of a draft.

use serde_json::Value as Json;

use super::Draft;
use crate::error::field as problem;
use crate::field::Demands;
use crate::filter::{self, Reader, Uses};
use crate::variables::Variables;
use crate::{Field, Model, Problem};

impl Draft {
    /// What a custom field demands of the values.
    pub(super) fn judge(&self, model: &Model, field: &Field, demands: &Demands) -> Vec<Problem> {
        let mut problems = Vec::new();
        let value = self.get(&field.name);
        if let (Some(choices), Some(value)) = (&demands.choices, value) {
            let json = value.to_json();
            let is_one = |json: &Json| choices.iter().any(|choice| same(choice, json));
            let is_fit = match &json {
                Json::Null => true,
                Json::Array(items) => items.iter().all(is_one),
                json => is_one(json),
            };
            if !is_fit && !field.is_concealed {
                let list = choices.iter().map(|choice| match choice {
                    Json::String(text) => format!("\"{text}\""),
                    other => other.to_string(),
                });
                let list: Vec<String> = list.collect();
                let clause = format!("Value has to be one of {}.", list.join(", "));
                let problem = problem::failed(&field.name, "in", &clause);
                problems.push(problem.with("valid", choices.clone()));
            }
        }
        if let Some(rule) = &demands.validation {
            let variables = Variables::default();
            let reader = Reader {
                model,
                variables: &variables,
                grant: None,
                uses: Uses::Validation,
                limits: filter::Limits::default(),
            };
            let found = match reader.read(self.schema.collection(), rule) {
                Ok(filter) => filter::problems(&filter, self),
                // A rule that cannot be read refuses what it is about.
                Err(_) => value
                    .map(|_| {
                        problem::failed(&field.name, "rule", "The rule of the field is broken.")
                    })
                    .into_iter()
                    .collect(),
            };
            problems.extend(
                found
                    .into_iter()
                    .map(|problem| match &demands.validation_message {
                        Some(message) => problem.saying(message.clone()),
                        None => problem,
                    }),
            );
        }
        problems
    }
}

/// A choice may be a number where the value is text on the wire.
fn same(choice: &Json, value: &Json) -> bool {
    let text = |json: &Json| match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    choice == value || (!choice.is_object() && text(choice) == text(value))
}
