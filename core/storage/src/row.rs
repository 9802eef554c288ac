//! Rows, decoded by what is expected and never by what the column says.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use roster_domain::value::Decimal;
use roster_domain::{Error, Field, FieldType, Result, Timestamp, Value, clock};
use serde_json::Value as Json;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Type};
use uuid::Uuid;

/// A row of either database.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    fn get<'r, T>(&'r self, index: usize) -> Result<Option<T>>
    where
        T: sqlx::Decode<'r, sqlx::Sqlite> + Type<sqlx::Sqlite>,
        T: sqlx::Decode<'r, sqlx::Postgres> + Type<sqlx::Postgres>,
    {
        match self {
            Self::Sqlite(row) => row.try_get_unchecked(index),
            Self::Postgres(row) => row.try_get_unchecked(index),
        }
        .map_err(Error::internal)
    }

    /// Text, or null.
    pub(crate) fn text(&self, index: usize) -> Result<Option<String>> {
        self.get::<String>(index)
    }

    /// Text where there always is one.
    pub(crate) fn word(&self, index: usize) -> Result<String> {
        self.text(index)?.ok_or_else(|| missing(index))
    }

    /// A boolean, or null.
    pub(crate) fn boolean(&self, index: usize) -> Result<Option<bool>> {
        self.get::<bool>(index)
    }

    /// An integer of 64 bits, or null.
    pub(crate) fn integer(&self, index: usize) -> Result<Option<i64>> {
        self.get::<i64>(index)
    }

    /// An integer of 64 bits where there always is one.
    pub(crate) fn count(&self, index: usize) -> Result<i64> {
        self.integer(index)?.ok_or_else(|| missing(index))
    }

    /// An integer of 32 bits where there always is one.
    pub(crate) fn small(&self, index: usize) -> Result<i32> {
        self.get::<i32>(index)?.ok_or_else(|| missing(index))
    }

    /// Bytes where there always are some.
    pub(crate) fn bytes(&self, index: usize) -> Result<Vec<u8>> {
        self.get::<Vec<u8>>(index)?.ok_or_else(|| missing(index))
    }

    /// A UUID, or null.
    pub(crate) fn uuid(&self, index: usize) -> Result<Option<Uuid>> {
        match self {
            Self::Sqlite(row) => {
                let text: Option<&str> = row.try_get_unchecked(index).map_err(Error::internal)?;
                text.map(Uuid::parse_str)
                    .transpose()
                    .map_err(Error::internal)
            }
            Self::Postgres(row) => row.try_get_unchecked(index).map_err(Error::internal),
        }
    }

    /// A UUID where there always is one.
    pub(crate) fn id(&self, index: usize) -> Result<Uuid> {
        self.uuid(index)?.ok_or_else(|| missing(index))
    }

    /// A moment, or null.
    pub(crate) fn timestamp(&self, index: usize) -> Result<Option<Timestamp>> {
        match self {
            Self::Sqlite(row) => {
                let text: Option<&str> = row.try_get_unchecked(index).map_err(Error::internal)?;
                text.map(|text| {
                    clock::parse(text)
                        .ok_or_else(|| Error::internal(format!("no timestamp in column {index}")))
                })
                .transpose()
            }
            Self::Postgres(row) => {
                let moment: Option<DateTime<Utc>> =
                    row.try_get_unchecked(index).map_err(Error::internal)?;
                Ok(moment)
            }
        }
    }

    /// A moment where there always is one.
    pub(crate) fn moment(&self, index: usize) -> Result<Timestamp> {
        self.timestamp(index)?.ok_or_else(|| missing(index))
    }

    /// JSON, or null.
    pub(crate) fn json(&self, index: usize) -> Result<Option<Json>> {
        match self {
            Self::Sqlite(row) => {
                let text: Option<&str> = row.try_get_unchecked(index).map_err(Error::internal)?;
                text.map(serde_json::from_str)
                    .transpose()
                    .map_err(Error::internal)
            }
            Self::Postgres(row) => row.try_get_unchecked(index).map_err(Error::internal),
        }
    }

    /// A decimal number: scaled on SQLite, text on PostgreSQL.
    fn decimal(&self, index: usize, scale: u32) -> Result<Option<Value>> {
        let decimal = match self {
            Self::Sqlite(_) => {
                let unscaled = self.integer(index)?;
                unscaled.map(|unscaled| Some(Decimal { unscaled, scale }))
            }
            Self::Postgres(_) => self.text(index)?.map(|text| Decimal::parse(&text, scale)),
        };
        let decimal = decimal.map(|decimal| decimal.ok_or_else(|| unreadable(index)));
        Ok(decimal.transpose()?.map(Value::Decimal))
    }

    /// A day, a time or both: text on SQLite, native on PostgreSQL.
    fn day(&self, index: usize, kind: FieldType) -> Result<Option<Value>> {
        match self {
            Self::Sqlite(row) => {
                let text: Option<&str> = row.try_get_unchecked(index).map_err(Error::internal)?;
                let parse = |text: &str| {
                    let field = Field::new("", kind);
                    field
                        .parse(&Json::from(text))
                        .map_err(|_| unreadable(index))
                };
                text.map(parse).transpose()
            }
            Self::Postgres(row) => {
                let value = match kind {
                    FieldType::Date => row
                        .try_get_unchecked::<Option<NaiveDate>, _>(index)
                        .map(|day| day.map(Value::Date)),
                    FieldType::Time => row
                        .try_get_unchecked::<Option<NaiveTime>, _>(index)
                        .map(|time| time.map(Value::Time)),
                    _ => row
                        .try_get_unchecked::<Option<NaiveDateTime>, _>(index)
                        .map(|moment| moment.map(Value::DateTime)),
                };
                value.map_err(Error::internal)
            }
        }
    }

    /// The value of a field, as [`crate::sql::Sql`] selected it.
    pub(crate) fn value(&self, index: usize, field: &Field) -> Result<Value> {
        if field.is_concealed {
            let is_there = self.boolean(index)?.unwrap_or_default();
            return Ok(if is_there {
                Value::Concealed
            } else {
                Value::Null
            });
        }
        let value = match field.kind {
            FieldType::Alias | FieldType::Json => self
                .json(index)?
                .filter(|json| !json.is_null())
                .map(Value::Json),
            FieldType::String | FieldType::Text | FieldType::Hash => {
                self.text(index)?.map(Value::Text)
            }
            FieldType::Csv => self.text(index)?.map(Value::Csv),
            FieldType::Integer => self.get::<i32>(index)?.map(|n| Value::Integer(n.into())),
            FieldType::Serial => self.integer(index)?.map(Value::Integer),
            FieldType::BigInteger => self.integer(index)?.map(Value::BigInteger),
            FieldType::Float => self.get::<f64>(index)?.map(Value::Float),
            FieldType::Decimal => self.decimal(index, field.decimal.1)?,
            FieldType::Boolean => self.boolean(index)?.map(Value::Boolean),
            FieldType::Uuid => self.uuid(index)?.map(Value::Uuid),
            FieldType::Date => self.day(index, FieldType::Date)?,
            FieldType::Time => self.day(index, FieldType::Time)?,
            FieldType::DateTime => self.day(index, FieldType::DateTime)?,
            FieldType::Timestamp => self.timestamp(index)?.map(Value::Timestamp),
        };
        Ok(value.unwrap_or(Value::Null))
    }
}

fn unreadable(index: usize) -> Error {
    Error::internal(format!("column {index} holds what its field does not take"))
}

fn missing(index: usize) -> Error {
    Error::internal(format!("column {index} is null where it cannot be"))
}
