use roster_sdk::testing::{self, FakeHost};
use roster_sdk::{Event, Failure, Hooks, HttpResponse, StartError, Value, json};

use super::Webhook;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn start(config: Value) -> Result<Webhook, StartError> {
    testing::start(config, &FakeHost::new())
}

#[test]
fn an_event_is_posted_and_signed_as_the_specification_says() {
    let host = FakeHost::new();
    host.respond(|_| {
        Ok(HttpResponse {
            status: 204,
            ..HttpResponse::default()
        })
    });
    let config = json!({ "url": "https://example.com/hook", "secret": SECRET });
    let webhook: Webhook = testing::start(config, &host).unwrap();
    let cx = testing::context(Event::AfterUpdate, &host);
    let record = testing::record(json!({ "title": "x" }));

    testing::ready(webhook.after_update(&cx, &record, &["title".to_owned()])).unwrap();

    let sent = &host.requests()[0];
    let body: Value = serde_json(sent.body.as_deref().unwrap());
    assert_eq!(
        (sent.method.as_str(), sent.url.as_str()),
        ("POST", "https://example.com/hook")
    );
    assert_eq!(
        body,
        json!({
            "type": "users.update",
            "timestamp": "2026-01-02T03:04:05.678Z",
            "data": {
                "id": "0197a2b0-0000-7000-8000-000000000001",
                "record": { "title": "x" },
                "changed": ["title"],
            },
        })
    );
    let header = |name: &str| {
        let found = sent.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    assert_eq!(header("webhook-id"), cx.id);
    assert_eq!(header("webhook-timestamp"), "1767323045");
    let text = String::from_utf8(sent.body.clone().unwrap()).unwrap();
    let expected = webhook.sign(&cx.id, "1767323045", &text).unwrap();
    assert_eq!(header("webhook-signature"), expected);
}

fn serde_json(bytes: &[u8]) -> Value {
    roster_sdk::serde_json::from_slice(bytes).unwrap()
}

#[test]
fn the_signature_is_that_of_the_specification() {
    let webhook = start(json!({ "url": "https://example.com", "secret": SECRET })).unwrap();

    let signature = webhook.sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        r#"{"test": 2432232314}"#,
    );

    assert_eq!(
        signature.unwrap(),
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    );
}

#[test]
fn an_endpoint_that_refuses_is_a_failure_and_so_tried_again() {
    let host = FakeHost::new();
    host.respond(|_| {
        Ok(HttpResponse {
            status: 503,
            ..HttpResponse::default()
        })
    });
    let config = json!({ "url": "https://example.com", "secret": SECRET });
    let webhook: Webhook = testing::start(config, &host).unwrap();
    let cx = testing::context(Event::AfterCreate, &host);

    let told = testing::ready(webhook.after_create(&cx, &testing::record(json!({}))));

    assert_eq!(told, Err(Failure::new("the endpoint answered 503")));
}

#[test]
fn mistakes_stop_the_start() {
    let with = |key: &str, value: Value| {
        let mut config = json!({ "url": "https://example.com", "secret": SECRET });
        config[key] = value;
        start(config).err().map(|error| error.0).unwrap_or_default()
    };

    assert!(with("url", json!("ftp://example.com")).contains("web address"));
    assert!(with("secret", json!("short")).contains("whsec_"));
    assert!(with("events", json!(["users.dance"])).contains("users.dance"));
}
