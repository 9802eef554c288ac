//! A statement and its values, before it is run.

use std::borrow::Cow;

use sea_query::{Value as Bound, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::AssertSqlSafe;

/// A statement with its values. The text holds placeholders only; values are always bound.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    sql: Cow<'static, str>,
    values: Values,
}

impl Statement {
    /// A statement written by hand, `$1`, `$2` … for the values.
    pub(crate) fn new(sql: &'static str, values: Vec<Bound>) -> Self {
        Self {
            sql: Cow::Borrowed(sql),
            values: Values(values),
        }
    }

    /// A statement that was put together.
    pub(crate) const fn dynamic(sql: String, values: Values) -> Self {
        Self {
            sql: Cow::Owned(sql),
            values,
        }
    }

    /// The statement for sqlx.
    pub(crate) fn query<DB: sqlx::Database>(self) -> sqlx::query::Query<'static, DB, SqlxValues>
    where
        SqlxValues: sqlx::IntoArguments<DB>,
    {
        match self.sql {
            Cow::Borrowed(sql) => sqlx::query_with(sql, SqlxValues(self.values)),
            Cow::Owned(sql) => sqlx::query_with(AssertSqlSafe(sql), SqlxValues(self.values)),
        }
    }
}
