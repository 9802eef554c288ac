//! Instances that serve more than one call, where the operator asks for them.

use roster_tests::{Client, Setup, TestServer};
use serde_json::{Value as Json, json};

const TITLE: &str = "capabilities.fields = { read = ['title'], write = ['title', 'description'] }";

async fn with(package: &str, section: &str) -> (TestServer, Client) {
    let section = format!("instances = 'pooled'\n{section}\n{TITLE}");
    let setup = Setup::new().guest("mine", package, &section);
    let server = setup.lived_in().await.start().await;
    let admin = server.admin().await;
    (server, admin)
}

async fn made(admin: &Client, title: &str) -> Json {
    let made = admin.post("/users?fields=title,description", json!({ "title": title }));
    made.await.data()
}

#[tokio::test]
async fn a_pooled_instance_serves_again_and_a_fresh_one_does_not() {
    let (_server, admin) = with("roster-old-plugin", "").await;
    let fresh = Setup::new().guest("mine", "roster-old-plugin", TITLE);
    let fresh = fresh.lived_in().await.start().await;
    let at_fresh = fresh.admin().await;

    let mut titles = Vec::new();
    for admin in [&admin, &at_fresh] {
        for _ in 0..3 {
            titles.push(made(admin, "x").await["title"].clone());
        }
    }

    let expected = [
        "old 2",
        "old 2 again",
        "old 2 again",
        "old 2",
        "old 2",
        "old 2",
    ];
    assert_eq!(titles, expected);
}

#[tokio::test]
async fn each_call_of_a_pooled_instance_has_a_host_and_limits_of_its_own() {
    let (server, admin) = with("roster-stock-plugin", "capabilities.store = true").await;

    let mut answers = Vec::new();
    for wish in ["count x", "flood", "count x", "flood", "count x"] {
        answers.push(made(&admin, wish).await["description"].clone());
    }

    let flood = "denied: more than 100 calls of the host in one call";
    assert_eq!(answers, ["1", flood, "2", flood, "3"]);
    assert_eq!(server.database().count("users", "title = 'flood'").await, 2);
}

#[tokio::test]
async fn an_instance_that_crashed_is_not_used_again() {
    let (_server, admin) = with("roster-hostile-plugin", "config = { mode = 'trap' }").await;

    for _ in 0..3 {
        let answer = admin.post("/users", json!({})).await;
        assert_eq!(answer.outcome(), "500 PLUGIN_FAILED");
        let plugins = admin.get("/server/plugins").await.data();
        let plugins = plugins.as_array().expect("a list").clone();
        let mine = plugins.iter().find(|plugin| plugin["name"] == "mine");
        let reason = mine.expect("the plugin")["last_error"]["reason"].clone();
        assert_eq!(reason, "trap: wasm `unreachable` instruction executed");
    }
}
