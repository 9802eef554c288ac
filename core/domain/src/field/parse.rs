//! JSON → [`Value`], by the type of a field.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Field, FieldType, describe};
use crate::value::Decimal;
use crate::{Value, clock};

impl Field {
    /// Reads a value of this field. The error is what was expected and what came instead.
    pub fn parse(&self, json: &Json) -> Result<Value, (&'static str, &'static str)> {
        let parsed = match (self.kind, json) {
            (_, Json::Null) => Some(Value::Null),
            (FieldType::String | FieldType::Text | FieldType::Hash, Json::String(text)) => {
                // PostgreSQL cannot store U+0000; refused for both, so that both agree.
                (!text.contains('\0')).then(|| Value::Text(text.clone()))
            }
            (FieldType::Hash, Json::Number(n)) => Some(Value::Text(n.to_string())),
            (FieldType::Integer, json) => whole(json)
                .filter(|n| i32::try_from(*n).is_ok())
                .map(Value::Integer),
            (FieldType::Serial, json) => whole(json).map(Value::Integer),
            (FieldType::BigInteger, json) => match json {
                Json::String(text) => text.parse().ok(),
                json => whole(json),
            }
            .map(Value::BigInteger),
            (FieldType::Float, Json::Number(n)) => n.as_f64().map(Value::Float),
            (FieldType::Decimal, Json::Number(n)) => self.decimal_of(&n.to_string()),
            (FieldType::Decimal, Json::String(text)) => self.decimal_of(text),
            (FieldType::Boolean, Json::Bool(b)) => Some(Value::Boolean(*b)),
            (FieldType::Date, Json::String(text)) => date(text).map(Value::Date),
            (FieldType::Time, Json::String(text)) => time(text).map(Value::Time),
            (FieldType::DateTime, Json::String(text)) => date_time(text).map(Value::DateTime),
            (FieldType::Timestamp, Json::String(text)) => moment(text).map(Value::Timestamp),
            (FieldType::Json, json) => (!holds_nul(json)).then(|| Value::Json(json.clone())),
            (FieldType::Csv, Json::Array(items)) => csv(items).map(Value::Csv),
            (FieldType::Csv, Json::String(text)) => {
                (!text.contains('\0')).then(|| Value::Csv(text.clone()))
            }
            (FieldType::Uuid, Json::String(text)) => (text.len() == 36)
                .then(|| Uuid::parse_str(text).ok().map(Value::Uuid))
                .flatten(),
            _ => None,
        };
        parsed.ok_or_else(|| (self.kind.expected(), describe(json)))
    }

    fn decimal_of(&self, text: &str) -> Option<Value> {
        let (precision, scale) = self.decimal;
        let decimal = Decimal::parse(text, scale)?;
        let limit = 10_i64.checked_pow(precision)?;
        (decimal.unscaled.unsigned_abs() < limit.unsigned_abs()).then_some(Value::Decimal(decimal))
    }
}

fn whole(json: &Json) -> Option<i64> {
    json.as_i64()
}

/// Years before 1 or after 9999 do not sort as text, which is how SQLite keeps days.
fn has_usual_year(day: NaiveDate) -> bool {
    use chrono::Datelike;
    (1..=9999).contains(&day.year())
}

/// `2026-01-31`, or the day of a date with a time.
pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .or_else(|| date_time(text).map(|moment| moment.date()))?;
    has_usual_year(day).then_some(day)
}

/// `10:11:12` or `10:11`.
pub(crate) fn time(text: &str) -> Option<NaiveTime> {
    let exact = NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok();
    let time = exact.or_else(|| NaiveTime::parse_from_str(text, "%H:%M").ok())?;
    chrono::Timelike::with_nanosecond(&time, 0)
}

/// `2026-01-31T10:11:12`; of a moment with a zone its UTC.
pub(crate) fn date_time(text: &str) -> Option<NaiveDateTime> {
    let cut = |moment: NaiveDateTime| chrono::Timelike::with_nanosecond(&moment, 0);
    let zoned = clock::parse(text).map(|moment| moment.naive_utc());
    let formats = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
    ];
    let plain = || {
        let mut parsed = formats.iter();
        parsed.find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    };
    let midnight = || {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        day.and_hms_opt(0, 0, 0)
    };
    let moment = zoned.or_else(plain).or_else(midnight).and_then(cut)?;
    has_usual_year(moment.date()).then_some(moment)
}

/// A moment; without a zone it is UTC.
pub(crate) fn moment(text: &str) -> Option<crate::Timestamp> {
    let moment = clock::parse(text).or_else(|| date_time(text).map(|moment| moment.and_utc()))?;
    has_usual_year(moment.date_naive()).then_some(moment)
}

fn csv(items: &[Json]) -> Option<String> {
    let mut words = Vec::with_capacity(items.len());
    for item in items {
        let word = item.as_str()?;
        if word.contains([',', '\0']) {
            return None;
        }
        words.push(word);
    }
    Some(words.join(","))
}

fn holds_nul(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(holds_nul),
        Json::Object(map) => map.iter().any(|(k, v)| k.contains('\0') || holds_nul(v)),
        _ => false,
    }
}
