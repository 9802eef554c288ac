//! A hook that fails: the write is refused or goes on without it, as the operator says.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use roster_sdk::{Draft, Event, Failure, HookError, Rejection};
use roster_tests::{Call, Recorder, Setup, TestServer};
use serde_json::json;

/// Fails in the way that the title says.
fn fail(call: &Call, draft: &mut Draft) -> Result<(), HookError> {
    match call.text("title") {
        "fails" => Err(Failure::new("the disk is full of secrets").into()),
        "wrong type" => {
            draft.set("title", 7);
            Ok(())
        }
        "unknown field" => {
            draft.set("nope", "x");
            Ok(())
        }
        "bad status" => Err(Rejection::new("NO", "no").with_status(500).into()),
        "bad code" => Err(Rejection::new("no good", "no").into()),
        "bad field code" => {
            draft.error("title", "", "no");
            Ok(())
        }
        "panics" => panic!("the plugin panics, as the test wants"),
        _ => Ok(()),
    }
}

const WAYS: [&str; 7] = [
    "fails",
    "wrong type",
    "unknown field",
    "bad status",
    "bad code",
    "bad field code",
    "panics",
];

async fn with(section: &str) -> (TestServer, Recorder) {
    let recorder = Recorder::of(&[Event::BeforeCreate]).before(fail);
    let section = format!("capabilities.fields = {{ read = ['*'], write = ['*'] }}\n{section}");
    let server = Setup::new()
        .record_as("recorder", &recorder, &section)
        .start()
        .await;
    (server, recorder)
}

#[tokio::test]
async fn a_failure_refuses_the_write_and_says_nothing_of_its_cause() {
    let (server, _) = with("").await;
    let admin = server.admin().await;

    assert_snapshot!(admin.post("/users", json!({ "title": "fails" })).await, @r#"
    500
    {"errors":[{"message":"A plugin could not do its work.","extensions":{"code":"PLUGIN_FAILED"}}]}
    "#);
    for way in WAYS {
        let answer = admin.post("/users", json!({ "title": way })).await;
        assert_eq!(answer.outcome(), "500 PLUGIN_FAILED", "{way}");
    }
    assert_eq!(
        server.database().count("users", "title IS NOT NULL").await,
        0
    );
    assert_eq!(
        admin
            .post("/users", json!({ "title": "good" }))
            .await
            .outcome(),
        "200"
    );
}

#[tokio::test]
async fn a_failure_can_be_skipped_and_leaves_no_trace_of_the_plugin() {
    let (server, _) = with("on_failure = 'skip'").await;
    let admin = server.admin().await;

    for way in WAYS {
        let answer = admin
            .post("/users?fields=title", json!({ "title": way }))
            .await;
        assert_eq!(answer.data(), json!({ "title": way }));
    }
}

#[tokio::test]
async fn a_hook_that_hangs_ends_at_its_deadline_and_holds_up_nobody() {
    let recorder = Recorder::of(&[Event::BeforeUpdate]).hanging();
    let server = Setup::new()
        .record_as("recorder", &recorder, "timeout = '500ms'")
        .start()
        .await;
    let admin = server.admin().await;

    let begun = Instant::now();
    let stuck = {
        let admin = admin.clone();
        tokio::spawn(async move { admin.patch("/users/me", json!({ "title": "x" })).await })
    };
    let mut others = 0;
    while !stuck.is_finished() {
        assert_eq!(admin.get("/users/me").await.outcome(), "200");
        others += u32::from(!stuck.is_finished());
    }

    assert_eq!(
        stuck.await.expect("an answer").outcome(),
        "500 PLUGIN_FAILED"
    );
    assert!(
        begun.elapsed() >= Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );
    assert!(others > 0, "nobody else was served");
}

#[tokio::test]
async fn a_hook_that_hangs_can_be_skipped() {
    let recorder = Recorder::of(&[Event::BeforeUpdate]).hanging();
    let section = "timeout = '10ms'\non_failure = 'skip'";
    let server = Setup::new()
        .record_as("recorder", &recorder, section)
        .start()
        .await;
    let admin = server.admin().await;

    let answer = admin
        .patch("/users/me?fields=title", json!({ "title": "x" }))
        .await;

    assert_eq!(answer.data(), json!({ "title": "x" }));
}
