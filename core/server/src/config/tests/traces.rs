//! `[traces]`, and the variables that OpenTelemetry defines.

use super::{mistakes, read};
use crate::config::Traces;

fn traces(file: &str, environment: &[(&str, &str)]) -> Traces {
    read(file, environment, &[]).expect("valid").traces
}

fn headers(traces: &Traces) -> Vec<(&str, &str)> {
    let headers = traces.headers.iter();
    headers
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect()
}

#[test]
fn an_origin_gets_the_path_that_traces_have_and_a_path_is_kept() {
    for (given, endpoint) in [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        (
            "https://otlp.example.com/",
            "https://otlp.example.com/v1/traces",
        ),
        (
            "https://example.com/otlp/v1/traces",
            "https://example.com/otlp/v1/traces",
        ),
    ] {
        let file = format!("[traces]\nendpoint = '{given}'");
        assert_eq!(traces(&file, &[]).endpoint.as_deref(), Some(endpoint));
    }
    assert_eq!(traces("", &[]).endpoint, None);
}

#[test]
fn the_variables_of_opentelemetry_stand_between_the_file_and_ours() {
    let file = "[traces]\nendpoint = 'http://a'\nservice_name = 'file'\nsampling = 0.5\n\
                headers = ['x=file']\ntimeout = '9s'";
    let standard = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://b/"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "X-One=1%2C2, two = b=c"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=some%20thing"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
    ];
    let specific = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/in"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "three=3"),
        ("OTEL_SERVICE_NAME", "people"),
        ("ROSTER__TRACES__TIMEOUT", "7s"),
    ];

    let general = traces(file, &standard);
    let both = traces(file, &[standard.as_slice(), &specific].concat());

    assert_eq!(general.endpoint.as_deref(), Some("http://b/v1/traces"));
    assert_eq!(headers(&general), [("x-one", "1,2"), ("two", "b=c")]);
    assert_eq!(general.timeout.as_millis(), 1_500);
    assert_eq!(general.service_name, "some thing");
    assert!((general.sampling - 0.25).abs() < f64::EPSILON);
    assert_eq!(both.endpoint.as_deref(), Some("http://c/in"));
    assert_eq!(headers(&both), [("three", "3")]);
    assert_eq!(
        (both.service_name.as_str(), both.timeout.as_secs()),
        ("people", 7)
    );
}

#[test]
fn opentelemetry_can_be_turned_off_and_empty_variables_are_none() {
    let file = "[traces]\nendpoint = 'http://a'";
    let on = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://b");
    let off = |name, value| traces(file, &[on, (name, value)]).endpoint;

    assert_eq!(off("OTEL_SDK_DISABLED", "true"), None);
    assert_eq!(off("OTEL_TRACES_EXPORTER", "none"), None);
    assert!(off("OTEL_SDK_DISABLED", "false").is_some());
    assert!(off("OTEL_TRACES_EXPORTER", "otlp").is_some());
    let empty = traces(file, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]).endpoint;
    assert_eq!(empty.as_deref(), Some("http://a/v1/traces"));
}

#[test]
fn mistakes_name_the_variable_and_show_no_key() {
    let environment = [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://ada:hunter2@example.com",
        ),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a key=hunter2"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("ROSTER__TRACES__SERVICE_NAME", ""),
    ];

    let found = mistakes("", &environment, &[]);

    assert_eq!(
        found,
        [
            "key `traces.endpoint` in variable `OTEL_EXPORTER_OTLP_PROTOCOL`: expected \
             `http/protobuf`, got `grpc`",
            "key `traces.endpoint` in variable `OTEL_EXPORTER_OTLP_ENDPOINT`: expected the http or \
             https URL of an OTLP collector, such as `http://127.0.0.1:4318/v1/traces`, got a \
             value that is not shown here",
            "key `traces.service_name` in variable `ROSTER__TRACES__SERVICE_NAME`: expected a text \
             that is not empty, got ``",
            "key `traces.sampling` in variable `OTEL_TRACES_SAMPLER`: expected a number from 0 to \
             1, such as `0.1`, got `jaeger_remote`",
            "key `traces.headers` in variable `OTEL_EXPORTER_OTLP_HEADERS`: expected headers as \
             `name=value`, got a value that is not shown here",
            "key `traces.timeout` in variable `OTEL_EXPORTER_OTLP_TIMEOUT`: expected a duration \
             longer than zero, such as `15m`, `500ms` or `30d`, got `soonms`",
        ]
    );
    let headers = "[traces]\nendpoint = 'http://a'\nheaders = ['x=hunter2']\nsampling = 1";
    let config = read(headers, &[], &[]).expect("valid");
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(mistakes("[traces]\nsampling = 2", &[], &[]).len(), 1);
}
