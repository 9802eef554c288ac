//! A condition on records: one AST for permission rules, queries, storage and memory.

mod check;
mod matches;
mod parse;

pub use check::{Written, problems};
pub use matches::Source;
pub(crate) use parse::check_function;
pub use parse::{Limits, Reader, Uses};

use std::collections::BTreeSet;

use crate::field::Link;
use crate::{Function, JsonPath, Schema, Value};

/// A condition on a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Holds for every record.
    Everything,
    /// Holds for none.
    Nothing,
    /// Holds if all of these hold.
    And(Vec<Self>),
    /// Holds if one of these holds.
    Or(Vec<Self>),
    /// Holds if the value passes the test.
    Field(Operand, Test),
    /// Holds if one of the records of a list passes.
    Some(Operand, Box<Self>),
    /// Holds if none of the records of a list passes.
    None(Operand, Box<Self>),
}

/// A value that a record leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operand {
    /// Fields that each hold the key of one record, to be followed in turn.
    pub path: Vec<String>,
    /// The field of the last record.
    pub field: String,
    /// What is made of its value.
    pub function: Option<Function>,
    /// Where inside of its value to look, which is JSON.
    pub inside: Option<JsonPath>,
}

impl Filter {
    /// Whether it looks at the own values of a record alone, and not at other records, such as those
    /// of a list.
    pub fn is_of_own(&self, schema: &Schema) -> bool {
        match self {
            Self::Everything | Self::Nothing => true,
            Self::And(parts) | Self::Or(parts) => parts.iter().all(|part| part.is_of_own(schema)),
            Self::Field(operand, _) => {
                let field = schema.field(&operand.field);
                let is_list =
                    field.is_none_or(|field| matches!(field.link, Some(Link::Many { .. })));
                operand.path.is_empty() && !is_list
            }
            Self::Some(..) | Self::None(..) => false,
        }
    }
}

impl Operand {
    /// A field of the record itself.
    pub fn field(name: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            field: name.into(),
            function: None,
            inside: None,
        }
    }

    /// The field of the record itself that it begins with.
    pub fn root(&self) -> &str {
        self.path.first().unwrap_or(&self.field)
    }

    /// The same as seen from the record that the first step leads to.
    #[must_use]
    pub fn rest(&self) -> Self {
        Self {
            path: self.path.get(1..).unwrap_or_default().to_vec(),
            ..self.clone()
        }
    }
}

impl PartialOrd for Function {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Function {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
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
    /// Text that matches a regular expression. In validation rules only.
    Matches(String),
    /// Whether a value was sent at all. In validation rules only.
    Submitted(bool),
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
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (one, other) => Self::And(vec![one, other]),
        }
    }

    /// Either condition.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Everything, _) | (_, Self::Everything) => Self::Everything,
            (Self::Nothing, filter) | (filter, Self::Nothing) => filter,
            (one, other) => Self::Or(vec![one, other]),
        }
    }

    /// One of these conditions; none of them is [`Filter::Nothing`].
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Self {
        filters.into_iter().fold(Self::Nothing, Self::or)
    }

    /// The field equals the value.
    pub fn equals(field: &str, value: impl Into<Value>) -> Self {
        Self::Field(Operand::field(field), Test::Equals(value.into()))
    }

    /// The record of that key.
    pub fn equals_key(key: crate::Key) -> Self {
        Self::equals("id", key.value())
    }

    /// The field has one of these values.
    pub fn one_of<V: Into<Value>>(field: &str, values: impl IntoIterator<Item = V>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self::Field(Operand::field(field), Test::OneOf(values))
    }

    /// The fields of the record itself that it looks at or sets out from.
    pub fn fields(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        self.collect(&mut found);
        found
    }

    fn collect<'f>(&'f self, found: &mut BTreeSet<&'f str>) {
        match self {
            Self::Everything | Self::Nothing => {}
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect(found)),
            Self::Field(operand, _) | Self::Some(operand, _) | Self::None(operand, _) => {
                found.insert(operand.root());
            }
        }
    }
}
