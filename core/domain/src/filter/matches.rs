//! A filter evaluated in memory, exactly as the databases do.

use super::{Case, Filter, Operand, Pattern, Place, Test};
use crate::{Function, Value};

/// A record in memory, and those it leads to.
pub trait Source {
    /// The value of a field; null where there is none.
    fn value(&self, field: &str) -> Value;

    /// The record whose key a field holds.
    fn one(&self, _field: &str) -> Option<Box<dyn Source + '_>> {
        None
    }

    /// The records that a field stands for, if it stands for records.
    fn many(&self, _field: &str) -> Option<Vec<Box<dyn Source + '_>>> {
        None
    }
}

impl<F: Fn(&str) -> Value> Source for F {
    fn value(&self, field: &str) -> Value {
        self(field)
    }
}

impl Filter {
    /// Whether it holds for a record.
    pub fn matches(&self, record: &dyn Source) -> bool {
        match self {
            Self::Everything => true,
            Self::Nothing => false,
            Self::And(parts) => parts.iter().all(|part| part.matches(record)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(record)),
            Self::Field(operand, test) => test.passes(&operand.value(record)),
            Self::Some(operand, filter) => operand.some(record, filter),
            Self::None(operand, filter) => !operand.some(record, filter),
        }
    }
}

impl Operand {
    /// The value it leads to; null where the way ends.
    pub fn value(&self, record: &dyn Source) -> Value {
        if let Some(step) = self.path.first() {
            let next = record.one(step);
            return next.map_or(Value::Null, |next| self.rest().value(&*next));
        }
        match self.function {
            None => match &self.inside {
                Some(inside) => inside.compared(record.value(&self.field)),
                None => record.value(&self.field),
            },
            Some(Function::Count) => match record.many(&self.field) {
                Some(listed) => Value::Integer(i64::try_from(listed.len()).unwrap_or(i64::MAX)),
                None => Function::Count.apply(&record.value(&self.field)),
            },
            Some(function) => function.apply(&record.value(&self.field)),
        }
    }

    fn some(&self, record: &dyn Source, filter: &Filter) -> bool {
        if let Some(step) = self.path.first() {
            let next = record.one(step);
            return next.is_some_and(|next| self.rest().some(&*next, filter));
        }
        let listed = record.many(&self.field).unwrap_or_default();
        listed.iter().any(|one| filter.matches(&**one))
    }
}

impl Test {
    /// Whether a value passes. What only validation rules know passes for every value here.
    pub fn passes(&self, value: &Value) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let order = |other: &Value| value.compare(other);
        match self {
            Self::Equals(other) => order(other) == Some(Equal),
            // A value inside of JSON may be of another type, and differs then.
            Self::Differs(other) => !value.is_null() && order(other) != Some(Equal),
            Self::Less(other) => order(other) == Some(Less),
            Self::LessOrEqual(other) => matches!(order(other), Some(Less | Equal)),
            Self::Greater(other) => order(other) == Some(Greater),
            Self::GreaterOrEqual(other) => matches!(order(other), Some(Greater | Equal)),
            Self::Between(low, high) => {
                matches!(order(low), Some(Greater | Equal))
                    && matches!(order(high), Some(Less | Equal))
            }
            Self::Outside(low, high) => order(low) == Some(Less) || order(high) == Some(Greater),
            Self::OneOf(values) => values.iter().any(|other| order(other) == Some(Equal)),
            Self::NoneOf(values) => {
                !value.is_null() && values.iter().all(|other| order(other) != Some(Equal))
            }
            Self::Null => value.is_null(),
            Self::NotNull => !value.is_null(),
            Self::Empty => value.is_null() || value.as_text() == Some(""),
            Self::NotEmpty => !value.is_null() && value.as_text() != Some(""),
            Self::Has(pattern) => value.as_text().is_some_and(|text| pattern.is_in(text)),
            Self::HasNot(pattern) => value.as_text().is_some_and(|text| !pattern.is_in(text)),
            Self::Matches(_) | Self::Submitted(_) => true,
        }
    }
}

impl Pattern {
    pub(super) fn is_in(&self, text: &str) -> bool {
        match self.case {
            Case::Sensitive => self.place.holds(text, &self.text),
            Case::Folded => self
                .place
                .holds(&text.to_lowercase(), &self.text.to_lowercase()),
        }
    }
}

impl Place {
    fn holds(self, text: &str, piece: &str) -> bool {
        match self {
            Self::Anywhere => text.contains(piece),
            Self::Start => text.starts_with(piece),
            Self::End => text.ends_with(piece),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(test: Test, value: &Value) -> bool {
        let record = |_: &str| value.clone();
        Filter::Field(Operand::field("x"), test).matches(&record)
    }

    #[test]
    fn null_passes_only_where_that_is_said() {
        let text = || Value::from("a");

        assert!(passes(Test::Null, &Value::Null) && passes(Test::Empty, &Value::Null));
        assert!(!passes(Test::Differs(text()), &Value::Null));
        assert!(!passes(Test::NoneOf(vec![text()]), &Value::Null));
        assert!(!passes(Test::OneOf(Vec::new()), &text()));
    }

    #[test]
    fn a_value_inside_of_json_compares_with_its_own_type_only() {
        let (_, inside) = crate::JsonPath::split("json(x.a)")
            .expect("read")
            .expect("a path");
        let operand = Operand {
            inside: Some(inside),
            ..Operand::field("x")
        };
        let passes = |test: Test, a: serde_json::Value| {
            let record = |_: &str| Value::Json(serde_json::json!({ "a": a }));
            Filter::Field(operand.clone(), test).matches(&record)
        };
        let one = || Value::Float(1.0);

        assert!(passes(Test::Equals(one()), 1.into()));
        assert!(!passes(Test::Equals(one()), "1".into()));
        assert!(passes(Test::Differs(one()), "1".into()));
        assert!(passes(Test::Differs(one()), serde_json::json!([1])));
        assert!(!passes(Test::Differs(one()), serde_json::Value::Null));
        assert!(!passes(Test::Less(one()), "0".into()));
        assert!(!passes(Test::Empty, serde_json::json!([])));
    }

    #[test]
    fn wildcards_are_ordinary_characters() {
        let percent = |case| Pattern {
            text: "50%_Ä".to_owned(),
            place: Place::Anywhere,
            case,
        };

        assert!(passes(
            Test::Has(percent(Case::Folded)),
            &Value::from("is 50%_ä off")
        ));
        assert!(!passes(
            Test::Has(percent(Case::Sensitive)),
            &Value::from("is 50%_ä off")
        ));
        assert!(!passes(
            Test::Has(percent(Case::Folded)),
            &Value::from("is 50xyä off")
        ));
    }
}
