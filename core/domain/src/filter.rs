//! A condition on records: one AST for permission rules, queries, storage and memory.

mod matches;
mod parse;

pub use parse::{Limits, parse};

use crate::Value;

/// A condition on a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Holds for every record.
    Everything,
    /// Holds if all of these hold.
    And(Vec<Self>),
    /// Holds if one of these holds.
    Or(Vec<Self>),
    /// Holds if the field of that name passes the test.
    Field(String, Test),
}

/// A test of one value. Null passes only where that is said.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Equal to the value.
    Equals(Value),
    /// Not equal; null does not pass.
    Differs(Value),
    /// Less than.
    Less(Value),
    /// Less than or equal.
    LessOrEqual(Value),
    /// Greater than.
    Greater(Value),
    /// Greater than or equal.
    GreaterOrEqual(Value),
    /// From the first to the second, both included.
    Between(Value, Value),
    /// Before the first or after the second.
    Outside(Value, Value),
    /// One of these.
    OneOf(Vec<Value>),
    /// None of these; null does not pass.
    NoneOf(Vec<Value>),
    /// Null passes, nothing else.
    Null,
    /// Anything but null passes.
    NotNull,
    /// Null or the empty text passes.
    Empty,
    /// Neither null nor the empty text.
    NotEmpty,
    /// Text that has the pattern where it is looked for; no character of it is a wildcard.
    Has(Pattern),
    /// Text that has not; null does not pass.
    HasNot(Pattern),
}

/// A piece of text and where it is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The text.
    pub text: String,
    /// Where.
    pub place: Place,
    /// How letters compare.
    pub case: Case,
}

/// Where a pattern is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Anywhere.
    Anywhere,
    /// At the start.
    Start,
    /// At the end.
    End,
}

/// How letters compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// As they are.
    Sensitive,
    /// In either case, beyond ASCII too.
    Folded,
}

impl Filter {
    /// Both conditions.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Everything, filter) | (filter, Self::Everything) => filter,
            (one, other) => Self::And(vec![one, other]),
        }
    }

    /// The field equals the value.
    pub fn equals(field: &str, value: impl Into<Value>) -> Self {
        Self::Field(field.to_owned(), Test::Equals(value.into()))
    }

    /// The field has one of these values.
    pub fn one_of<V: Into<Value>>(field: &str, values: impl IntoIterator<Item = V>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self::Field(field.to_owned(), Test::OneOf(values))
    }

    /// The names of all fields it looks at.
    pub fn fields(&self) -> Vec<&str> {
        match self {
            Self::Everything => Vec::new(),
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::fields).collect(),
            Self::Field(name, _) => vec![name.as_str()],
        }
    }
}
