//! The outbox in the hands of its operators: dead letters, telling again, and what is old.

use roster_sdk::{Event, Failure};
use roster_tests::{Client, Recorder, Setup, TestServer};
use serde_json::{Value as Json, json};

/// A server whose plugin hears nothing until it is told to.
async fn deaf() -> (
    TestServer,
    Client,
    Recorder,
    std::sync::Arc<std::sync::atomic::AtomicBool>,
) {
    let is_listening = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let heard = std::sync::Arc::clone(&is_listening);
    let recorder = Recorder::of(&[Event::AfterUpdate]).after(move |_| {
        if heard.load(std::sync::atomic::Ordering::SeqCst) {
            Ok(())
        } else {
            Err(Failure::new("not now"))
        }
    });
    let setup = Setup::new()
        .record(&recorder)
        .set("outbox.max_attempts", "2");
    let server = setup.set("outbox.retain", "true").start().await;
    let admin = server.admin().await;
    (server, admin, recorder, is_listening)
}

async fn rename(admin: &Client, titles: &[&str]) {
    for title in titles {
        admin
            .patch("/users/me", json!({ "title": title }))
            .await
            .data();
    }
}

fn titles(recorder: &Recorder) -> Vec<String> {
    let calls = recorder.calls();
    calls
        .iter()
        .map(|call| call.text("title").to_owned())
        .collect()
}

#[tokio::test]
async fn what_was_given_up_is_listed_and_told_once_it_is_retried() {
    let (server, admin, recorder, is_listening) = deaf().await;
    rename(&admin, &["a", "b"]).await;
    server.settled().await;

    let dead = admin.get("/server/outbox?state=dead&limit=10").await.data();
    let dead = dead.as_array().expect("a list");
    assert_eq!(dead.len(), 2);
    let seen = |key: &str| {
        dead.iter()
            .map(|one| one[key].clone())
            .collect::<Vec<Json>>()
    };
    assert_eq!(seen("subscriber"), ["recorder", "recorder"]);
    assert_eq!(seen("last_error"), ["not now", "not now"]);
    assert_eq!(seen("name"), ["update.after", "update.after"]);
    recorder.forget();
    is_listening.store(true, std::sync::atomic::Ordering::SeqCst);

    let one = json!({ "id": dead[1]["id"] });
    let count = admin.post("/server/outbox/retry", one).await.data();
    server.settled().await;
    assert_eq!(
        (count, titles(&recorder)),
        (json!({ "deliveries": 1 }), vec!["a".to_owned()])
    );
    let count = admin.post("/server/outbox/retry", json!({})).await.data();
    server.settled().await;
    assert_eq!(count, json!({ "deliveries": 1 }));
    assert_eq!(titles(&recorder), ["a", "b"]);
}

#[tokio::test]
async fn kept_events_are_told_again_from_one_or_from_a_time_in_their_order() {
    let (server, admin, recorder, is_listening) = deaf().await;
    is_listening.store(true, std::sync::atomic::Ordering::SeqCst);
    rename(&admin, &["a", "b", "c"]).await;
    server.settled().await;
    let calls = recorder.calls();
    recorder.forget();

    let from = json!({ "event": calls[1].id, "subscriber": "recorder" });
    let count = admin.post("/server/outbox/replay", from).await.data();
    server.settled().await;
    assert_eq!(count, json!({ "deliveries": 2 }));
    let again = recorder.calls();
    assert_eq!(titles(&recorder), ["b", "c"]);
    assert_eq!((&again[0].id, &again[1].id), (&calls[1].id, &calls[2].id));
    recorder.forget();

    let all = json!({ "since": "2020-01-01T00:00:00.000Z" });
    admin.post("/server/outbox/replay", all).await.data();
    server.settled().await;
    assert_eq!(titles(&recorder), ["a", "b", "c"]);
    for wrong in [
        json!({}),
        json!({ "event": "x" }),
        json!({ "since": "yesterday" }),
    ] {
        let answer = admin.post("/server/outbox/replay", wrong).await;
        assert_eq!(answer.outcome(), "400 INVALID_PAYLOAD");
    }
}

#[tokio::test]
async fn what_is_told_and_old_is_removed() {
    let (server, admin, _recorder, is_listening) = deaf().await;
    is_listening.store(true, std::sync::atomic::Ordering::SeqCst);
    rename(&admin, &["a", "b"]).await;
    server.settled().await;
    assert!(server.database().count("outbox", "1 = 1").await >= 2);

    // A start sweeps.
    let database = server.stop().await;
    let old = "UPDATE outbox SET created_at = '2020-01-01T00:00:00.000Z'";
    database.execute(old).await;
    let server = Setup::new().on(&database).start().await;

    let look = async || (server.database().count("outbox", "1 = 1").await == 0).then_some(());
    roster_tests::eventually("an empty outbox", look).await;
}

#[tokio::test]
async fn a_slow_subscriber_does_not_hold_up_the_others() {
    let slow = Recorder::of(&[Event::AfterUpdate]);
    let quick = Recorder::of(&[Event::AfterUpdate]);
    let (seen, many) = (quick.clone(), 20_usize);
    let slow = slow.after(move |_| {
        // It fails until the other one has heard everything.
        if seen.calls().len() >= many {
            Ok(())
        } else {
            Err(Failure::new("busy"))
        }
    });
    let section = "capabilities.fields.read = ['*']";
    let server = Setup::new()
        .record_as("slow", &slow, section)
        .record_as("quick", &quick, section)
        .set("outbox.max_attempts", "1000")
        .start()
        .await;
    let admin = server.admin().await;

    for turn in 0..many {
        rename(&admin, &[&turn.to_string()]).await;
    }

    server.settled().await;
    assert_eq!(quick.calls().len(), many);
}
