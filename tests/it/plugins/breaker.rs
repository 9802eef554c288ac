//! A plugin that keeps crashing is turned off for a while, and administrators see it.

use roster_tests::{Client, Setup};
use serde_json::{Value as Json, json};

async fn plugin(admin: &Client, name: &str) -> Json {
    let plugins = admin.get("/server/plugins").await.data();
    let plugins = plugins.as_array().expect("a list");
    let found = plugins.iter().find(|plugin| plugin["name"] == name);
    found.expect("the plugin").clone()
}

#[tokio::test]
async fn a_plugin_that_crashes_repeatedly_is_turned_off_for_a_while() {
    let section = "on_failure = 'skip'\nconfig = { mode = 'trap' }";
    let server = Setup::new()
        .guest("hostile", "roster-hostile-plugin", section)
        .start()
        .await;
    let admin = server.admin().await;
    let before = plugin(&admin, "hostile").await;

    for _ in 0..6 {
        assert_eq!(admin.post("/users", json!({})).await.outcome(), "200");
    }

    let after = plugin(&admin, "hostile").await;
    assert_eq!(
        (&before["state"], &before["failures"]),
        (&json!("ok"), &json!(1))
    );
    assert_eq!(after["state"], "off");
    assert_eq!(after["last_error"]["call"], "create.before");
    let reason = after["last_error"]["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("trap: "), "{reason}");
    let metrics = server.stranger().get("/metrics").await.text;
    assert!(metrics.contains(
        r#"roster_plugin_calls_total{plugin="hostile",call="create.before",outcome="turned_off"}"#
    ));
    assert!(
        metrics.contains(r#"roster_plugin_memory_peak_bytes{plugin="hostile"}"#)
            || metrics.contains("roster_plugin_call_seconds")
    );
}

#[tokio::test]
async fn administrators_see_what_plugins_are_and_may() {
    let section = "
        priority = 7
        capabilities.fields = { read = ['first_name', 'status'], write = ['title'] }
        capabilities.store = true
    ";
    let setup = Setup::new().guest("slug", "roster-slug", section);
    let server = setup.lived_in().await.start().await;
    let admin = server.admin().await;

    let slug = plugin(&admin, "slug").await;

    assert_eq!(
        (&slug["plugin"], &slug["kinds"]),
        (&json!("slug"), &json!(["hooks"]))
    );
    assert_eq!(
        (&slug["priority"], &slug["on_failure"]),
        (&json!(7), &json!("reject"))
    );
    assert_eq!(slug["events"], json!(["users.create.before"]));
    assert_eq!(slug["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(
        slug["capabilities"],
        json!({
            "fields_read": ["first_name", "title"], "fields_write": ["title"],
            "http": [], "users": false, "store": true, "mail": false, "secrets": [],
        })
    );
    let ada = server.member("ada").await;
    assert_eq!(ada.get("/server/plugins").await.outcome(), "403 FORBIDDEN");
}
