//! `json(extra.address.lines[0])`: a value inside of a JSON field (contract/query.md §4.4).

use std::fmt;

use serde_json::Value as Json;

use crate::{Error, Field, FieldType, Result, Value};

/// How deep a path leads at most.
const DEEPEST: usize = 20;

/// The way to a value inside of a JSON value.
///
/// Its `Display` is that of SQL/JSON: `$."a"[0]`, with the escapes of JSON in its keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct JsonPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    Index(u16),
}

impl JsonPath {
    /// Splits `json(field.path)` into the field and the way from there; `None` for other texts.
    ///
    /// # Errors
    /// `INVALID_QUERY` for a path that cannot be read, or is too deep.
    pub(crate) fn split(text: &str) -> Result<Option<(&str, Self)>> {
        let argument = text
            .strip_prefix("json(")
            .and_then(|rest| rest.strip_suffix(')'));
        let Some(argument) = argument else {
            return Ok(None);
        };
        let bad = || {
            let reason = format!("\"{text}\" must be like json(field.key[0].key)");
            Error::invalid_query(reason)
        };
        let end = argument.find(['.', '[']).ok_or_else(bad)?;
        let (field, rest) = argument.split_at(end);
        let mut steps = Vec::new();
        for part in rest.strip_prefix('.').unwrap_or(rest).split('.') {
            let (key, indexes) = part
                .split_once('[')
                .map_or((part, ""), |(key, rest)| (key, rest));
            if !key.is_empty() {
                steps.push(Step::Key(key.to_owned()));
            } else if indexes.is_empty() {
                return Err(bad());
            }
            if part.contains('[') {
                let indexes = indexes.strip_suffix(']').ok_or_else(bad)?;
                for index in indexes.split("][") {
                    steps.push(Step::Index(index.parse().map_err(|_| bad())?));
                }
            }
        }
        // PostgreSQL knows no U+0000.
        if argument.contains('\0') || field.is_empty() || steps.is_empty() || steps.len() > DEEPEST
        {
            return Err(bad());
        }
        Ok(Some((field, Self(steps))))
    }

    /// Refuses a field that has nothing inside, or nothing that may be looked at.
    ///
    /// # Errors
    /// `INVALID_QUERY`.
    pub(crate) fn check(field: &Field) -> Result<()> {
        let (name, kind) = (&field.name, field.kind.as_str());
        let got = match field.kind {
            FieldType::Json if !field.is_concealed => return Ok(()),
            FieldType::Json => "a concealed one".to_owned(),
            _ => format!("one of type {kind}"),
        };
        Err(Error::invalid_query(format!(
            "Invalid function specified \"json\": field `{name}`: expected a field of type json, got {got}"
        )))
    }

    /// What the value is called in an answer: `extra_a_b_0_json`.
    pub(crate) fn name(text: &str) -> String {
        let argument = text.trim_start_matches("json(").trim_end_matches(')');
        let words = argument
            .split(['.', '[', ']'])
            .filter(|word| !word.is_empty());
        format!("{}_json", words.collect::<Vec<_>>().join("_"))
    }

    /// The value that the path leads to; null where it leads nowhere.
    pub fn pick(&self, value: Value) -> Value {
        let Value::Json(mut json) = value else {
            return Value::Null;
        };
        for step in &self.0 {
            let next = match step {
                Step::Key(key) => json.get_mut(key),
                Step::Index(index) => json.get_mut(usize::from(*index)),
            };
            json = next.map(Json::take).unwrap_or_default();
        }
        if json.is_null() {
            Value::Null
        } else {
            Value::Json(json)
        }
    }

    /// The same as it is compared: a text, a number of double precision, a boolean; an array or an
    /// object is equal to nothing.
    pub(crate) fn compared(&self, value: Value) -> Value {
        match self.pick(value) {
            Value::Json(Json::String(text)) => Value::Text(text),
            Value::Json(Json::Bool(flag)) => Value::Boolean(flag),
            Value::Json(Json::Number(number)) => number.as_f64().map_or(Value::Null, Value::Float),
            other => other,
        }
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for step in &self.0 {
            match step {
                Step::Key(key) => write!(f, ".{}", Json::from(key.as_str()))?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_into_a_value() {
        let value = Value::Json(json!({ "a": { "b": [1, [2, { "c": null }]] }, "x y": "z" }));
        for (text, field, found) in [
            ("json(extra.a.b[0])", "extra", json!(1)),
            ("json(extra.a.b[1][0])", "extra", json!(2)),
            ("json(extra.a.b[1][1].c)", "extra", Json::Null),
            ("json(extra.x y)", "extra", json!("z")),
            ("json(extra.a.nothing.here)", "extra", Json::Null),
            ("json(extra[3])", "extra", Json::Null),
        ] {
            let (name, path) = JsonPath::split(text).expect("read").expect("a path");
            assert_eq!(
                (name, path.pick(value.clone()).to_json()),
                (field, found),
                "{text}"
            );
        }
        for bad in [
            "json()",
            "json(extra)",
            "json(extra.)",
            "json(.a)",
            "json(extra[x])",
            "json(extra[1)",
            "json(extra..a)",
            "json(extra.a\0)",
            "json(extra[65536])",
        ] {
            assert!(JsonPath::split(bad).is_err(), "{bad}");
        }
        assert_eq!(JsonPath::name("json(a.b[0])"), "a_b_0_json");
        let quoted = JsonPath::split(r#"json(a.it's "x"\[0].é)"#);
        let (_, quoted) = quoted.expect("read").expect("a path");
        assert_eq!(quoted.to_string(), r#"$."it's \"x\"\\"[0]."é""#);
        let deep = format!("json(extra{})", ".a".repeat(DEEPEST + 1));
        assert!(JsonPath::split(&deep).is_err());
        assert_eq!(JsonPath::split("year(extra)").expect("read"), None);
    }
}
