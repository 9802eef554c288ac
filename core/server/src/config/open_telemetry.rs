//! The environment variables that OpenTelemetry defines, as keys of `[traces]`.
//!
//! They count for less than ours, and for more than the file.

use figment::Source;
use figment::value::{Dict, Value};
use percent_encoding::percent_decode_str;

use super::layers::{Layer, insert};
use super::mistake::{Mistake, Origin};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const HEADERS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_HEADERS",
];
const TIMEOUT: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
];
const PROTOCOL: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const DISABLED: &str = "OTEL_SDK_DISABLED";
const SERVICE: &str = "OTEL_SERVICE_NAME";
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SHARE: &str = "OTEL_TRACES_SAMPLER_ARG";

/// The variables, as far as they are set; an empty one is not (Environment Variable Specification).
struct Variables<'a>(&'a [(String, String)]);

impl<'a> Variables<'a> {
    fn get(&self, name: &'static str) -> Option<(&'static str, &'a str)> {
        let found = self.0.iter().find(|(known, _)| known == name);
        let text = found.map(|(_, text)| text.trim());
        Some((name, text.filter(|text| !text.is_empty())?))
    }

    fn first(&self, names: [&'static str; 2]) -> Option<(&'static str, &'a str)> {
        names.into_iter().find_map(|name| self.get(name))
    }
}

/// One layer for each variable that counts, so that a mistake names it.
pub(super) fn layers(environment: &[(String, String)], mistakes: &mut Vec<Mistake>) -> Vec<Layer> {
    let variables = Variables(environment);
    let found = [
        ("endpoint", endpoint(&variables, mistakes)),
        (
            "headers",
            variables
                .first(HEADERS)
                .map(|(name, text)| (name, headers(text))),
        ),
        (
            "timeout",
            variables
                .first(TIMEOUT)
                .map(|(name, text)| (name, format!("{text}ms").into())),
        ),
        ("service_name", service(&variables)),
        ("sampling", sampling(&variables)),
    ];
    let found = found
        .into_iter()
        .filter_map(|(key, found)| Some((key, found?)));
    let layer = |(key, (variable, value)): (&str, (&str, Value))| {
        let mut values = Dict::new();
        insert(&mut values, &format!("traces.{key}"), value);
        Layer::of(Source::from(variable), values)
    };
    found.map(layer).collect()
}

fn endpoint(
    variables: &Variables<'_>,
    mistakes: &mut Vec<Mistake>,
) -> Option<(&'static str, Value)> {
    let is_off = |(_, text): &(&str, &str)| text.eq_ignore_ascii_case("true") || *text == "none";
    let off = variables.get(DISABLED).filter(is_off);
    if let Some((name, _)) = off.or_else(|| variables.get(EXPORTER).filter(is_off)) {
        return Some((name, "".into()));
    }
    let found = if let Some((name, text)) = variables.get(TRACES_ENDPOINT) {
        (name, text.to_owned())
    } else {
        let (name, text) = variables.get(ENDPOINT)?;
        (name, format!("{}/v1/traces", text.trim_end_matches('/')))
    };
    if let Some((name, protocol)) = variables.first(PROTOCOL)
        && protocol != "http/protobuf"
    {
        let problem = format!(
            "expected `http/protobuf`, got `{}`",
            protocol.escape_debug()
        );
        mistakes.push(Mistake::at(
            "traces.endpoint",
            &Origin::Variable(name.to_owned()),
            problem,
        ));
    }
    Some((found.0, found.1.into()))
}

/// `name=value` between commas, with other characters percent-encoded, as in W3C Baggage.
fn headers(text: &str) -> Value {
    let items = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    let decoded = items.map(|item| {
        let (name, value) = item.split_once('=').unwrap_or((item, ""));
        let value = percent_decode_str(value.trim()).decode_utf8_lossy();
        let item = format!("{}={value}", name.trim());
        Value::from(item)
    });
    decoded.collect::<Vec<_>>().into()
}

fn service(variables: &Variables<'_>) -> Option<(&'static str, Value)> {
    if let Some((name, text)) = variables.get(SERVICE) {
        return Some((name, text.into()));
    }
    let (name, text) = variables.get(RESOURCE)?;
    let mut pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.trim() == "service.name")?;
    let value = percent_decode_str(value.trim()).decode_utf8_lossy();
    Some((name, value.as_ref().into()))
}

fn sampling(variables: &Variables<'_>) -> Option<(&'static str, Value)> {
    let (name, sampler) = variables.get(SAMPLER)?;
    Some(
        match sampler.strip_prefix("parentbased_").unwrap_or(sampler) {
            "always_on" => (name, "1".into()),
            "always_off" => (name, "0".into()),
            "traceidratio" => match variables.get(SHARE) {
                Some((name, share)) => (name, share.into()),
                None => (name, "1".into()),
            },
            // What is no number is refused where numbers are read, by this name.
            other => (name, other.into()),
        },
    )
}
