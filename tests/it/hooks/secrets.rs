//! Passwords in plain: for hooks that ask for them and are given them, while they are being set.

use roster_sdk::{Event, HookError};
use roster_tests::{PASSWORD, Postbox, Recorder, Setup, TestServer};
use serde_json::json;

const EVENTS: [Event; 4] = [
    Event::BeforeCreate,
    Event::BeforeUpdate,
    Event::AfterCreate,
    Event::AfterUpdate,
];
const GIVEN: &str = "capabilities.secrets = ['password']";
const NEXT: &str = "another good one";
const LEAKED: &str = "a well-known one";

/// The events so far with the passwords that they showed.
fn shown(recorder: &Recorder) -> Vec<String> {
    let calls = recorder.calls();
    let shown = calls.iter().map(|call| {
        assert!(!call.stored.contains_key("password"), "{call:?}");
        let seen = call.values.get("password");
        seen.map_or_else(
            || call.event.as_str().to_owned(),
            |password| format!("{} {password}", call.event.as_str()),
        )
    });
    shown.collect()
}

async fn told(server: &TestServer, recorder: &Recorder) -> Vec<String> {
    server.settled().await;
    let told = shown(recorder);
    recorder.forget();
    told
}

#[tokio::test]
async fn a_password_is_shown_wherever_it_is_set_and_nowhere_else() {
    let recorder = Recorder::of(&EVENTS).asking(&["password"], &[]);
    let postbox = Postbox::open().await;
    let server = Setup::new()
        .record_as("recorder", &recorder, GIVEN)
        .mails(&postbox)
        .start()
        .await;
    let admin = server.admin().await;
    let (create, update) = (
        ["create.before", "create.after"],
        ["update.before", "update.after"],
    );
    let with = |events: [&str; 2], password: &str| {
        vec![
            format!("{} {}", events[0], json!(password)),
            events[1].to_owned(),
        ]
    };
    told(&server, &recorder).await;

    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let made = admin.post("/users", body).await.data();
    assert_eq!(told(&server, &recorder).await, with(create, PASSWORD));
    let path = format!("/users/{}", made["id"].as_str().expect("an id"));
    admin.patch(&path, json!({ "password": NEXT })).await.data();
    assert_eq!(told(&server, &recorder).await, with(update, NEXT));
    let masked = json!({ "title": "x", "password": "**********" });
    admin.patch(&path, masked).await.data();
    assert_eq!(told(&server, &recorder).await, update);

    let role = admin.get("/users/me").await.data()["role"].clone();
    let body = json!({ "email": "eve@example.com", "role": role });
    admin.post("/users/invite", body).await.done();
    assert_eq!(told(&server, &recorder).await, create);
    let token = postbox.nth("eve@example.com", 1).await.token();
    let body = json!({ "token": token, "password": PASSWORD });
    server
        .stranger()
        .post("/users/invite/accept", body)
        .await
        .done();
    assert_eq!(told(&server, &recorder).await, with(update, PASSWORD));
    let mails = postbox.to("ada@example.com").len();
    let body = json!({ "email": "ada@example.com" });
    server
        .stranger()
        .post("/auth/password/request", body)
        .await
        .done();
    let token = postbox.nth("ada@example.com", mails + 1).await.token();
    let body = json!({ "token": token, "password": PASSWORD });
    server
        .stranger()
        .post("/auth/password/reset", body)
        .await
        .done();
    assert_eq!(told(&server, &recorder).await, with(update, PASSWORD));
}

#[tokio::test]
async fn it_is_shown_to_those_only_who_ask_for_it_and_are_given_it() {
    for (asks, section) in [("password", ""), ("title", GIVEN)] {
        let recorder = Recorder::of(&EVENTS).asking(&[asks], &[]);
        let setup = Setup::new().record_as("recorder", &recorder, section);
        let server = setup.start().await;
        let admin = server.admin().await;
        told(&server, &recorder).await;

        admin
            .post("/users", json!({ "password": PASSWORD }))
            .await
            .data();

        assert_eq!(
            told(&server, &recorder).await,
            ["create.before", "create.after"]
        );
    }
}

#[tokio::test]
async fn a_hook_may_refuse_a_password_and_never_change_it() {
    let recorder = Recorder::of(&EVENTS)
        .asking(&["password"], &["password"])
        .before(|call, draft| {
            match call.text("password") {
                LEAKED => draft.error("password", "BREACHED", "It is known to others."),
                NEXT => draft.set("password", "chosen by the plugin"),
                _ => {}
            }
            Ok::<(), HookError>(())
        });
    let section = format!("{GIVEN}\ncapabilities.fields.write = ['password']");
    let setup = Setup::new().record_as("recorder", &recorder, &section);
    let server = setup.start().await;
    let admin = server.admin().await;

    let refused = admin.post("/users", json!({ "password": LEAKED })).await;
    assert_eq!(refused.outcome(), "400 BREACHED");
    assert_eq!(
        refused.json()["errors"][0]["extensions"]["field"],
        "password"
    );
    let changed = admin.post("/users", json!({ "password": NEXT })).await;
    assert_eq!(changed.outcome(), "500 PLUGIN_FAILED");
    let taken = admin
        .post("/users", json!({ "password": "a third good one" }))
        .await;
    assert_eq!(taken.outcome(), "200");
}

#[tokio::test]
async fn no_other_secret_is_given_to_a_plugin() {
    for secret in ["token", "tfa_secret", "*"] {
        let section = format!("capabilities.secrets = ['{secret}']");
        let setup = Setup::new().record_as("recorder", &Recorder::new(), &section);

        let refusal = setup.refusal().await;

        let expected = format!(
            "`plugins.recorder.capabilities.secrets`: expected `password`, which is the only one, got `{secret}`"
        );
        assert!(refusal.contains(&expected), "{refusal}");
    }
}
