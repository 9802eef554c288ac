//! A statement and its values, before it is run.

use std::sync::Arc;

use roster_domain::{Result, Valid};
use sea_query::{Expr, Value as Bound, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::AssertSqlSafe;

use crate::dialect::Dialect;

/// A statement with its values. The text holds placeholders only; values are always bound.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    text: Text,
    values: Values,
}

#[derive(Debug, Clone)]
enum Text {
    Constant(&'static str),
    Shared(Arc<str>),
    Own(String),
}

impl Statement {
    /// A statement written by hand, `$1`, `$2` … for the values.
    pub(crate) fn new(sql: &'static str, values: Vec<Bound>) -> Self {
        Self {
            text: Text::Constant(sql),
            values: Values(values),
        }
    }

    /// A statement that was put together.
    pub(crate) const fn dynamic(sql: String, values: Values) -> Self {
        Self {
            text: Text::Own(sql),
            values,
        }
    }

    /// A statement that was put together before.
    pub(crate) const fn planned(text: Arc<str>, values: Vec<Bound>) -> Self {
        Self {
            text: Text::Shared(text),
            values: Values(values),
        }
    }

    /// The same, prepared anew for each state of the fields: what was prepared before a column was
    /// added or changed is not used again.
    pub(crate) fn aged(self, epoch: u64) -> Self {
        if epoch <= 1 {
            return self;
        }
        let Self { text, values } = self;
        let text = match text {
            Text::Constant(text) => Text::Own(format!("{text} /* {epoch} */")),
            Text::Shared(text) => Text::Own(format!("{text} /* {epoch} */")),
            Text::Own(text) => Text::Own(text + &format!(" /* {epoch} */")),
        };
        Self { text, values }
    }

    /// The text and the values.
    pub(crate) fn into_parts(self) -> (String, Vec<Bound>) {
        let text = match self.text {
            Text::Constant(text) => text.to_owned(),
            Text::Shared(text) => text.as_ref().to_owned(),
            Text::Own(text) => text,
        };
        (text, self.values.0)
    }

    /// The statement for sqlx.
    pub(crate) fn query<DB: sqlx::Database>(self) -> sqlx::query::Query<'static, DB, SqlxValues>
    where
        SqlxValues: sqlx::IntoArguments<DB>,
    {
        let values = SqlxValues(self.values);
        match self.text {
            Text::Constant(text) => sqlx::query_with(text, values),
            Text::Shared(text) => sqlx::query_with(AssertSqlSafe(text), values),
            Text::Own(text) => sqlx::query_with(AssertSqlSafe(text), values),
        }
    }
}

/// The columns that a write fills, with their values.
pub(crate) fn bound(dialect: Dialect, valid: &Valid) -> Result<Vec<(&str, Expr)>> {
    let fields = valid.stored()?.into_iter().filter_map(|(name, value)| {
        let field = valid.schema().field(name)?;
        Some((name, dialect.bind(field.kind, value)))
    });
    Ok(fields.collect())
}
