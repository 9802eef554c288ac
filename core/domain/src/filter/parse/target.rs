//! What a test looks at, and what it can be compared with.

use serde_json::Value as Json;

use super::super::Operand;
use super::operators::{is_known, one, refusal, takes};
use crate::field::describe;
use crate::{Error, Field, FieldType, Result, Value};

/// What a test looks at.
pub(super) enum Target<'f> {
    /// A value of the type of a field.
    Typed {
        /// The field.
        field: &'f Field,
        /// The way to the value.
        operand: Operand,
    },
    /// A value inside of JSON: a text, a number, a boolean, or something to ask the presence of.
    Inside {
        /// How the filter calls it.
        name: &'f str,
        /// The way to the value.
        operand: Operand,
    },
}

impl<'f> Target<'f> {
    pub(super) const fn of(field: &'f Field, operand: Operand) -> Self {
        Self::Typed { field, operand }
    }

    pub(super) const fn operand(&self) -> &Operand {
        match self {
            Self::Typed { operand, .. } | Self::Inside { operand, .. } => operand,
        }
    }

    /// Refuses an operator that it does not take.
    pub(super) fn check(&self, operator: &str) -> Result<()> {
        match self {
            Self::Typed { field, .. } if takes(field, operator) => Ok(()),
            Self::Typed { field, .. } => Err(Error::invalid_query(refusal(field, operator))),
            Self::Inside { .. } if is_known(operator) => Ok(()),
            Self::Inside { name, .. } => Err(Error::invalid_query(format!(
                "field `{name}`: expected an operator of texts, numbers or booleans, got \"{operator}\""
            ))),
        }
    }

    /// Reads a value to compare with. What it is says what it is compared with inside of JSON.
    pub(super) fn read(&self, operator: &str, json: &Json) -> Result<Value> {
        let kind = match (self, json) {
            (Self::Typed { field, .. }, json) => return one(field, operator, json),
            (_, Json::String(_)) => FieldType::Text,
            (_, Json::Number(_)) => FieldType::Float,
            (_, Json::Bool(_)) => FieldType::Boolean,
            (Self::Inside { name, .. }, json) => {
                return Err(unfit(
                    name,
                    operator,
                    "a string, a number or a boolean",
                    json,
                ));
            }
        };
        one(&Field::new(self.name(), kind), operator, json)
    }

    /// The same where it has to have an order.
    pub(super) fn ordered(&self, operator: &str, json: &Json) -> Result<Value> {
        match self {
            Self::Inside { name, .. } if json.is_boolean() => {
                Err(unfit(name, operator, "a string or a number", json))
            }
            _ => self.read(operator, json),
        }
    }

    /// Refuses a range whose ends have no order between them.
    pub(super) fn check_range(&self, operator: &str, ends: &[Value]) -> Result<()> {
        let Self::Inside { name, .. } = self else {
            return Ok(());
        };
        let are_texts = ends.iter().all(|end| matches!(end, Value::Text(_)));
        let are_numbers = ends.iter().all(|end| matches!(end, Value::Float(_)));
        if are_texts || are_numbers {
            return Ok(());
        }
        Err(Error::invalid_query(format!(
            "\"{operator}\" on field `{name}`: expected two strings or two numbers"
        )))
    }

    fn name(&self) -> &str {
        match self {
            Self::Typed { field, .. } => &field.name,
            Self::Inside { name, .. } => name,
        }
    }
}

fn unfit(name: &str, operator: &str, expected: &str, json: &Json) -> Error {
    let got = describe(json);
    Error::invalid_query(format!(
        "\"{operator}\" on field `{name}`: expected {expected}, got {got}"
    ))
}
