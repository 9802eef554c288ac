//! Single values: how they were written, and how they become plain types.

use std::ops::RangeInclusive;

use figment::value::Value;

use super::mistake::Origin;

/// One value as it was written.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    /// The value.
    pub(super) value: &'a Value,
    /// Where it was written.
    pub(super) origin: &'a Origin,
}

/// Why a value was not taken.
#[derive(Debug)]
pub(super) struct Bad {
    /// What should have been there.
    pub(super) expected: String,
    /// The part that is wrong, when it is not the whole value.
    pub(super) got: Option<String>,
}

impl Bad {
    /// A value that should have been `expected`.
    pub(super) fn expected(expected: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            got: None,
        }
    }

    /// The same about one item of a list.
    fn about(mut self, item: &str) -> Self {
        self.got.get_or_insert_with(|| quote(item));
        self
    }
}

impl<'a> Raw<'a> {
    /// The value as text.
    pub(super) fn text(&self, expected: &str) -> Result<&'a str, Bad> {
        self.value.as_str().ok_or_else(|| Bad::expected(expected))
    }

    /// Whether the source holds nothing but texts.
    pub(super) fn is_textual(&self) -> bool {
        matches!(
            self.origin,
            Origin::Environment | Origin::Variable(_) | Origin::Flag
        )
    }

    /// The value as a message shows it.
    pub(super) fn describe(&self) -> String {
        match self.value {
            Value::String(_, text) if self.is_textual() => quote(text),
            Value::String(_, text) => format!("the string {}", quote(text)),
            Value::Char(_, char) => format!("the string {}", quote(&char.to_string())),
            Value::Bool(_, flag) => format!("`{flag}`"),
            Value::Num(_, number) => match number.to_i128() {
                Some(whole) => format!("the number `{whole}`"),
                None => format!("the number `{}`", number.to_f64().unwrap_or(f64::NAN)),
            },
            Value::Array(..) => "a list".to_owned(),
            Value::Dict(..) => "a table".to_owned(),
            Value::Empty(..) => "nothing".to_owned(),
        }
    }
}

fn quote(text: &str) -> String {
    const LONGEST: usize = 80;
    let shown: String = text.chars().take(LONGEST).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", shown.escape_debug())
}

/// Reads a text that is not empty.
pub(super) fn text(raw: &Raw<'_>) -> Result<String, Bad> {
    const EXPECTED: &str = "a text that is not empty";
    match raw.text(EXPECTED)? {
        "" => Err(Bad::expected(EXPECTED)),
        text => Ok(text.to_owned()),
    }
}

/// Reads a text, where the empty one stands for none.
pub(super) fn text_or_none(raw: &Raw<'_>) -> Result<Option<String>, Bad> {
    Ok(Some(raw.text("a text")?.to_owned()).filter(|text| !text.is_empty()))
}

/// Reads `true` or `false`.
pub(super) fn flag(raw: &Raw<'_>) -> Result<bool, Bad> {
    match (raw.value, raw.value.as_str()) {
        (Value::Bool(_, flag), _) => Ok(*flag),
        (_, Some("true")) if raw.is_textual() => Ok(true),
        (_, Some("false")) if raw.is_textual() => Ok(false),
        _ => Err(Bad::expected("`true` or `false`")),
    }
}

/// Reads a whole number within `range`.
pub(super) fn whole<T: TryFrom<i64>>(
    range: RangeInclusive<i64>,
) -> impl Fn(&Raw<'_>) -> Result<T, Bad> {
    move |raw| {
        let number = match raw.value {
            Value::Num(_, number) => number.to_i128().and_then(|wide| i64::try_from(wide).ok()),
            Value::String(_, text) if raw.is_textual() => text.parse().ok(),
            _ => None,
        };
        let (least, most) = (range.start(), range.end());
        let fits = number.filter(|number| range.contains(number));
        fits.and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| Bad::expected(format!("a whole number from {least} to {most}")))
    }
}

/// Reads one of a few words.
pub(super) fn choice<T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl Fn(&Raw<'_>) -> Result<T, Bad> {
    move |raw| {
        let found = raw
            .value
            .as_str()
            .and_then(|text| words.iter().find(|word| word.0 == text));
        found.map(|word| word.1).ok_or_else(|| {
            let known: Vec<String> = words.iter().map(|word| format!("`{}`", word.0)).collect();
            Bad::expected(known.join(" or "))
        })
    }
}

/// Reads a list; in variables and flags its items stand between commas, or as a JSON array.
pub(super) fn list<T>(
    item: impl Fn(&str) -> Result<T, Bad>,
) -> impl Fn(&Raw<'_>) -> Result<Vec<T>, Bad> {
    const EXPECTED: &str = "a list of texts";
    let one = move |text: &str| item(text).map_err(|bad| bad.about(text));
    move |raw| match raw.value {
        Value::Array(_, items) => items
            .iter()
            .map(|value| {
                one(Raw {
                    value,
                    origin: raw.origin,
                }
                .text(EXPECTED)?)
            })
            .collect(),
        Value::String(_, text) if raw.is_textual() => split(text)
            .ok_or(Bad::expected(EXPECTED))?
            .iter()
            .map(|text| one(text))
            .collect(),
        _ => Err(Bad::expected(EXPECTED)),
    }
}

fn split(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if text.starts_with('[') {
        return serde_json::from_str(text).ok();
    }
    let items = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    Some(items.map(str::to_owned).collect())
}

/// Takes an item of a list as it is, unless it is empty.
pub(super) fn any_text(text: &str) -> Result<String, Bad> {
    if text.is_empty() {
        Err(Bad::expected("texts that are not empty"))
    } else {
        Ok(text.into())
    }
}
