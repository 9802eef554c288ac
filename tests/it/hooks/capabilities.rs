//! A plugin sees and changes what the operator grants, and of that what it asked for.

use roster_sdk::{Event, Map, Value as Json};
use roster_tests::{PASSWORD, Recorder, Setup, TestServer};
use serde_json::json;

/// What a recorder is shown of a user who is made and then changed and removed.
async fn shown(recorder: &Recorder, section: &str) -> (TestServer, Vec<Vec<String>>) {
    let server = Setup::new()
        .record_as("recorder", recorder, section)
        .start()
        .await;
    let admin = server.admin().await;
    server.settled().await;
    recorder.forget();
    let body = json!({
        "email": "ada@example.com", "password": PASSWORD, "title": "x", "token": "a-static-token-for-ada",
    });
    let made = admin.post("/users", body).await.data();
    let path = format!("/users/{}", made["id"].as_str().expect("an id"));
    admin
        .patch(&path, json!({ "title": "y", "password": "another secret" }))
        .await
        .data();
    admin.delete(&path).await.done();
    server.settled().await;
    let keys = |map: &Map<String, Json>| map.keys().cloned().collect::<Vec<_>>();
    let calls = recorder.calls();
    let mut shown: Vec<_> = calls.iter().map(|call| keys(&call.values)).collect();
    shown.extend(calls.iter().map(|call| keys(&call.stored)));
    (server, shown)
}

#[tokio::test]
async fn a_plugin_that_is_granted_nothing_sees_nothing() {
    let (_server, shown) = shown(&Recorder::new(), "").await;

    assert_eq!(shown.len(), 12);
    assert!(shown.iter().all(Vec::is_empty), "{shown:?}");
}

#[tokio::test]
async fn a_plugin_sees_what_it_asked_for_and_was_granted() {
    let recorder = Recorder::new().asking(&["title", "email"], &[]);

    let (_server, shown) = shown(&recorder, "capabilities.fields.read = ['title', 'status']").await;

    let seen: std::collections::BTreeSet<_> = shown.iter().flatten().cloned().collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["title"]);
}

#[tokio::test]
async fn secrets_are_shown_to_nobody_whatever_is_granted() {
    let all =
        "capabilities.fields = { read = ['*', 'password', 'token'], write = ['*', 'password'] }";
    let recorder = Recorder::new().asking(
        &["*", "password", "token", "tfa_secret"],
        &["*", "password"],
    );

    let (_server, shown) = shown(&recorder, all).await;

    assert!(
        shown.iter().flatten().any(|name| name == "email"),
        "{shown:?}"
    );
    for secret in ["password", "token", "tfa_secret"] {
        assert!(
            !shown.iter().flatten().any(|name| name == secret),
            "{secret}: {shown:?}"
        );
    }
    for call in recorder.calls() {
        assert!(
            !call.changed.iter().any(|name| name == "password"),
            "{:?}",
            call.changed
        );
        let text = json!([call.values, call.stored]).to_string();
        assert!(
            !text.contains(PASSWORD) && !text.contains("argon2"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn writing_what_was_not_granted_is_a_failure() {
    let setting = |field: &'static str| {
        Recorder::of(&[Event::BeforeCreate]).before(move |call, draft| {
            if call.text("title") == "x" {
                draft.set(field, "set");
            }
            Ok(())
        })
    };

    for (field, grant, expected) in [
        ("location", "read = ['*'], write = ['location']", "200"),
        (
            "location",
            "read = ['*'], write = ['title']",
            "500 PLUGIN_FAILED",
        ),
        ("location", "read = ['*'], write = []", "500 PLUGIN_FAILED"),
        (
            "password",
            "read = ['*'], write = ['*', 'password']",
            "500 PLUGIN_FAILED",
        ),
        (
            "token",
            "read = ['*'], write = ['*', 'token']",
            "500 PLUGIN_FAILED",
        ),
        (
            "id",
            "read = ['*'], write = ['*', 'id']",
            "500 PLUGIN_FAILED",
        ),
    ] {
        let section = format!("capabilities.fields = {{ {grant} }}");
        let recorder = setting(field);
        let server = Setup::new()
            .record_as("recorder", &recorder, &section)
            .start()
            .await;
        let admin = server.admin().await;

        let answer = admin.post("/users", json!({ "title": "x" })).await;

        assert_eq!(answer.outcome(), expected, "{field} with {grant}");
    }
}

#[tokio::test]
async fn writing_what_was_not_asked_for_is_a_failure() {
    let recorder = Recorder::of(&[Event::BeforeUpdate])
        .asking(&["*"], &["title"])
        .before(|_, draft| {
            draft.set("location", "set");
            Ok(())
        });
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;

    let answer = admin.patch("/users/me", json!({ "title": "x" })).await;

    assert_eq!(answer.outcome(), "500 PLUGIN_FAILED");
}

#[tokio::test]
async fn what_may_be_written_may_be_seen() {
    let recorder = Recorder::of(&[Event::BeforeUpdate]).asking(&[], &["title"]);

    let (_server, shown) = shown(&recorder, "capabilities.fields.write = ['title']").await;

    assert_eq!(shown, [["title"], ["title"]]);
}
