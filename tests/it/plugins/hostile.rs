//! A component that misbehaves: the write is refused or goes on without it, and everybody else is
//! served meanwhile.

use std::path::Path;
use std::time::{Duration, Instant};

use roster_tests::{Client, Setup, TestServer, garbled, growing_tables, guest};
use serde_json::{Value as Json, json};

const PACKAGE: &str = "roster-hostile-plugin";

/// Ways to misbehave, with how the metrics call it and how the reason in the log begins.
const WAYS: [(&str, &str, &str); 12] = [
    ("loop", "crashed", "deadline of 400ms exceeded"),
    ("flood", "crashed", "deadline of 400ms exceeded"),
    ("memory", "crashed", "memory limit of 64 MiB exceeded"),
    ("table", "crashed", "table limit of 20000 elements exceeded"),
    ("trap", "crashed", "trap: "),
    ("recursion", "crashed", "trap: "),
    (
        "huge",
        "failed",
        "result of 1048588 bytes: expected at most 256 KiB",
    ),
    ("enormous", "crashed", "trap: too much data is being copied"),
    ("garbled", "crashed", "trap: invalid utf-8 sequence"),
    ("no_json", "failed", "patch: key must be a string"),
    ("no_object", "failed", "patch: invalid type: sequence"),
    (
        "bad_status",
        "failed",
        "rejection with status 500: expected 400 to 499",
    ),
];

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

/// A server where each way to misbehave is a plugin of its own, and each of them is skipped.
fn crowd(folder: &Path) -> Setup {
    let component = std::fs::read(guest(PACKAGE)).expect("a component");
    let bent = |name: &str, bytes: &[u8]| {
        let file = folder.join(name);
        std::fs::write(&file, bytes).expect("a component");
        file
    };
    let table = bent("table.wasm", &growing_tables(&component, 12_345));
    let no_text = bent(
        "garbled.wasm",
        &garbled(&component, "these are to be no text"),
    );
    let mut setup = Setup::new();
    for (way, ..) in WAYS {
        let (file, config) = match way {
            "table" => (table.clone(), json!({ "mode": way })),
            "garbled" => (no_text.clone(), json!({ "mode": way })),
            "no_json" => (
                guest("roster-old-plugin"),
                json!({ "answer": "!{\"title\": oops" }),
            ),
            "no_object" => (guest("roster-old-plugin"), json!({ "answer": "![1" })),
            _ => (guest(PACKAGE), json!({ "mode": way })),
        };
        let timeout = if ["loop", "flood"].contains(&way) {
            "400ms"
        } else {
            "20s"
        };
        setup = setup
            .plugin(
                way,
                &format!(
                    "source = '{}'\ntimeout = '{timeout}'\non_failure = 'skip'",
                    file.display()
                ),
            )
            .set(&format!("plugins.{way}.config"), &config.to_string());
    }
    for way in ["chatter", "trespass"] {
        let section =
            format!("config = {{ mode = '{way}' }}\ncapabilities.fields.write = ['title']");
        setup = setup.guest(way, PACKAGE, &section);
    }
    setup
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_misbehaves_is_named_in_the_log_and_the_metrics_and_harms_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = crowd(folder.path()).spawn().await;
    let admin = process.admin().await;

    let made = admin.post("/users?fields=title", json!({})).await;

    assert_eq!(
        made.data(),
        json!({ "title": "denied denied denied denied denied denied denied" })
    );
    let log = process.err();
    let lines: Vec<Json> = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let metrics = process.stranger().get("/metrics").await.text;
    for (way, outcome, reason) in WAYS {
        let is_told = lines.iter().any(|line| {
            let told = line["reason"].as_str().unwrap_or_default();
            line["message"] == "hook failed, skipped"
                && line["plugin"] == way
                && told.starts_with(reason)
        });
        assert!(is_told, "{way}:\n{log}");
        let count = format!(
            r#"roster_plugin_calls_total{{plugin="{way}",call="create.before",outcome="{outcome}"}}"#
        );
        assert!(metrics.contains(&count), "{way}:\n{metrics}");
    }
    let of = |message: &str, plugin: &str| {
        let about = |line: &&Json| line["message"] == message && line["plugin"] == plugin;
        lines.iter().filter(about).count()
    };
    // Two users were made, the administrator being the first.
    assert_eq!(of("plugin log", "chatter"), 2 * 65);
    assert_eq!(of("plugin denied", "trespass"), 2);
    for (what, count) in [("http", 2), ("store", 8), ("users", 2), ("mail", 2)] {
        let count =
            format!(r#"roster_plugin_denied_total{{plugin="trespass",what="{what}"}} {count}"#);
        assert!(metrics.contains(&count), "{count}:\n{metrics}");
    }

    let creating = {
        let admin = admin.clone();
        tokio::spawn(async move {
            loop {
                let made = admin.post("/users", json!({})).await;
                assert_eq!(made.outcome(), "200");
            }
        })
    };
    for _ in 0..1_000 {
        assert_eq!(admin.get("/users/me").await.outcome(), "200");
    }
    assert!(!creating.is_finished(), "a write failed");
    creating.abort();
}
