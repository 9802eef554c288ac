//! What a field holds.

use std::cmp::Ordering;
use std::fmt;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{Timestamp, clock};

/// What stands on the wire for a concealed value that is there.
pub const MASK: &str = "**********";

/// What a field of a record holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number that is text on the wire.
    BigInteger(i64),
    /// A number.
    Float(f64),
    /// A decimal number.
    Decimal(Decimal),
    /// Text.
    Text(String),
    /// Texts, joined by commas.
    Csv(String),
    /// A UUID.
    Uuid(Uuid),
    /// A day.
    Date(NaiveDate),
    /// A time of day, to the second.
    Time(NaiveTime),
    /// A day and a time without a zone, to the second.
    DateTime(NaiveDateTime),
    /// A moment.
    Timestamp(Timestamp),
    /// Any JSON but null.
    Json(Json),
    /// A secret that is there and that storage does not hand out.
    Concealed,
}

/// A decimal number: `unscaled` divided by ten to the power of `scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// All digits.
    pub unscaled: i64,
    /// How many of them stand after the point.
    pub scale: u32,
}

impl Decimal {
    /// The most digits that fit.
    pub const PRECISION: u32 = 18;

    /// Reads a number with at most `scale` digits after the point; zeros beyond are dropped.
    pub fn parse(text: &str, scale: u32) -> Option<Self> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all: String = [whole, fraction].concat();
        let is_number = !all.is_empty() && all.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || all.len() > 64 || exponent.unsigned_abs() > 64 {
            return None;
        }
        // How many places the digits have to move to the left.
        let places = i32::try_from(scale).ok()? + exponent - i32::try_from(fraction.len()).ok()?;
        let mut unscaled: i128 = all
            .trim_start_matches('0')
            .parse()
            .or_else(|error| {
                if all.bytes().all(|byte| byte == b'0') {
                    Ok(0)
                } else {
                    Err(error)
                }
            })
            .ok()?;
        for _ in 0..places.max(0) {
            unscaled = unscaled.checked_mul(10)?;
        }
        for _ in 0..(-places).max(0) {
            if unscaled % 10 != 0 {
                return None;
            }
            unscaled /= 10;
        }
        let unscaled = if negative { -unscaled } else { unscaled };
        let unscaled = i64::try_from(unscaled).ok()?;
        Some(Self { unscaled, scale })
    }
}

impl fmt::Display for Decimal {
    /// The shortest form: no zeros at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u64.saturating_pow(self.scale);
        let magnitude = self.unscaled.unsigned_abs();
        let (whole, fraction) = (magnitude / unit, magnitude % unit);
        if self.unscaled < 0 {
            f.write_str("-")?;
        }
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{fraction:0width$}", width = self.scale as usize);
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl Value {
    /// Whether there is nothing.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Csv(text) => Some(text),
            _ => None,
        }
    }

    /// The UUID, if it is one.
    pub const fn as_uuid(&self) -> Option<Uuid> {
        match self {
            Self::Uuid(uuid) => Some(*uuid),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) | Self::BigInteger(number) => Some(*number),
            _ => None,
        }
    }

    /// The wire's form.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Boolean(value) => Json::Bool(*value),
            Self::Integer(value) => Json::from(*value),
            Self::BigInteger(value) => Json::String(value.to_string()),
            Self::Float(value) => Json::from(*value),
            Self::Decimal(value) => Json::String(value.to_string()),
            Self::Text(text) => Json::String(text.clone()),
            Self::Csv(text) => Json::Array(words(text).map(Json::from).collect()),
            Self::Uuid(uuid) => Json::String(uuid.to_string()),
            Self::Date(day) => Json::String(day.format(DATE).to_string()),
            Self::Time(time) => Json::String(time.format(TIME).to_string()),
            Self::DateTime(moment) => Json::String(moment.format(DATE_TIME).to_string()),
            Self::Timestamp(moment) => Json::String(clock::format(*moment)),
            Self::Json(json) => json.clone(),
            Self::Concealed => Json::String(MASK.to_owned()),
        }
    }

    /// How two values of one field compare; `None` where either is null or they do not compare.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => Some(a.cmp(b)),
            (Self::Integer(a) | Self::BigInteger(a), Self::Integer(b) | Self::BigInteger(b)) => {
                Some(a.cmp(b))
            }
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Decimal(a), Self::Decimal(b)) if a.scale == b.scale => {
                Some(a.unscaled.cmp(&b.unscaled))
            }
            (Self::Text(a) | Self::Csv(a), Self::Text(b) | Self::Csv(b)) => Some(a.cmp(b)),
            (Self::Uuid(a), Self::Uuid(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            (Self::DateTime(a), Self::DateTime(b)) => Some(a.cmp(b)),
            (Self::Timestamp(a), Self::Timestamp(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// How a day is written.
pub const DATE: &str = "%Y-%m-%d";
/// How a time of day is written.
pub const TIME: &str = "%H:%M:%S";
/// How a day and a time without a zone are written.
pub const DATE_TIME: &str = "%Y-%m-%dT%H:%M:%S";

/// The texts of a list joined by commas; the empty text is the empty list.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(move |_| !text.is_empty())
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::BigInteger(value) => serializer.collect_str(value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Decimal(value) => serializer.collect_str(value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Csv(text) => serializer.collect_seq(words(text)),
            Self::Uuid(uuid) => {
                serializer.serialize_str(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
            Self::Date(day) => serializer.collect_str(&day.format(DATE)),
            Self::Time(time) => serializer.collect_str(&time.format(TIME)),
            Self::DateTime(moment) => serializer.collect_str(&moment.format(DATE_TIME)),
            Self::Timestamp(moment) => serializer.serialize_str(&clock::format(*moment)),
            Self::Json(json) => json.serialize(serializer),
            Self::Concealed => serializer.serialize_str(MASK),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Uuid> for Value {
    fn from(uuid: Uuid) -> Self {
        Self::Uuid(uuid)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
