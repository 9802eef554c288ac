//! A component that misbehaves: the write is refused or goes on without it, and everybody else is
//! served meanwhile.

use std::time::{Duration, Instant};

use roster_tests::{Client, Setup, TestServer};
use serde_json::json;

const PACKAGE: &str = "roster-hostile-plugin";

/// A server whose component misbehaves in this way when somebody is made, and its administrator,
/// who was there before.
async fn with(mode: &str, timeout: &str, on_failure: &str) -> (TestServer, Client) {
    let section = format!("config = {{ mode = '{mode}' }}\non_failure = '{on_failure}'");
    let setup = Setup::new().guest("hostile", PACKAGE, &section);
    let setup = setup.set("plugins.hostile.timeout", timeout);
    let server = match on_failure {
        "skip" => setup.start().await,
        _ => setup.lived_in().await.start().await,
    };
    let admin = server.admin().await;
    (server, admin)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_is_cut_off_and_holds_up_nobody() {
    let (server, admin) = with("loop", "1s", "reject").await;

    let begun = Instant::now();
    let creating = {
        let admin = admin.clone();
        tokio::spawn(async move { admin.post("/users", json!({ "title": "x" })).await })
    };
    let mut others = 0;
    while !creating.is_finished() {
        assert_eq!(admin.get("/users/me").await.outcome(), "200");
        others += u32::from(!creating.is_finished());
    }

    assert_eq!(
        creating.await.expect("an answer").outcome(),
        "500 PLUGIN_FAILED"
    );
    assert!(
        begun.elapsed() >= Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    assert!(others > 0, "nobody else was served");
    assert_eq!(server.database().count("users", "title = 'x'").await, 0);
}

#[tokio::test]
async fn every_other_way_to_fail_refuses_the_write_and_the_server_goes_on() {
    for mode in [
        "memory",
        "trap",
        "recursion",
        "huge",
        "enormous",
        "bad_status",
    ] {
        let (server, admin) = with(mode, "10s", "reject").await;

        let answer = admin.post("/users", json!({ "title": "x" })).await;

        assert_eq!(answer.outcome(), "500 PLUGIN_FAILED", "{mode}");
        assert_eq!(admin.get("/users/me").await.outcome(), "200", "{mode}");
        assert_eq!(
            server.database().count("users", "title = 'x'").await,
            0,
            "{mode}"
        );
    }
}

#[tokio::test]
async fn every_way_to_fail_can_be_skipped() {
    for mode in ["loop", "memory", "trap", "recursion", "huge", "bad_status"] {
        let timeout = if mode == "loop" { "100ms" } else { "10s" };
        let (_server, admin) = with(mode, timeout, "skip").await;

        let answer = admin
            .post("/users?fields=title", json!({ "title": "x" }))
            .await;

        assert_eq!(answer.data(), json!({ "title": "x" }), "{mode}");
    }
}

#[tokio::test]
async fn a_component_that_talks_too_much_is_cut_short_and_harmless() {
    let (_server, admin) = with("chatter", "10s", "reject").await;

    let answer = admin
        .post("/users?fields=title", json!({ "title": "x" }))
        .await;

    assert_eq!(answer.data(), json!({ "title": "x" }));
}

#[tokio::test]
async fn many_crashes_leave_room_for_more() {
    let (_server, admin) = with("trap", "10s", "reject").await;

    for _ in 0..100 {
        let answer = admin.post("/users", json!({})).await;
        assert_eq!(answer.outcome(), "500 PLUGIN_FAILED");
    }

    assert_eq!(
        admin
            .patch("/users/me", json!({ "title": "x" }))
            .await
            .outcome(),
        "200"
    );
}
