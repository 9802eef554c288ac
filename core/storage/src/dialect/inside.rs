//! Values inside of JSON.

use roster_domain::{Error, FieldType, JsonPath, Result, Value};
use sea_query::Expr;

use super::Dialect;

/// What is made of a value inside of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// It, if it is a text.
    Text,
    /// It, if it is a number.
    Number,
    /// It, if it is a boolean.
    Boolean,
    /// Whether there is something other than null.
    Presence,
    /// The place of its type in an order.
    Rank,
}

impl Part {
    /// The part that a value is compared with.
    pub(crate) fn of(value: &Value) -> Result<Self> {
        match value {
            Value::Text(_) => Ok(Self::Text),
            Value::Float(_) => Ok(Self::Number),
            Value::Boolean(_) => Ok(Self::Boolean),
            _ => Err(Error::internal("a value that is not inside of JSON")),
        }
    }

    /// The type of the part.
    pub(crate) const fn kind(self) -> FieldType {
        match self {
            Self::Text => FieldType::Text,
            Self::Number => FieldType::Float,
            Self::Boolean | Self::Presence => FieldType::Boolean,
            Self::Rank => FieldType::BigInteger,
        }
    }
}

/// What PostgreSQL finds at a path; without `strict` it would look into arrays by itself.
const FOUND: &str = "jsonb_path_query_first($1, CAST($2 AS jsonpath), '{}', TRUE)";

impl Dialect {
    /// A part of the value at a path inside of JSON; null where there is none.
    pub(crate) fn inside(self, json: Expr, path: &JsonPath, part: Part) -> Expr {
        let (sql, times) = match self {
            Self::Sqlite => match part {
                Part::Text => {
                    let sql = "CASE json_type(?, ?) WHEN 'text' THEN json_extract(?, ?) END";
                    (sql.to_owned(), 2)
                }
                Part::Number => {
                    let sql = "CASE WHEN json_type(?, ?) IN ('integer', 'real') THEN CAST(json_extract(?, ?) AS REAL) END";
                    (sql.to_owned(), 2)
                }
                Part::Boolean => {
                    let sql = "CASE json_type(?, ?) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END";
                    (sql.to_owned(), 1)
                }
                Part::Presence => ("json_extract(?, ?) IS NOT NULL".to_owned(), 1),
                Part::Rank => {
                    let sql = "CASE json_type(?, ?) WHEN 'true' THEN 1 WHEN 'false' THEN 1 WHEN 'integer' THEN 2 WHEN 'real' THEN 2 WHEN 'text' THEN 3 WHEN 'array' THEN 4 WHEN 'object' THEN 4 END";
                    (sql.to_owned(), 1)
                }
            },
            Self::Postgres => {
                let typed = |word: &str, kind: &str| {
                    format!(
                        "(SELECT CASE jsonb_typeof(v) WHEN '{word}' THEN CAST(v #>> '{{}}' AS {kind}) END FROM (SELECT {FOUND} AS v) AS f)"
                    )
                };
                let sql = match part {
                    Part::Text => format!("{} COLLATE \"C\"", typed("string", "text")),
                    Part::Number => typed("number", "double precision"),
                    Part::Boolean => typed("boolean", "boolean"),
                    Part::Presence => format!("jsonb_typeof({FOUND}) <> 'null'"),
                    Part::Rank => format!(
                        "CASE jsonb_typeof({FOUND}) WHEN 'boolean' THEN 1 WHEN 'number' THEN 2 WHEN 'string' THEN 3 WHEN 'array' THEN 4 WHEN 'object' THEN 4 END"
                    ),
                };
                (sql, 1)
            }
        };
        let way = match self {
            Self::Sqlite => path.to_string(),
            Self::Postgres => format!("strict {path}"),
        };
        let pair = [json, Expr::val(way)];
        let arguments = std::iter::repeat_n(pair, times).flatten();
        Expr::cust_with_exprs(sql, arguments)
    }
}
