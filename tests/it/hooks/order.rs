use roster_sdk::{Event, Rejection};
use roster_tests::{Recorder, Setup};
use serde_json::json;

const ALL: &str = "capabilities.fields = { read = ['*'], write = ['*'] }";

/// A hook that puts a letter behind the title.
fn appending(letter: &'static str) -> Recorder {
    Recorder::of(&[Event::BeforeCreate, Event::BeforeUpdate]).before(move |call, draft| {
        draft.set("title", format!("{}{letter}", call.text("title")));
        Ok(())
    })
}

#[tokio::test]
async fn hooks_run_by_priority_then_by_name_and_see_what_the_last_one_did() {
    let [a, b, c, d] = ["a", "b", "c", "d"].map(appending);
    let with = |priority: i32| format!("priority = {priority}\n{ALL}");
    let server = Setup::new()
        .record_as("zeta", &a, &with(-5))
        .record_as("beta", &c, &with(10))
        .record_as("alpha", &b, &with(10))
        .record_as("gamma", &d, ALL)
        .start()
        .await;
    let admin = server.admin().await;

    let made = admin.post("/users", json!({ "title": "-" })).await.data();
    let path = format!(
        "/users/{}?fields=title",
        made["id"].as_str().expect("an id")
    );
    let changed = admin.patch(&path, json!({ "title": "+" })).await.data();

    assert_eq!(made["title"], "-abcd");
    assert_eq!(changed["title"], "+abcd");
    let seen = [a, b, c, d].map(|recorder| {
        let last = recorder.calls().pop().expect("a call");
        last.text("title").to_owned()
    });
    assert_eq!(seen, ["+", "+a", "+ab", "+abc"]);
}

#[tokio::test]
async fn a_rejection_ends_the_row() {
    let hook = || Recorder::of(&[Event::BeforeUpdate]);
    let (first, third) = (hook(), hook());
    let second = hook().before(|_, _| Err(Rejection::new("NO", "No.").into()));
    let server = Setup::new()
        .record_as("first", &first, "priority = 1")
        .record_as("second", &second, "priority = 2")
        .record_as("third", &third, "priority = 3")
        .start()
        .await;
    let admin = server.admin().await;

    let answer = admin.patch("/users/me", json!({ "title": "x" })).await;

    assert_eq!(answer.outcome(), "400 NO");
    assert_eq!(
        [first, second, third].map(|hook| hook.calls().len()),
        [1, 1, 0]
    );
}

#[tokio::test]
async fn a_plugin_that_is_turned_off_is_not_there() {
    let recorder = Recorder::new();
    let server = Setup::new()
        .record_as("recorder", &recorder, "enabled = false")
        .start()
        .await;

    server
        .admin()
        .await
        .patch("/users/me", json!({ "title": "x" }))
        .await
        .data();

    server.settled().await;
    assert!(recorder.events().is_empty(), "{:?}", recorder.events());
}
