//! Which operators a type takes, and what they compare with.

use serde_json::Value as Json;

use super::super::{Case, Pattern, Place, Test};
use crate::{Error, Field, FieldType, Result, Value};

pub(super) fn refusal(field: &Field, operator: &str) -> String {
    if field.is_concealed {
        format!("Field with \"conceal\" special does not allow the \"{operator}\" filter operator")
    } else {
        let kind = field.kind.as_str();
        format!("\"{kind}\" field type does not contain the \"{operator}\" filter operator")
    }
}

const EQUALITY: [&str; 2] = ["_eq", "_neq"];
const ORDER: [&str; 6] = ["_lt", "_lte", "_gt", "_gte", "_between", "_nbetween"];
const LISTS: [&str; 2] = ["_in", "_nin"];
const NULLS: [&str; 2] = ["_null", "_nnull"];
const EMPTIES: [&str; 2] = ["_empty", "_nempty"];

/// Whether there is an operator of that name for values.
pub(super) fn is_known(operator: &str) -> bool {
    let sets: [&[&str]; 5] = [&EQUALITY, &ORDER, &LISTS, &NULLS, &EMPTIES];
    sets.iter().any(|set| set.contains(&operator)) || split(operator).is_some()
}

/// Whether the type of the field takes the operator (contract/query.md §4.1).
pub(super) fn takes(field: &Field, operator: &str) -> bool {
    let among = |sets: &[&[&str]]| sets.iter().any(|set| set.contains(&operator));
    if field.is_concealed {
        return among(&[&NULLS, &EMPTIES]);
    }
    match field.kind {
        FieldType::String | FieldType::Text | FieldType::Csv => {
            among(&[&EQUALITY, &LISTS, &NULLS, &EMPTIES]) || split(operator).is_some()
        }
        FieldType::Hash => among(&[&NULLS, &EMPTIES]),
        // Keys have an order, so that a client can go on from the last one it has.
        FieldType::Uuid if field.name == "id" => {
            among(&[&EQUALITY, &NULLS, &LISTS]) || ORDER[..4].contains(&operator)
        }
        FieldType::Uuid => among(&[&EQUALITY, &NULLS, &LISTS]),
        FieldType::Json => among(&[&NULLS]),
        FieldType::Boolean => among(&[&EQUALITY, &NULLS]),
        FieldType::Alias => false,
        FieldType::Integer
        | FieldType::Serial
        | FieldType::BigInteger
        | FieldType::Float
        | FieldType::Decimal
        | FieldType::Date
        | FieldType::Time
        | FieldType::DateTime
        | FieldType::Timestamp => among(&[&EQUALITY, &ORDER, &LISTS, &NULLS]),
    }
}

/// Reads a value to compare with. Query strings carry text, so numbers and booleans may be text.
pub(super) fn one(field: &Field, operator: &str, json: &Json) -> Result<Value> {
    let read = match (field.kind, json) {
        (_, Json::String(text)) if text.is_empty() => {
            return Err(Error::invalid_query(format!(
                "You can't filter for an empty string in \"{operator}\". Use \"_empty\" or \"_nempty\" instead"
            )));
        }
        (_, Json::Array(_) | Json::Object(_)) => {
            return Err(Error::invalid_query(format!(
                "The filter value for \"{operator}\" has to be a string, number, or boolean"
            )));
        }
        (FieldType::String | FieldType::Text | FieldType::Csv, Json::Number(n)) => {
            Json::String(n.to_string())
        }
        (FieldType::String | FieldType::Text | FieldType::Csv, Json::Bool(b)) => {
            Json::String(b.to_string())
        }
        (FieldType::Boolean, Json::Number(n)) if n.as_u64().is_some_and(|n| n < 2) => {
            Json::Bool(n.as_u64() == Some(1))
        }
        (
            FieldType::Integer | FieldType::Serial | FieldType::Float | FieldType::Boolean,
            Json::String(text),
        ) => serde_json::from_str(text.trim()).unwrap_or(Json::Null),
        (_, other) => other.clone(),
    };
    match field.parse(&read) {
        Ok(value) if !value.is_null() => Ok(value),
        Ok(_) => Err(Error::invalid_query("Invalid numeric value")),
        Err((expected, got)) => {
            let reason = format!(
                "\"{operator}\" on field `{}`: expected {expected}, got {got}",
                field.name
            );
            Err(Error::invalid_query(reason))
        }
    }
}

pub(super) fn presence(operator: &str, json: &Json) -> Result<Test> {
    let applies = match json {
        Json::Bool(applies) => *applies,
        Json::Null => true,
        Json::String(text) if text.is_empty() || text == "true" => true,
        Json::String(text) if text == "false" => false,
        _ => {
            return Err(Error::invalid_query(format!(
                "\"{operator}\" has to be a boolean"
            )));
        }
    };
    Ok(match (operator, applies) {
        ("_null", true) | ("_nnull", false) => Test::Null,
        ("_nnull", true) | ("_null", false) => Test::NotNull,
        ("_empty", true) | ("_nempty", false) => Test::Empty,
        _ => Test::NotEmpty,
    })
}

/// `_nistarts_with` → not, folded, at the start.
fn split(operator: &str) -> Option<(bool, Case, Place)> {
    Some(match operator {
        "_contains" => (false, Case::Sensitive, Place::Anywhere),
        "_ncontains" => (true, Case::Sensitive, Place::Anywhere),
        "_icontains" => (false, Case::Folded, Place::Anywhere),
        "_starts_with" => (false, Case::Sensitive, Place::Start),
        "_nstarts_with" => (true, Case::Sensitive, Place::Start),
        "_istarts_with" => (false, Case::Folded, Place::Start),
        "_nistarts_with" => (true, Case::Folded, Place::Start),
        "_ends_with" => (false, Case::Sensitive, Place::End),
        "_nends_with" => (true, Case::Sensitive, Place::End),
        "_iends_with" => (false, Case::Folded, Place::End),
        "_niends_with" => (true, Case::Folded, Place::End),
        _ => return None,
    })
}

pub(super) fn pattern(operator: &str, json: &Json) -> Result<Test> {
    let text = match json {
        Json::String(text) if !text.contains('\0') => text.clone(),
        Json::Number(n) => n.to_string(),
        Json::Bool(b) => b.to_string(),
        _ => {
            return Err(Error::invalid_query(format!(
                "The filter value for \"{operator}\" has to be a string, number, or boolean"
            )));
        }
    };
    let Some((negated, case, place)) = split(operator) else {
        return Err(Error::invalid_query(format!(
            "unknown filter operator \"{operator}\""
        )));
    };
    let pattern = Pattern { text, place, case };
    Ok(if negated {
        Test::HasNot(pattern)
    } else {
        Test::Has(pattern)
    })
}

/// Whether a variable that a test needs stands for nothing.
pub(super) fn is_lost(operator: &str, written: &Json, resolved: &Json) -> bool {
    match (written, resolved) {
        (Json::Array(written), Json::Array(resolved)) if operator.ends_with("between") => {
            let mut pairs = written.iter().zip(resolved);
            pairs.any(|(written, resolved)| resolved.is_null() && !written.is_null())
        }
        (Json::String(_), Json::Array(list)) => list.is_empty(),
        (Json::String(_), resolved) => resolved.is_null(),
        _ => false,
    }
}

/// `/^a$/` → `^a$`, as the password policy is written.
pub(super) fn bare(pattern: &str) -> &str {
    let inner = pattern
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'));
    inner.unwrap_or(pattern)
}
