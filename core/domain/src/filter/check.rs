//! A filter as a validation rule: not whether it holds, but what is wrong (contract/query.md §10).

use fancy_regex::RegexBuilder;
use serde_json::{Value as Json, json};

use super::{Case, Filter, Operand, Place, Test};
use crate::Problem;
use crate::Value;
use crate::error::field as problem;

/// How much work a regular expression may make of one value.
const BACKTRACKS: usize = 100_000;

/// The values of a write as a rule sees them.
pub trait Written {
    /// Whether the caller sent the field.
    fn is_sent(&self, field: &str) -> bool;
    /// What will be stored; nothing for a field that is left alone.
    fn value(&self, field: &str) -> Option<&Value>;
}

/// What is wrong with the values that are written. A test of a field that is left alone passes,
/// unless it asks for that.
pub fn problems(filter: &Filter, value: &dyn Written) -> Vec<Problem> {
    match filter {
        Filter::Everything => Vec::new(),
        Filter::And(parts) => parts
            .iter()
            .flat_map(|part| problems(part, value))
            .collect(),
        Filter::Or(parts) => {
            let mut all = Vec::new();
            for part in parts {
                let found = problems(part, value);
                if found.is_empty() {
                    return found;
                }
                all.extend(found);
            }
            all
        }
        Filter::Field(operand, test) => test_of(operand, test, value).into_iter().collect(),
        // A rule over other records cannot be told from the values alone: it denies.
        Filter::Nothing => vec![problem::failed("", "nothing", "Nothing passes this rule.")],
        Filter::Some(operand, _) | Filter::None(operand, _) => {
            vec![problem::failed(operand.root(), "nothing", "")]
        }
    }
}

fn test_of(operand: &Operand, test: &Test, written: &dyn Written) -> Option<Problem> {
    let name = operand.root();
    if let Test::Submitted(wanted) = test {
        return match (written.is_sent(name), wanted) {
            (false, true) => Some(problem::failed(name, "required", "Value is required.")),
            (true, false) => Some(problem::failed(name, "submitted", "Value can't be sent.")),
            _ => None,
        };
    }
    let sent = written.value(name)?;
    if !operand.path.is_empty() {
        return Some(problem::failed(name, "nothing", ""));
    }
    let made = match (operand.function, &operand.inside) {
        (Some(function), _) => function.apply(sent),
        (None, Some(inside)) => inside.compared(sent.clone()),
        (None, None) => sent.clone(),
    };
    if let Test::Matches(pattern) = test {
        let regex = RegexBuilder::new(pattern)
            .backtrack_limit(BACKTRACKS)
            .build();
        let tried = match &made {
            Value::Null => return None,
            value => value
                .as_text()
                .map_or_else(|| plain(value), ToOwned::to_owned),
        };
        let holds = regex.is_ok_and(|regex| regex.is_match(&tried).unwrap_or(false));
        let clause = "Value doesn't have the correct format.";
        return (!holds)
            .then(|| problem::failed(name, "regex", clause).with("invalid", made.to_json()));
    }
    (!test.passes(&made)).then(|| describe(name, test))
}

fn plain(value: &Value) -> String {
    match value.to_json() {
        Json::String(text) => text,
        other => other.to_string(),
    }
}

fn describe(name: &str, test: &Test) -> Problem {
    let list = |values: &[Value]| {
        let shown: Vec<String> = values
            .iter()
            .map(|value| format!("\"{}\"", plain(value)))
            .collect();
        shown.join(", ")
    };
    let jsons = |values: &[Value]| values.iter().map(Value::to_json).collect::<Vec<_>>();
    let against = |kind: &str, words: &str, value: &Value| {
        let clause = format!("Value has to be {words}\"{}\".", plain(value));
        problem::failed(name, kind, &clause).with("valid", value.to_json())
    };
    match test {
        Test::Equals(value) => against("eq", "", value),
        Test::Less(value) => against("lt", "less than ", value),
        Test::LessOrEqual(value) => against("lte", "less than or equal to ", value),
        Test::Greater(value) => against("gt", "greater than ", value),
        Test::GreaterOrEqual(value) => against("gte", "greater than or equal to ", value),
        Test::Differs(value) => {
            let clause = format!("Value can't be \"{}\".", plain(value));
            problem::failed(name, "neq", &clause).with("invalid", value.to_json())
        }
        Test::OneOf(values) => {
            let clause = format!("Value has to be one of {}.", list(values));
            problem::failed(name, "in", &clause).with("valid", jsons(values))
        }
        Test::NoneOf(values) => {
            let clause = format!("Value can't be one of {}.", list(values));
            problem::failed(name, "nin", &clause).with("invalid", jsons(values))
        }
        Test::Between(low, high) => {
            let clause = format!(
                "Value has to be from \"{}\" to \"{}\".",
                plain(low),
                plain(high)
            );
            problem::failed(name, "between", &clause).with("valid", json!([low, high]))
        }
        Test::Outside(low, high) => {
            let clause = format!(
                "Value can't be from \"{}\" to \"{}\".",
                plain(low),
                plain(high)
            );
            problem::failed(name, "nbetween", &clause).with("invalid", json!([low, high]))
        }
        Test::Null => problem::failed(name, "null", "Value has to be null."),
        Test::NotNull => problem::null(name),
        Test::Empty => problem::failed(name, "empty", "Value has to be empty."),
        Test::NotEmpty => problem::failed(name, "nempty", "Value can't be empty."),
        Test::Has(pattern) | Test::HasNot(pattern) => {
            let negated = matches!(test, Test::HasNot(_));
            let place = match pattern.place {
                Place::Anywhere => "contains",
                Place::Start => "starts_with",
                Place::End => "ends_with",
            };
            let folded = if pattern.case == Case::Folded {
                "i"
            } else {
                ""
            };
            let kind = format!("{}{folded}{place}", if negated { "n" } else { "" });
            let verb = if negated { "can't" } else { "has to" };
            let clause = match pattern.place {
                Place::Anywhere => format!("Value {verb} contain \"{}\".", pattern.text),
                Place::Start => format!("Value {verb} start with \"{}\".", pattern.text),
                Place::End => format!("Value {verb} end with \"{}\".", pattern.text),
            };
            problem::failed(name, &kind, &clause).with("substring", pattern.text.clone())
        }
        Test::Matches(_) | Test::Submitted(_) => problem::failed(name, "regex", ""),
    }
}
