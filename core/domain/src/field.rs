//! The definition of a field.

use serde_json::Value as Json;
use uuid::Uuid;

use crate::{Value, clock};

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Text of limited length.
    String,
    /// Text.
    Text,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    BigInteger,
    /// A number.
    Float,
    /// Yes or no.
    Boolean,
    /// A moment in UTC.
    Timestamp,
    /// Any JSON.
    Json,
    /// A UUID.
    Uuid,
    /// A secret, kept as its hash.
    Hash,
}

impl FieldType {
    /// The word on the wire, such as `bigInteger`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Text => "text",
            Self::Integer => "integer",
            Self::BigInteger => "bigInteger",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::Json => "json",
            Self::Uuid => "uuid",
            Self::Hash => "hash",
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::String | Self::Text | Self::Hash => "a string",
            Self::Integer => "an integer of 32 bits",
            Self::BigInteger => "an integer",
            Self::Float => "a number",
            Self::Boolean => "a boolean",
            Self::Timestamp => "a timestamp such as 2026-01-31T10:11:12Z",
            Self::Json => "JSON",
            Self::Uuid => "a UUID",
        }
    }

    /// Reads a value of this type. The error is what was expected and what came instead.
    pub fn parse(self, json: &Json) -> Result<Value, (&'static str, &'static str)> {
        let parsed = match (self, json) {
            (_, Json::Null) => Some(Value::Null),
            (Self::String | Self::Text | Self::Hash, Json::String(text)) => {
                // PostgreSQL cannot store U+0000; refused for both, so that both agree.
                (!text.contains('\0')).then(|| Value::Text(text.clone()))
            }
            (Self::Integer, Json::Number(n)) => n
                .as_i64()
                .filter(|n| i32::try_from(*n).is_ok())
                .map(Value::Integer),
            (Self::BigInteger, Json::Number(n)) => n.as_i64().map(Value::Integer),
            (Self::Float, Json::Number(n)) => n.as_f64().map(Value::Float),
            (Self::Boolean, Json::Bool(b)) => Some(Value::Boolean(*b)),
            (Self::Timestamp, Json::String(text)) => clock::parse(text).map(Value::Timestamp),
            (Self::Json, json) => (!holds_nul(json)).then(|| Value::Json(json.clone())),
            (Self::Uuid, Json::String(text)) => (text.len() == 36)
                .then(|| Uuid::parse_str(text).ok().map(Value::Uuid))
                .flatten(),
            _ => None,
        };
        parsed.ok_or_else(|| (self.expected(), describe(json)))
    }
}

fn holds_nul(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(holds_nul),
        Json::Object(map) => map.iter().any(|(k, v)| k.contains('\0') || holds_nul(v)),
        _ => false,
    }
}

/// What kind of JSON this is, in words.
pub fn describe(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(n) if n.is_f64() => "a number with a fraction",
        Json::Number(_) => "an integer",
        Json::String(text) if text.contains('\0') => "a string with the character U+0000",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

/// Where the values of a field live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// In the column of that name.
    Stored,
    /// Nowhere: the ids of the access rows that attach policies to the user.
    AccessRows,
}

/// A field of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name, on the wire and in the database.
    pub name: String,
    /// What it holds.
    pub kind: FieldType,
    /// The longest text it takes, in characters.
    pub max_length: Option<usize>,
    /// Whether it may hold nothing.
    pub is_nullable: bool,
    /// What it holds when nothing is said.
    pub default: Value,
    /// Whether its values never leave.
    pub is_concealed: bool,
    /// Where its values live.
    pub column: Column,
}

impl Field {
    /// A nullable field without default or limit.
    pub fn new(name: &str, kind: FieldType) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            max_length: None,
            is_nullable: true,
            default: Value::Null,
            is_concealed: false,
            column: Column::Stored,
        }
    }

    /// Whether a client can write it at all.
    pub const fn is_writable(&self) -> bool {
        matches!(self.column, Column::Stored)
    }
}
