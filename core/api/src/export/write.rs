//! CSV, XML and YAML, written piece by piece.

use std::fmt::Write;

use serde_json::{Map, Value as Json};

/// One line of CSV: every value quoted. What a spreadsheet would take for a formula is kept from
/// being one by the quotes alone, as the contract has it.
pub(super) fn line<'a>(text: &mut String, values: impl Iterator<Item = &'a str>) {
    for (index, value) in values.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push('"');
        text.push_str(&value.replace('"', "\"\""));
        text.push('"');
    }
    text.push('\n');
}

pub(super) fn plain(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// An object without levels: `role.name`.
pub(super) fn flat(row: &Json) -> Map<String, Json> {
    fn into(prefix: &str, json: &Json, flat: &mut Map<String, Json>) {
        match json {
            Json::Object(map) if !map.is_empty() => {
                for (name, value) in map {
                    let name = if prefix.is_empty() {
                        name.clone()
                    } else {
                        format!("{prefix}.{name}")
                    };
                    into(&name, value, flat);
                }
            }
            other => {
                let name = if prefix.is_empty() { "id" } else { prefix };
                flat.insert(name.to_owned(), other.clone());
            }
        }
    }
    let mut flattened = Map::new();
    into("", row, &mut flattened);
    flattened
}

pub(super) fn flat_along(row: &Json, columns: &[String]) -> Vec<String> {
    let value = |column: &String| {
        if !row.is_object() {
            return plain(row);
        }
        let mut json = row;
        let mut rest = column.as_str();
        loop {
            if let Some(value) = json.get(rest) {
                return plain(value);
            }
            let Some((name, further)) = rest.split_once('.') else {
                return String::new();
            };
            let Some(next) = json.get(name) else {
                return String::new();
            };
            (json, rest) = (next, further);
        }
    };
    columns.iter().map(value).collect()
}

/// JSON with tabs, one level in.
pub(super) fn tabbed(json: &Json) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    match serde::Serialize::serialize(json, &mut serializer) {
        Ok(()) => String::from_utf8_lossy(&bytes).replace('\n', "\n\t"),
        Err(_) => json.to_string(),
    }
}

pub(super) fn xml(text: &mut String, name: &str, json: &Json, depth: usize) {
    let indent = "  ".repeat(depth);
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '.';
    let is_tag =
        name.starts_with(|c: char| c.is_alphabetic() || c == '_') && name.chars().all(is_name);
    let (tag, attribute) = if is_tag {
        (name.to_owned(), String::new())
    } else {
        ("entry".to_owned(), format!(" name=\"{}\"", escaped(name)))
    };
    let done = match json {
        Json::Array(items) => {
            for item in items {
                xml(text, name, item, depth);
            }
            Ok(())
        }
        Json::Object(map) => {
            text.extend([indent.as_str(), "<", &tag, &attribute, ">\n"]);
            for (name, value) in map {
                xml(text, name, value, depth + 1);
            }
            writeln!(text, "{indent}</{tag}>")
        }
        Json::Null => writeln!(text, "{indent}<{tag}{attribute}/>"),
        other => writeln!(
            text,
            "{indent}<{tag}{attribute}>{}</{tag}>",
            escaped(&plain(other))
        ),
    };
    // Writing into a string does not fail.
    done.unwrap_or_default();
}

pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no way to write other control characters.
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// One entry of a YAML list. Scalars are JSON, which YAML 1.2 contains.
pub(super) fn yaml_item(text: &mut String, json: &Json, depth: usize) {
    let indent = "  ".repeat(depth);
    match json {
        Json::Object(map) if !map.is_empty() => {
            for (index, (name, value)) in map.iter().enumerate() {
                let lead = if index == 0 { "- " } else { "  " };
                text.push_str(&indent);
                text.push_str(lead);
                yaml_entry(text, name, value, depth + 1);
            }
        }
        other => {
            text.push_str(&indent);
            text.push_str("- ");
            text.push_str(&other.to_string());
            text.push('\n');
        }
    }
}

pub(super) fn yaml_entry(text: &mut String, name: &str, json: &Json, depth: usize) {
    let key = Json::String(name.to_owned()).to_string();
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    text.push_str(if is_plain { name } else { &key });
    text.push(':');
    match json {
        Json::Object(map) if !map.is_empty() => {
            text.push('\n');
            for (name, value) in map {
                text.push_str(&"  ".repeat(depth + 1));
                yaml_entry(text, name, value, depth + 1);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            text.push('\n');
            for item in items {
                yaml_item(text, item, depth + 1);
            }
        }
        other => {
            text.push(' ');
            text.push_str(&other.to_string());
            text.push('\n');
        }
    }
}
