use std::collections::HashMap;
use std::fmt;

use reqwest::header::HeaderMap;
use serde_json::Value as Json;

/// What came back for a request.
///
/// Its `Display` is for snapshots: the status, then the body with everything replaced that differs
/// from run to run. Ids are numbered, so that it shows which ones are the same.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {} {}", self.status, self.text))
    }

    /// The `data` of a success.
    #[track_caller]
    pub fn data(&self) -> Json {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["data"].clone()
    }

    /// Nothing, if it is a 204.
    #[track_caller]
    pub fn done(&self) {
        assert_eq!((self.status, self.text.as_str()), (204, ""));
    }

    /// The codes of a refusal, in order.
    #[track_caller]
    pub fn codes(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_array().expect("a list of errors");
        let codes = errors
            .iter()
            .map(|error| error["extensions"]["code"].as_str());
        codes.map(|code| code.expect("a code").to_owned()).collect()
    }

    /// The status and the code of the first problem, as in `403 FORBIDDEN`; of a success the status.
    #[track_caller]
    pub fn outcome(&self) -> String {
        match self.status {
            200..300 => self.status.to_string(),
            status => format!("{status} {}", self.codes()[0]),
        }
    }

    /// A header as text, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.text.is_empty() {
            write!(
                f,
                "\n{}",
                redact(&self.text).replace("},{\"message\"", "},\n{\"message\"")
            )?;
        }
        Ok(())
    }
}

/// Shapes of what differs from run to run: `x` is a hexadecimal digit, `9` a decimal one.
const UUID: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
const TIME: &str = "9999-99-99T99:99:99.999Z";

fn redact(text: &str) -> String {
    let mut ids: HashMap<&str, usize> = HashMap::new();
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if let Some(id) = has_shape(rest, UUID) {
            let count = ids.len() + 1;
            let number = *ids.entry(id).or_insert(count);
            redacted.extend(["[id ", &number.to_string(), "]"]);
            rest = &rest[id.len()..];
        } else if let Some(time) = has_shape(rest, TIME) {
            redacted.push_str("[time]");
            rest = &rest[time.len()..];
        } else {
            redacted.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    redacted
}

fn has_shape<'t>(text: &'t str, shape: &str) -> Option<&'t str> {
    let start = text.get(..shape.len())?;
    let fits = |(byte, like): (u8, u8)| match like {
        b'x' => byte.is_ascii_hexdigit(),
        b'9' => byte.is_ascii_digit(),
        _ => byte == like,
    };
    start.bytes().zip(shape.bytes()).all(fits).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbered_and_times_are_gone() {
        let (one, two) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
        let text = format!("é {one} {two} {one} at 2026-01-31T10:11:12.345Z");

        assert_eq!(redact(&text), "é [id 1] [id 2] [id 1] at [time]");
    }
}
