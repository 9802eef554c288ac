//! Traces, as a collector of OpenTelemetry gets them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use roster_tests::{
    Answer, Client, Collector, Finished, Process, Setup, Span, Upstream, eventually,
};
use serde_json::{Value as Json, json};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
const SLUG: &str = "source = 'builtin'
capabilities.fields = { read = ['first_name', 'last_name', 'title'], write = ['title'] }";

fn traced(collector: &Collector) -> Setup {
    Setup::new().set("traces.endpoint", &collector.url())
}

/// A request of somebody whose trace it is to be a part of.
async fn ask(client: &Client, method: Method, path: &str, flags: &str, body: &Json) -> Answer {
    let parent = format!("00-{TRACE}-{CALLER}-{flags}");
    let headers = [
        ("content-type", "application/json"),
        ("traceparent", parent.as_str()),
    ];
    let body = body.to_string().into_bytes();
    client.send(method, path, &headers, body).await
}

/// What a process has said when it was told to stop and has stopped.
async fn stopped(process: Process) -> Finished {
    process.signal("TERM");
    let ended = process.finished().await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    ended
}

/// The log lines with this message.
fn lines(ended: &Finished, message: &str) -> Vec<Json> {
    let lines = ended.err.lines().map(serde_json::from_str::<Json>);
    let mut lines: Vec<Json> = lines.map(|line| line.expect("JSON")).collect();
    lines.retain(|line| line["message"] == message);
    lines
}

