//! After-events: at least once, in order for each user, again after failures, given up at last.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use roster_sdk::{Event, Failure};
use roster_tests::{Call, Kind, Recorder, Setup, TestServer, eventually, kind};
use serde_json::json;

const EVENTS: [Event; 2] = [Event::AfterCreate, Event::AfterUpdate];

/// Waits until a recorder has been called so often.
async fn called(recorder: &Recorder, times: usize) -> Vec<Call> {
    let look = async || Some(recorder.calls()).filter(|calls| calls.len() >= times);
    eventually("calls of a hook", look).await
}

#[tokio::test]
async fn a_failed_delivery_comes_again_with_the_same_id() {
    let failures = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&failures);
    let recorder = Recorder::of(&[Event::AfterUpdate]).after(move |_| {
        match counted.fetch_add(1, Ordering::SeqCst) {
            0..3 => Err(Failure::new("not now")),
            _ => Ok(()),
        }
    });
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;

    admin
        .patch("/users/me", json!({ "title": "x" }))
        .await
        .data();

    server.settled().await;
    let calls = recorder.calls();
    assert_eq!(calls.len(), 4);
    assert!(
        calls
            .iter()
            .all(|call| call.id == calls[0].id && call.item == admin.id)
    );
    assert!(uuid::Uuid::parse_str(&calls[0].id).is_ok());
    assert_eq!(server.database().count("outbox", "1 = 1").await, 0);
}

#[tokio::test]
async fn the_events_of_a_user_keep_their_order_through_failures_and_hold_up_nobody_else() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    let recorder = Recorder::of(&[Event::AfterUpdate]).after(move |call| {
        let is_ada = call.text("email") == "ada@example.com";
        if is_ada && counted.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
            return Err(Failure::new("every other time"));
        }
        Ok(())
    });
    let server = Setup::new().record(&recorder).start().await;
    let ada = server.member("ada").await;
    let bob = server.member("bob").await;
    let admin = server.admin().await;

    for number in 0..10 {
        let body = json!({ "title": number.to_string() });
        admin.patch(&ada.path(), body.clone()).await.data();
        admin.patch(&bob.path(), body).await.data();
    }

    server.settled().await;
    let mut titles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for call in recorder.calls() {
        let of = titles.entry(call.item.clone()).or_default();
        of.push(call.text("title").to_owned());
    }
    let once: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    let twice: Vec<String> = once
        .iter()
        .flat_map(|title| [title.clone(), title.clone()])
        .collect();
    assert_eq!(titles[&bob.id], once);
    assert_eq!(titles[&ada.id], twice);
}

#[tokio::test]
async fn a_stuck_event_holds_up_its_own_user_alone() {
    let recorder = Recorder::of(&EVENTS).after(|call| match call.text("title") {
        "stuck" => Err(Failure::new("stuck")),
        _ => Ok(()),
    });
    let setup = Setup::new().record(&recorder).set("outbox.backoff", "1h");
    let server = setup.set("outbox.max_backoff", "2h").start().await;
    let ada = server.member("ada").await;
    let admin = server.admin().await;
    server.settled().await;
    recorder.forget();

    admin
        .patch(&ada.path(), json!({ "title": "stuck" }))
        .await
        .data();
    called(&recorder, 1).await;
    admin
        .patch(&ada.path(), json!({ "title": "behind" }))
        .await
        .data();
    admin
        .patch("/users/me", json!({ "title": "free" }))
        .await
        .data();

    let calls = called(&recorder, 2).await;
    let titles: Vec<&str> = calls.iter().map(|call| call.text("title")).collect();
    assert_eq!(titles, ["stuck", "free"]);
    let waiting = server
        .database()
        .count("deliveries", "state = 'pending'")
        .await;
    assert_eq!(waiting, 2);
}

