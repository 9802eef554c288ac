//! Whether the configuration of a plugin is what its JSON Schema says.
//!
//! By hand, as the library of the field brings a tree of crates along for its own sake: this is
//! the part that schemas of types use. A keyword that is not known here says nothing, and the
//! plugin itself judges when it starts.

use std::cell::Cell;

use serde_json::Value as Json;

/// How deep a schema is followed.
const DEPTH: u32 = 32;
/// The most mistakes that are told of one plugin.
const MOST: usize = 32;
/// How many parts of a schema are looked at, as often as it is gone through.
const STEPS: u32 = 100_000;

/// What is wrong with the configuration of the plugin of this name, a sentence each.
pub(crate) fn mistakes(name: &str, schema: &Json, config: &Json) -> Vec<String> {
    let mut judge = Judge {
        root: schema,
        steps: &Cell::new(STEPS),
        found: Vec::new(),
    };
    let key = format!("plugins.{name}.config");
    judge.check(&key, schema, config, DEPTH);
    judge.found.truncate(MOST);
    judge.found
}

struct Judge<'a> {
    root: &'a Json,
    /// What is left of them.
    steps: &'a Cell<u32>,
    found: Vec<String>,
}

impl<'a> Judge<'a> {
    fn note(&mut self, key: &str, problem: &str) {
        if self.found.len() < MOST {
            self.found.push(format!("key `{key}`: {problem}"));
        }
    }

    fn expected(&mut self, key: &str, schema: &Json, value: &Json, expected: &str) {
        let got = shown(schema, value);
        self.note(key, &format!("expected {expected}, got {got}"));
    }

    fn check(&mut self, key: &str, schema: &'a Json, value: &Json, depth: u32) {
        let steps = self.steps.get();
        if depth == 0 || steps == 0 || self.found.len() >= MOST {
            return;
        }
        self.steps.set(steps - 1);
        if schema == &Json::Bool(false) {
            self.note(key, "expected nothing");
        }
        if let Some(named) = self.named(schema) {
            self.check(key, named, value, depth - 1);
        }
        for part in list(schema, "allOf") {
            self.check(key, part, value, depth - 1);
        }
        for keyword in ["anyOf", "oneOf"] {
            self.alternatives(key, list(schema, keyword), value, depth);
        }
        if let Some(only) = schema.get("const").filter(|only| *only != value) {
            self.expected(key, schema, value, &format!("`{}`", plain(only)));
        }
        let choices = list(schema, "enum");
        if !choices.is_empty() && !choices.contains(value) {
            let named = names(choices.iter().map(plain));
            self.expected(key, schema, value, &format!("one of {named}"));
        }
        let kinds: Vec<&str> = match schema.get("type") {
            Some(Json::String(kind)) => vec![kind],
            Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        };
        if !kinds.is_empty() && !kinds.iter().any(|kind| is_of(value, kind)) {
            let wanted: Vec<&str> = kinds
                .iter()
                .filter(|kind| **kind != "null")
                .map(|kind| word(kind))
                .collect();
            self.expected(key, schema, value, &wanted.join(" or "));
            return;
        }
        match value {
            Json::Object(_) => self.table(key, schema, value, depth),
            Json::Array(items) => self.items(key, schema, items, depth),
            Json::String(text) => {
                let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
                self.bounds(
                    key,
                    schema,
                    value,
                    length,
                    ["minLength", "maxLength"],
                    "characters",
                );
            }
            Json::Number(_) => self.number(key, schema, value),
            Json::Null | Json::Bool(_) => {}
        }
    }

    /// What a schema refers to in itself; others are not looked up.
    fn named(&self, schema: &Json) -> Option<&'a Json> {
        let path = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
        self.root.pointer(path)
    }

    fn alternatives(&mut self, key: &str, schemas: &'a [Json], value: &Json, depth: u32) {
        let mut others = Vec::new();
        for schema in schemas {
            let mut judge = Judge {
                root: self.root,
                steps: self.steps,
                found: Vec::new(),
            };
            judge.check(key, schema, value, depth - 1);
            if judge.found.is_empty() {
                return;
            }
            if schema.get("type").and_then(Json::as_str) != Some("null") {
                others.push(judge.found);
            }
        }
        match others.len() {
            0 => {}
            // One thing or nothing: what is wrong with the one thing.
            1 => self.found.extend(others.remove(0)),
            count => self.note(
                key,
                &format!("expected one of {count} forms, got none of them"),
            ),
        }
    }

    fn table(&mut self, key: &str, schema: &'a Json, value: &Json, depth: u32) {
        let Some(table) = value.as_object() else {
            return;
        };
        for name in list(schema, "required").iter().filter_map(Json::as_str) {
            if !table.contains_key(name) {
                self.note(&format!("{key}.{name}"), "is missing");
            }
        }
        let known = schema.get("properties").and_then(Json::as_object);
        let others = schema.get("additionalProperties");
        for (name, value) in table {
            let inner = format!("{key}.{name}");
            let property = known.and_then(|known| known.get(name));
            match property.or(others) {
                Some(Json::Bool(false)) if property.is_none() => {
                    let names = names(known.into_iter().flatten().map(|(name, _)| name.clone()));
                    self.note(&inner, &format!("unknown key, expected one of {names}"));
                }
                Some(schema) => self.check(&inner, schema, value, depth - 1),
                None => {}
            }
        }
    }

    fn items(&mut self, key: &str, schema: &'a Json, items: &[Json], depth: u32) {
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let value = Json::from(items.to_vec());
        self.bounds(
            key,
            schema,
            &value,
            count,
            ["minItems", "maxItems"],
            "items",
        );
        if let Some(each) = schema.get("items") {
            for (at, item) in items.iter().enumerate() {
                self.check(&format!("{key}[{at}]"), each, item, depth - 1);
            }
        }
    }

    fn bounds(
        &mut self,
        key: &str,
        schema: &Json,
        value: &Json,
        size: u64,
        ends: [&str; 2],
        what: &str,
    ) {
        let [least, most] = ends.map(|end| schema.get(end).and_then(Json::as_u64));
        if let Some(least) = least.filter(|least| size < *least) {
            self.expected(key, schema, value, &format!("at least {least} {what}"));
        }
        if let Some(most) = most.filter(|most| size > *most) {
            self.expected(key, schema, value, &format!("at most {most} {what}"));
        }
    }

    fn number(&mut self, key: &str, schema: &Json, value: &Json) {
        type Holds = fn(f64, f64) -> bool;
        const ENDS: [(&str, &str, Holds); 4] = [
            ("minimum", "at least", |number, end| number >= end),
            ("maximum", "at most", |number, end| number <= end),
            ("exclusiveMinimum", "more than", |number, end| number > end),
            ("exclusiveMaximum", "less than", |number, end| number < end),
        ];
        let number = value.as_f64().unwrap_or_default();
        for (keyword, word, holds) in ENDS {
            let end = schema.get(keyword);
            if let Some(end) = end.filter(|end| end.as_f64().is_some_and(|end| !holds(number, end)))
            {
                self.expected(key, schema, value, &format!("{word} `{end}`"));
            }
        }
    }
}

