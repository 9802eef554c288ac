//! The filter in memory: the same answer as the SQL made from it.

use std::cmp::Ordering;

use super::{Case, Filter, Pattern, Place, Test};
use crate::Value;

impl Filter {
    /// Whether a record passes, given how to look up its fields.
    pub fn matches<'a>(&self, field: &impl Fn(&str) -> &'a Value) -> bool {
        match self {
            Self::Everything => true,
            Self::And(parts) => parts.iter().all(|part| part.matches(field)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(field)),
            Self::Field(name, test) => test.passes(field(name)),
        }
    }
}

impl Test {
    fn passes(&self, value: &Value) -> bool {
        let order = |other: &Value| value.compare(other);
        match self {
            Self::Equals(other) => order(other) == Some(Ordering::Equal),
            Self::Differs(other) => order(other).is_some_and(Ordering::is_ne),
            Self::Less(other) => order(other).is_some_and(Ordering::is_lt),
            Self::LessOrEqual(other) => order(other).is_some_and(Ordering::is_le),
            Self::Greater(other) => order(other).is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual(other) => order(other).is_some_and(Ordering::is_ge),
            Self::Between(low, high) => {
                order(low).is_some_and(Ordering::is_ge) && order(high).is_some_and(Ordering::is_le)
            }
            Self::Outside(low, high) => {
                order(low).is_some_and(Ordering::is_lt) || order(high).is_some_and(Ordering::is_gt)
            }
            Self::OneOf(values) => values.iter().any(|v| order(v) == Some(Ordering::Equal)),
            Self::NoneOf(values) => {
                !value.is_null() && values.iter().all(|v| order(v) != Some(Ordering::Equal))
            }
            Self::Null => value.is_null(),
            Self::NotNull => !value.is_null(),
            Self::Empty => value.is_null() || value.as_text() == Some(""),
            Self::NotEmpty => !value.is_null() && value.as_text() != Some(""),
            Self::Has(pattern) => value.as_text().is_some_and(|text| pattern.is_in(text)),
            Self::HasNot(pattern) => value.as_text().is_some_and(|text| !pattern.is_in(text)),
        }
    }
}

impl Pattern {
    fn is_in(&self, text: &str) -> bool {
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
        Filter::Field("x".to_owned(), test).matches(&|_| value)
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