#[tokio::test]
async fn a_delivery_is_given_up_after_its_attempts_and_lets_the_next_one_go() {
    let recorder = Recorder::of(&[Event::AfterUpdate]).after(|call| match call.text("title") {
        "poison" => Err(Failure::new("it does not go down")),
        _ => Ok(()),
    });
    let server = Setup::new()
        .record(&recorder)
        .set("outbox.max_attempts", "3")
        .start()
        .await;
    let admin = server.admin().await;

    admin
        .patch("/users/me", json!({ "title": "poison" }))
        .await
        .data();
    admin
        .patch("/users/me", json!({ "title": "next" }))
        .await
        .data();

    server.settled().await;
    let calls = recorder.calls();
    let titles: Vec<&str> = calls.iter().map(|call| call.text("title")).collect();
    assert_eq!(titles, ["poison", "poison", "poison", "next"]);
    let sql =
        "SELECT state, CAST(attempts AS TEXT), last_error FROM deliveries WHERE state = 'dead'";
    let dead = server.database().rows(sql).await;
    let expected = ["dead", "3", "it does not go down"].map(|text| Some(text.to_owned()));
    assert_eq!(dead, [expected.to_vec()]);
    assert_eq!(server.database().count("outbox", "1 = 1").await, 1);
}

#[tokio::test]
async fn the_pause_before_another_attempt_is_the_operators() {
    let recorder = Recorder::of(&[Event::AfterUpdate]).after(|_| Err(Failure::new("not now")));
    let setup = Setup::new().record(&recorder).set("outbox.backoff", "1h");
    let server = setup.set("outbox.max_backoff", "2h").start().await;
    let admin = server.admin().await;

    admin
        .patch("/users/me", json!({ "title": "x" }))
        .await
        .data();

    let sql = match kind() {
        Kind::Sqlite => {
            "SELECT CAST(CAST((julianday(d.next_attempt_at) - julianday(o.created_at)) * 1440 AS INTEGER) \
             AS TEXT) FROM deliveries d JOIN outbox o ON o.id = d.event WHERE d.attempts = 1 AND \
             d.state = 'pending'"
        }
        Kind::Postgres => {
            "SELECT CAST(CAST(EXTRACT(EPOCH FROM d.next_attempt_at - o.created_at) / 60 AS INTEGER) \
             AS TEXT) FROM deliveries d JOIN outbox o ON o.id = d.event WHERE d.attempts = 1 AND \
             d.state = 'pending'"
        }
    };
    let look = async || server.database().rows(sql).await.pop();
    let minutes = eventually("a second attempt to be planned", look).await;
    let minutes: i64 = minutes[0]
        .as_deref()
        .expect("a number")
        .parse()
        .expect("a number");
    assert!((44..=76).contains(&minutes), "{minutes} minutes");
}

#[tokio::test]
async fn what_was_not_delivered_before_a_stop_is_delivered_after_the_next_start() {
    let recorder = Recorder::of(&[Event::AfterUpdate]).after(|_| Err(Failure::new("not now")));
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;
    admin
        .patch("/users/me", json!({ "title": "x" }))
        .await
        .data();
    let id = called(&recorder, 1).await[0].id.clone();
    let database = server.stop().await;

    let healthy = Recorder::of(&[Event::AfterUpdate]);
    let server = Setup::new().on(&database).record(&healthy).start().await;

    server.settled().await;
    let calls = healthy.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(
        (calls[0].id.as_str(), calls[0].text("title")),
        (id.as_str(), "x")
    );
}

#[tokio::test]
async fn a_hook_that_panics_is_a_failure_and_delivery_goes_on() {
    let recorder = Recorder::of(&[Event::AfterUpdate]).after(|call| {
        assert!(
            call.text("title") != "poison",
            "the plugin panics, as the test wants"
        );
        Ok(())
    });
    let server = Setup::new()
        .record(&recorder)
        .set("outbox.max_attempts", "2")
        .start()
        .await;
    let admin = server.admin().await;

    admin
        .patch("/users/me", json!({ "title": "poison" }))
        .await
        .data();
    admin
        .patch("/users/me", json!({ "title": "next" }))
        .await
        .data();

    server.settled().await;
    let calls = recorder.calls();
    let titles: Vec<&str> = calls.iter().map(|call| call.text("title")).collect();
    assert_eq!(titles, ["poison", "poison", "next"]);
}

#[tokio::test]
async fn an_after_hook_never_delays_the_request() {
    let recorder = Recorder::of(&[Event::AfterUpdate]).after(|_| Err(Failure::new("no")));
    let server: TestServer = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;

    let answer = admin
        .patch("/users/me?fields=title", json!({ "title": "x" }))
        .await;

    assert_eq!(answer.data(), json!({ "title": "x" }));
}