fn list<'a>(schema: &'a Json, keyword: &str) -> &'a [Json] {
    let found = schema.get(keyword).and_then(Json::as_array);
    found.map_or(&[], Vec::as_slice)
}

fn names(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn plain(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// A value as a message shows it, unless it is a secret.
fn shown(schema: &Json, value: &Json) -> String {
    const LONGEST: usize = 80;
    let is_secret = schema.get("format").and_then(Json::as_str) == Some("password")
        || schema.get("writeOnly") == Some(&Json::Bool(true));
    if is_secret {
        return "something else".to_owned();
    }
    let cut = |text: &str| -> String { text.chars().take(LONGEST).collect() };
    match value {
        Json::String(text) => format!("the string `{}`", cut(text).escape_debug()),
        Json::Number(number) => format!("the number `{number}`"),
        Json::Bool(flag) => format!("`{flag}`"),
        Json::Null => "nothing".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "a table".to_owned(),
    }
}

fn is_of(value: &Json, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => true,
    }
}

fn word(kind: &str) -> &str {
    match kind {
        "string" => "a string",
        "boolean" => "`true` or `false`",
        "object" => "a table",
        "array" => "a list",
        "number" => "a number",
        "integer" => "a whole number",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(config: &Json) -> Vec<String> {
        let schema = json!({
            "type": "object",
            "required": ["url"],
            "additionalProperties": false,
            "properties": {
                "url": { "type": "string", "minLength": 1 },
                "token": { "anyOf": [{ "$ref": "#/$defs/Token" }, { "type": "null" }] },
                "size": { "type": "integer", "minimum": 1, "maximum": 9 },
                "days": { "type": "array", "items": { "enum": ["mon", "tue"] }, "maxItems": 2 },
                "modes": { "type": "object", "additionalProperties": { "type": "boolean" } },
                "either": { "oneOf": [{ "type": "boolean" }, { "type": "string" }] },
            },
            "$defs": { "Token": { "type": "string", "format": "password" } },
        });
        mistakes("mine", &schema, config)
    }

    #[test]
    fn what_fits_is_fine() {
        let whole = json!({
            "url": "x", "token": "t", "size": 9, "days": ["tue"], "modes": { "a": true }, "either": "x",
        });
        assert_eq!(judged(&whole), Vec::<String>::new());
        assert_eq!(
            judged(&json!({ "url": "x", "token": null })),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_mistake_names_key_expectation_and_value_but_no_secret() {
        let config = json!({
            "token": 4711, "size": 10, "days": ["mon", "sun", 3], "modes": { "a": "yes" }, "either": 1,
            "form": 1,
        });

        let all = judged(&config);

        for expected in [
            "key `plugins.mine.config.url`: is missing",
            "key `plugins.mine.config.token`: expected a string, got something else",
            "key `plugins.mine.config.size`: expected at most `9`, got the number `10`",
            "key `plugins.mine.config.days[1]`: expected one of `mon`, `tue`, got the string `sun`",
            "key `plugins.mine.config.days`: expected at most 2 items, got a list",
            "key `plugins.mine.config.modes.a`: expected `true` or `false`, got the string `yes`",
            "key `plugins.mine.config.either`: expected one of 2 forms, got none of them",
        ] {
            assert!(
                all.iter().any(|told| told == expected),
                "{expected}: {all:#?}"
            );
        }
        assert!(all.iter().any(|told| {
            told.starts_with("key `plugins.mine.config.form`: unknown key, expected one of `")
        }));
    }

    #[test]
    fn a_schema_that_goes_round_in_circles_comes_to_an_end() {
        let round = json!({ "$ref": "#", "anyOf": [{ "$ref": "#" }, { "$ref": "#" }] });
        let start = std::time::Instant::now();

        assert_eq!(
            mistakes("mine", &json!({ "$ref": "#" }), &json!({})),
            Vec::<String>::new()
        );
        assert_eq!(
            mistakes("mine", &json!({ "allOf": 1, "enum": {} }), &json!({})),
            Vec::<String>::new()
        );
        drop(mistakes("mine", &round, &json!({})));
        assert!(start.elapsed() < std::time::Duration::from_secs(5));
    }
}
