//! Takes one key after the other out of the merged sources and collects the mistakes.

use std::ops::RangeInclusive;

use figment::value::{Dict, Value};
use figment::{Figment, Source};

use super::keys;
use super::layers::{self, Layer};
use super::mistake::{Mistake, Origin};

/// One value as it was written.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    value: &'a Value,
    origin: &'a Origin,
}

/// Why a value was not taken.
#[derive(Debug)]
pub(super) struct Bad {
    expected: String,
    /// The part that is wrong, when it is not the whole value.
    got: Option<String>,
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

    /// The value itself.
    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    /// Whether the source holds nothing but texts.
    fn is_textual(&self) -> bool {
        matches!(self.origin, Origin::Environment | Origin::Flag)
    }

    fn describe(&self) -> String {
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

/// The merged sources, and what was found wrong with them so far.
pub(super) struct Reader {
    sources: Figment,
    merged: Value,
    mistakes: Vec<Mistake>,
}

impl Reader {
    /// Merges the layers, a later one over an earlier one.
    pub(super) fn over(layers: Vec<Layer>, mistakes: Vec<Mistake>) -> Self {
        let defaults = Layer::defaults(&layers::plugin_names(&layers));
        let sources = layers
            .into_iter()
            .fold(Figment::from(defaults), Figment::merge);
        let merged = sources
            .find_value("")
            .unwrap_or_else(|_| Value::from(Dict::new()));
        Self {
            sources,
            merged,
            mistakes,
        }
    }

    /// Takes the value at `path`; a bad one is noted, and the default stands in for it.
    pub(super) fn read<T>(&mut self, path: &str, parse: impl Fn(&Raw<'_>) -> Result<T, Bad>) -> T {
        self.read_if_given(path, &parse).unwrap_or_else(|| {
            let value = layers::default_value(keys::default_of(path));
            parse(&Raw {
                value: &value,
                origin: &Origin::Default,
            })
            .unwrap_or_else(|bad| panic!("the default of `{path}` is no {}", bad.expected))
        })
    }

    /// Takes the value at `path`; none when there is none or a bad one, which is noted.
    pub(super) fn read_if_given<T>(
        &mut self,
        path: &str,
        parse: impl Fn(&Raw<'_>) -> Result<T, Bad>,
    ) -> Option<T> {
        let value = self.merged.find_ref(path)?;
        let origin = self.origin_of(value);
        let raw = Raw {
            value,
            origin: &origin,
        };
        let bad = match parse(&raw) {
            Ok(parsed) => return Some(parsed),
            Err(bad) => bad,
        };
        let got = if keys::is_secret(path) {
            "a value that is not shown here".to_owned()
        } else {
            bad.got.unwrap_or_else(|| raw.describe())
        };
        let problem = format!("expected {}, got {got}", bad.expected);
        self.mistakes.push(Mistake::at(path, &origin, problem));
        None
    }

    /// Notes a mistake that shows only when several keys are seen together.
    pub(super) fn note(&mut self, path: &str, problem: impl Into<String>) {
        let origin = self.origin(path);
        self.mistakes.push(Mistake::at(path, &origin, problem));
    }

    /// Where the value at `path` was written.
    pub(super) fn origin(&self, path: &str) -> Origin {
        self.merged
            .find_ref(path)
            .map_or(Origin::Default, |value| self.origin_of(value))
    }

    /// Whether any source but the defaults has a value at `path`.
    pub(super) fn is_given(&self, path: &str) -> bool {
        self.origin(path) != Origin::Default
    }

    /// Whether a mistake was noted at `path`.
    pub(super) fn is_mistaken(&self, path: &str) -> bool {
        self.mistakes
            .iter()
            .any(|mistake| mistake.key.as_deref() == Some(path))
    }

    /// The names in the section at `path`.
    pub(super) fn names_in(&self, path: &str) -> Vec<String> {
        let section = self.merged.find_ref(path).and_then(Value::as_dict);
        section
            .map(|dict| dict.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// The mistakes, at the end.
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes
    }

    fn origin_of(&self, value: &Value) -> Origin {
        let metadata = self.sources.get_metadata(value.tag());
        match metadata.and_then(|metadata| metadata.source.as_ref()) {
            Some(Source::File(path)) => Origin::File(path.clone()),
            Some(Source::Custom(kind)) if kind == layers::ENVIRONMENT => Origin::Environment,
            Some(Source::Custom(kind)) if kind == layers::FLAGS => Origin::Flag,
            _ => Origin::Default,
        }
    }
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
