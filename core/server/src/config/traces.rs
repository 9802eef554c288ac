//! `[traces]`: where spans are sent, how many of them, and by what name.

use std::time::Duration;

use figment::value::Value;

use super::Secret;
use super::network::collector;
use super::raw::{Bad, Raw, list, text};
use super::reader::Reader;
use super::units::positive;

/// `[traces]`
#[derive(Clone, Debug, PartialEq)]
pub struct Traces {
    /// Where spans are sent: OTLP over HTTP, with its path; none is nowhere.
    pub endpoint: Option<String>,
    /// The name of this service.
    pub service_name: String,
    /// The share of traces that are kept, from 0 to 1, of those that nobody decided about before.
    pub sampling: f64,
    /// Headers of every export, such as a key: names and values.
    pub headers: Vec<(String, Secret)>,
    /// How long one export may take, and what is left at shutdown.
    pub timeout: Duration,
}

impl Traces {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            endpoint: reader.read("traces.endpoint", collector),
            service_name: reader.read("traces.service_name", text),
            sampling: reader.read("traces.sampling", share),
            headers: reader.read("traces.headers", list(header)),
            timeout: reader.read("traces.timeout", positive),
        }
    }
}

fn share(raw: &Raw<'_>) -> Result<f64, Bad> {
    let found = match raw.value {
        Value::Num(_, number) => match number.to_i128() {
            Some(0) => Some(0.0),
            Some(1) => Some(1.0),
            _ => number.to_f64(),
        },
        Value::String(_, text) if raw.is_textual() => text.parse().ok(),
        _ => None,
    };
    let found = found.filter(|share| (0.0..=1.0).contains(share));
    found.ok_or_else(|| Bad::expected("a number from 0 to 1, such as `0.1`"))
}

/// Takes an item of a list as a header.
fn header(text: &str) -> Result<(String, Secret), Bad> {
    const EXPECTED: &str = "headers as `name=value`";
    let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let is_value = |c: char| c.is_ascii_graphic() || c == ' ';
    match text.split_once('=') {
        Some((name, value))
            if !name.is_empty() && name.chars().all(is_name) && value.chars().all(is_value) =>
        {
            Ok((name.to_ascii_lowercase(), Secret::new(value)))
        }
        _ => Err(Bad::expected(EXPECTED)),
    }
}
