//! Functions of values (contract/query.md §4.4).

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use serde_json::Value as Json;

use crate::field::Link;
use crate::{Field, FieldType, Value};

/// A function of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// The year.
    Year,
    /// The month, 1 to 12.
    Month,
    /// The week of the year (ISO 8601), 1 to 53.
    Week,
    /// The day of the month, 1 to 31.
    Day,
    /// The day of the week; 0 is Sunday.
    Weekday,
    /// The hour, 0 to 23.
    Hour,
    /// The minute, 0 to 59.
    Minute,
    /// The second, 0 to 59.
    Second,
    /// How many elements a JSON array has, or how many records a list.
    Count,
}

impl Function {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Year, "year"),
        (Self::Month, "month"),
        (Self::Week, "week"),
        (Self::Day, "day"),
        (Self::Weekday, "weekday"),
        (Self::Hour, "hour"),
        (Self::Minute, "minute"),
        (Self::Second, "second"),
        (Self::Count, "count"),
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(function, _)| *function == self)
            .map_or("", |(_, name)| name)
    }

    /// Splits `year(last_access)`; `None` for a plain name. The first part may be unknown.
    pub fn split(text: &str) -> Option<(Option<Self>, &str, &str)> {
        let (name, rest) = text.split_once('(')?;
        let argument = rest.strip_suffix(')')?;
        let known = Self::ALL.into_iter().find(|(_, known)| *known == name);
        Some((known.map(|(function, _)| function), name, argument))
    }

    /// Whether it takes the values of a field.
    pub fn takes(self, field: &Field) -> bool {
        let is_day = matches!(
            field.kind,
            FieldType::Date | FieldType::DateTime | FieldType::Timestamp
        );
        let is_time = matches!(
            field.kind,
            FieldType::Time | FieldType::DateTime | FieldType::Timestamp
        );
        !field.is_concealed
            && match self {
                Self::Year | Self::Month | Self::Week | Self::Day | Self::Weekday => is_day,
                Self::Hour | Self::Minute | Self::Second => is_time,
                Self::Count => {
                    field.kind == FieldType::Json || matches!(field.link, Some(Link::Many { .. }))
                }
            }
    }

    /// What it makes of a value. [`Function::Count`] of a list is the caller's business.
    pub fn apply(self, value: &Value) -> Value {
        let (day, time) = match value {
            Value::Date(day) => (Some(*day), None),
            Value::Time(time) => (None, Some(*time)),
            Value::DateTime(moment) => (Some(moment.date()), Some(moment.time())),
            Value::Timestamp(moment) => (Some(moment.date_naive()), Some(moment.time())),
            Value::Json(Json::Array(items)) if self == Self::Count => {
                return Value::Integer(i64::try_from(items.len()).unwrap_or(i64::MAX));
            }
            Value::Json(_) if self == Self::Count => return Value::Integer(0),
            _ => return Value::Null,
        };
        let of_day = |part: fn(NaiveDate) -> i64| day.map(part);
        let of_time = |part: fn(NaiveTime) -> i64| time.map(part);
        let number = match self {
            Self::Year => of_day(|day| day.year().into()),
            Self::Month => of_day(|day| day.month().into()),
            Self::Week => of_day(|day| day.iso_week().week().into()),
            Self::Day => of_day(|day| day.day().into()),
            Self::Weekday => of_day(|day| day.weekday().num_days_from_sunday().into()),
            Self::Hour => of_time(|time| time.hour().into()),
            Self::Minute => of_time(|time| time.minute().into()),
            Self::Second => of_time(|time| time.second().into()),
            Self::Count => None,
        };
        number.map_or(Value::Null, Value::Integer)
    }
}