fn said(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn assert_is_part_of(part: &Span, whole: &Span) {
    assert_eq!((&part.trace, &part.parent), (&whole.trace, &whole.id));
}

/// The only span of that name in the trace of the caller.
#[track_caller]
fn ours(collector: &Collector, name: &str) -> Span {
    let all = collector.spans();
    let is_wanted = |span: &&Span| span.trace == TRACE && span.name == name;
    let found: Vec<&Span> = all.iter().filter(is_wanted).collect();
    assert_eq!(found.len(), 1, "one span `{name}` among {all:?}");
    found[0].clone()
}

#[tokio::test]
async fn a_request_is_part_of_its_callers_trace_and_plugins_are_parts_of_it() {
    let (collector, upstream) = (
        Collector::start().await,
        Upstream::start(|_| (200, Vec::new(), String::new())).await,
    );
    let url = upstream.url();
    let section = format!(
        "capabilities.fields = {{ read = ['title'], write = ['description'] }}\n\
         capabilities.http = ['{url}']"
    );
    let setup = traced(&collector)
        .set("traces.headers", "X-Key=hunter2")
        .set("auth.query_tokens", "true")
        .plugin("slug", SLUG)
        .guest("stock", "roster-stock-plugin", &section);
    let process = setup.spawn().await;
    let admin = process.admin().await;
    let token = admin.token.clone().expect("a token");
    let body = json!({
        "email": "ada@example.com",
        "password": "sesame-sesame-7",
        "title": format!("get {url}/hunter3?key=hunter4"),
    });

    let path = format!("/users?access_token={token}&fields=id");
    let made = ask(&process.stranger(), Method::POST, &path, "01", &body).await;
    let ended = stopped(process).await;

    assert_eq!(made.status, 200, "{}", made.outcome());
    let request = ours(&collector, "POST /users");
    assert_eq!(
        (request.trace.as_str(), request.parent.as_str()),
        (TRACE, CALLER)
    );
    assert_eq!((request.kind.as_str(), request.is_error), ("server", false));
    let expected = [
        ("enduser.id", admin.id.as_str()),
        ("http.request.method", "POST"),
        ("http.response.status_code", "200"),
        ("http.route", "/users"),
        ("url.path", "/users"),
        ("url.scheme", "http"),
    ];
    assert_eq!(request.attributes, said(&expected));
    for (plugin, build) in [("slug", "native"), ("stock", "wasm")] {
        let call = ours(&collector, &format!("{plugin} create.before"));
        assert_is_part_of(&call, &request);
        let expected = [
            ("roster.plugin.build", build),
            ("roster.plugin.call", "create.before"),
            ("roster.plugin.name", plugin),
            ("roster.plugin.outcome", "ok"),
        ];
        assert_eq!(call.attributes, said(&expected));
    }
    let called = ours(&collector, "GET");
    assert_is_part_of(&called, &ours(&collector, "stock create.before"));
    let expected = [
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("server.address", "127.0.0.1"),
        ("server.port", url.rsplit_once(':').expect("a port").1),
        ("url.scheme", "http"),
    ];
    assert_eq!(
        (called.kind.as_str(), called.attributes),
        ("client", said(&expected))
    );
    assert_eq!(upstream.asked()[0].line, "GET /hunter3?key=hunter4");
    assert_eq!(upstream.asked()[0].header("traceparent"), "");

    for secret in [
        &token,
        "sesame",
        "hunter3",
        "hunter4",
        "access_token",
        "ada@",
        "admin@",
    ] {
        assert!(!collector.holds(secret), "{secret}");
    }
    assert!(collector.holds("post /v1/traces http/1.1"));
    for head in collector.heads() {
        assert!(
            head.contains("content-type: application/x-protobuf"),
            "{head}"
        );
        assert!(head.contains("x-key: hunter2"), "{head}");
    }
    let resource = collector.resource();
    assert_eq!(resource["service.name"], "roster");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert!(!ended.err.contains("hunter2"), "{}", ended.err);
    let logged = lines(&ended, "request");
    let logged = logged
        .iter()
        .find(|line| line["method"] == "POST" && line["path"] == "/users");
    assert_eq!(logged.expect("its line")["trace_id"], TRACE);
    for other in ["\"DEBUG\"", "\"spans\"", "roster_trace"] {
        assert!(!ended.err.contains(other), "{other}: {}", ended.err);
    }
}

#[tokio::test]
async fn what_is_delivered_later_is_part_of_the_trace_it_comes_from() {
    let collector = Collector::start().await;
    let section = "capabilities.store = true\ncapabilities.fields.read = ['title']";
    let setup = traced(&collector).guest("stock", "roster-stock-plugin", section);
    let process = setup.spawn().await;
    let admin = process.admin().await;
    let ada = admin.post("/users", json!({ "title": "x" })).await.data();
    let role = admin.post("/roles", json!({ "name": "r" })).await.data();
    let path = format!("/users/{}", ada["id"].as_str().expect("an id"));

    let deleted = ask(&admin, Method::DELETE, &path, "01", &json!({})).await;
    let invitation = json!({ "email": "grace@example.com", "role": role["id"] });
    let invited = ask(&admin, Method::POST, "/users/invite", "01", &invitation).await;
    process.settled().await;
    stopped(process).await;

    assert_eq!((deleted.status, invited.status), (204, 204));
    let cases = [
        ("DELETE /users/{id}", "stock", "delete.after", "wasm"),
        ("POST /users/invite", "log", "mail.send", "native"),
    ];
    for (request, plugin, event, build) in cases {
        let delivery = ours(&collector, &format!("deliver {event}"));
        assert_is_part_of(&delivery, &ours(&collector, request));
        assert_eq!(delivery.trace, TRACE);
        assert_eq!(delivery.kind, "consumer");
        assert_eq!(delivery.get("roster.plugin.name"), plugin);
        assert_eq!(delivery.get("roster.delivery.attempt"), "1");
        assert_eq!(delivery.get("roster.delivery.outcome"), "done");
        assert_eq!(delivery.get("messaging.message.id").len(), 36);
        let call = ours(&collector, &format!("{plugin} {event}"));
        assert_is_part_of(&call, &delivery);
        assert_eq!(call.get("roster.plugin.build"), build);
        assert_eq!(call.get("roster.plugin.outcome"), "ok");
    }
    assert!(!collector.holds("grace@example.com"));
}

#[tokio::test]
async fn every_attempt_at_a_delivery_is_part_of_the_trace() {
    let (collector, refused) = (Collector::start().await, AtomicBool::new(false));
    let upstream = Upstream::start(move |_| {
        let is_second = refused.swap(true, Ordering::Relaxed);
        (if is_second { 204 } else { 503 }, Vec::new(), String::new())
    });
    let upstream = upstream.await;
    let url = upstream.url();
    let key = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
    let section = format!(
        "source = 'builtin'\ncapabilities = {{ http = ['{url}'], fields.read = ['title'] }}\n\
         config = {{ url = '{url}/hunter2', secret = '{key}', events = ['users.update'] }}"
    );
    let process = traced(&collector).plugin("webhook", &section).spawn().await;
    let admin = process.admin().await;

    let body = json!({ "title": "hunter3" });
    ask(&admin, Method::PATCH, "/users/me", "01", &body).await;
    process.settled().await;
    stopped(process).await;

    let request = ours(&collector, "PATCH /users/me");
    for (attempt, outcome, status, is_error) in
        [("1", "retry", "503", true), ("2", "done", "204", false)]
    {
        let spans = collector.spans();
        let part = |whole: &Span, matches: &dyn Fn(&Span) -> bool| {
            let found = spans
                .iter()
                .find(|span| span.parent == whole.id && matches(span));
            found.cloned().expect("a part")
        };
        let delivery = part(&request, &|span| {
            span.get("roster.delivery.attempt") == attempt
        });
        let call = part(&delivery, &|span| span.name == "webhook update.after");
        let posted = part(&call, &|span| span.name == "POST" && span.kind == "client");
        assert_eq!(delivery.get("roster.delivery.outcome"), outcome);
        assert_eq!(posted.get("http.response.status_code"), status);
        for span in [&delivery, &call, &posted] {
            assert_eq!(
                (span.trace.as_str(), span.is_error),
                (TRACE, is_error),
                "{span:?}"
            );
        }
    }
    assert!(!collector.holds("hunter"));
}

#[tokio::test]
async fn what_goes_wrong_is_an_error_in_the_trace_and_names_it_in_the_log() {
    let collector = Collector::start().await;
    let section = "capabilities.store = true\n\
                   capabilities.fields = { read = ['title'], write = ['description'] }";
    let setup = traced(&collector).guest("stock", "roster-stock-plugin", section);
    let process = setup.spawn().await;
    let admin = process.admin().await;

    let body = json!({ "title": "fail x" });
    let failed = ask(&admin, Method::POST, "/users", "01", &body).await;
    let refused = ask(&admin, Method::GET, "/users/nobody", "01", &json!({})).await;
    let ended = stopped(process).await;

    let request = ours(&collector, "POST /users");
    assert!(
        request.is_error && failed.status >= 500,
        "{}",
        failed.outcome()
    );
    assert_eq!(request.get("error.type"), failed.status.to_string());
    let call = ours(&collector, "stock create.before");
    assert!(call.is_error);
    assert_eq!(call.get("roster.plugin.outcome"), "failed");
    assert_eq!(call.get("error.type"), "failed");
    assert!(!collector.holds("as it was told"));
    let request = ours(&collector, "GET /users/{id}");
    assert!((400..500).contains(&refused.status) && !request.is_error);
    assert_eq!(request.get("error.type"), "");
    let logged = lines(&ended, "request failed");
    assert_eq!((logged.len(), &logged[0]["trace_id"]), (1, &json!(TRACE)));
}

#[tokio::test]
async fn the_caller_decides_what_is_kept_and_the_share_decides_else() {
    let collector = Collector::start().await;
    let process = traced(&collector).set("traces.sampling", "0").spawn().await;
    let admin = process.admin().await;
    let get = async |path: &str, flags: &str| {
        let answer = ask(&admin, Method::GET, path, flags, &json!({})).await;
        assert_eq!(answer.status, 200);
    };

    get("/users/me", "01").await;
    get("/roles", "00").await;
    get("/policies", "zz").await;
    stopped(process).await;

    let names: Vec<String> = collector
        .spans()
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert_eq!(names, ["GET /users/me"]);
}

#[tokio::test]
async fn the_variables_of_opentelemetry_are_understood_and_a_broken_parent_is_none() {
    let collector = Collector::start().await;
    let setup = Setup::new()
        .environment("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())
        .environment(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20hunter2",
        )
        .environment("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        .environment("OTEL_SERVICE_NAME", "people")
        .environment(
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=test",
        );
    let process = setup.spawn().await;

    let sent = ask(
        &process.stranger(),
        Method::GET,
        "/server/ping",
        "zz",
        &json!({}),
    )
    .await;
    let ended = stopped(process).await;

    assert_eq!(sent.status, 200);
    let ping = collector.spans().remove(0);
    assert_eq!(ping.name, "GET /server/ping");
    assert!(ping.trace != TRACE && ping.parent.is_empty(), "{ping:?}");
    let resource = collector.resource();
    assert_eq!(resource["service.name"], "people");
    assert_eq!(resource["deployment.environment.name"], "test");
    for header in ["authorization: bearer hunter2", "content-encoding: gzip"] {
        assert!(collector.heads()[0].contains(header), "{header}");
    }
    assert!(!ended.err.contains("hunter2"), "{}", ended.err);
}

#[tokio::test]
async fn nothing_is_sent_unless_it_is_wished_for() {
    let collector = Collector::start().await;
    let setup = Setup::new()
        .environment("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())
        .set("traces.endpoint", "");
    let process = setup.spawn().await;
    let admin = process.admin().await;

    let asked = ask(&admin, Method::GET, "/users/me", "01", &json!({})).await;
    let ended = stopped(process).await;

    assert_eq!(asked.status, 200);
    assert_eq!(collector.heads(), [""; 0]);
    assert!(!ended.err.contains("trace_id"), "{}", ended.err);
}

/// Asks a server whose collector is of no use, and stops it; gives how long that took.
async fn asked_and_stopped(endpoint: &str) -> (Duration, Finished) {
    let setup = Setup::new()
        .set("traces.endpoint", endpoint)
        .set("traces.timeout", "1s")
        .environment("OTEL_BSP_SCHEDULE_DELAY", "10");
    let process = setup.spawn().await;
    let admin = process.admin().await;
    let begun = Instant::now();
    for _ in 0..100 {
        assert_eq!(admin.get("/users/me").await.status, 200);
    }
    // Each waiting for the collector, it would be a hundred seconds.
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    let counted = async || {
        let metrics = admin.get("/metrics").await.text;
        let failed = "roster_trace_spans_total{outcome=\"failed\"}";
        metrics.contains(failed).then_some(())
    };
    eventually("a count of spans that were not sent", counted).await;
    let begun = Instant::now();
    let ended = stopped(process).await;
    (begun.elapsed(), ended)
}

#[tokio::test]
async fn a_collector_that_is_not_there_fails_nothing_and_is_told_of_once() {
    let (took, ended) = asked_and_stopped("http://127.0.0.1:1").await;

    assert!(took < Duration::from_secs(8), "{took:?}");
    assert_eq!(lines(&ended, "spans not sent").len(), 1, "{}", ended.err);
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_up_nothing() {
    let collector = Collector::silent().await;

    let (took, ended) = asked_and_stopped(&collector.url()).await;

    assert!(!collector.heads().is_empty());
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert_eq!(lines(&ended, "spans not sent").len(), 1, "{}", ended.err);
}

#[tokio::test]
async fn an_endpoint_of_no_use_ends_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ];

    let ended = Process::run(folder.path(), &["config", "check"], &environment).await;

    assert_eq!(ended.code, Some(2));
    let expected = "key `traces.endpoint` in variable `OTEL_EXPORTER_OTLP_PROTOCOL`: expected \
                    `http/protobuf`, got `grpc`";
    assert!(ended.err.contains(expected), "{}", ended.err);
}
