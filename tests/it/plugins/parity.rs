//! One source, two builds, the same answers.

use insta::assert_snapshot;
use roster_tests::Setup;
use serde_json::{Value as Json, json};

const SECTION: &str = "
capabilities.fields = { read = ['first_name', 'last_name', 'title'], write = ['title'] }
config = { reserved = ['root', 'Ärger'] }
";

fn native() -> Setup {
    Setup::new().plugin("slug", &format!("source = 'builtin'\n{SECTION}"))
}

fn component() -> Setup {
    Setup::new().guest("slug", "roster-slug", SECTION)
}

/// Everything a client sees of the plugin.
async fn seen(setup: Setup) -> String {
    let server = setup.start().await;
    let admin = server.admin().await;
    let bodies: [Json; 9] = [
        json!({ "first_name": "Ada", "last_name": "Lovelace" }),
        json!({ "first_name": "Éva", "last_name": "O'Neil-Straße" }),
        json!({ "first_name": "Ada", "title": "Given Title" }),
        json!({ "first_name": "Ada", "title": null }),
        json!({}),
        json!({ "first_name": "root" }),
        json!({ "first_name": "ÄRGER" }),
        json!({ "title": "ROOT" }),
        json!({ "first_name": "!?" }),
    ];
    let mut seen = Vec::new();
    for body in bodies {
        seen.push(admin.post("/users?fields=title", body).await.to_string());
    }
    let path = format!("{}?fields=title", admin.path());
    let changed = admin.patch(&path, json!({ "first_name": "root" })).await;
    seen.push(changed.to_string());
    seen.join("\n")
}

#[tokio::test]
async fn the_slug_plugin_answers_alike_natively_and_as_a_component() {
    let native = seen(native()).await;
    let component = seen(component()).await;

    assert_eq!(component, native);
    assert_snapshot!(native, @r#"
    200
    {"data":{"title":"ada-lovelace"}}
    200
    {"data":{"title":"eva-oneil-strasse"}}
    200
    {"data":{"title":"Given Title"}}
    200
    {"data":{"title":null}}
    200
    {"data":{"title":null}}
    400
    {"errors":[{"message":"\"root\" is reserved.","extensions":{"code":"SLUG_RESERVED"}}]}
    400
    {"errors":[{"message":"\"arger\" is reserved.","extensions":{"code":"SLUG_RESERVED"}}]}
    400
    {"errors":[{"message":"\"root\" is reserved.","extensions":{"code":"SLUG_RESERVED"}}]}
    200
    {"data":{"title":null}}
    200
    {"data":{"title":"admin-user"}}
    "#);
}

#[tokio::test]
async fn a_component_without_capabilities_sees_nothing_and_changes_nothing() {
    let bare = Setup::new().guest("slug", "roster-slug", "");
    let server = bare.start().await;
    let admin = server.admin().await;

    let answer = admin
        .post("/users?fields=title", json!({ "first_name": "root" }))
        .await;

    assert_eq!(answer.data(), json!({ "title": null }));
}

#[tokio::test]
async fn a_component_that_writes_what_it_may_not_is_a_failure_like_a_native_one() {
    let section = "capabilities.fields.read = ['first_name', 'last_name']";
    let component = Setup::new().guest("slug", "roster-slug", section);
    let native = Setup::new().plugin("slug", section);

    for setup in [component, native] {
        let server = setup.lived_in().await.start().await;
        let admin = server.admin().await;
        let answer = admin.post("/users", json!({ "first_name": "Ada" })).await;
        assert_eq!(answer.outcome(), "500 PLUGIN_FAILED");
    }
}

#[tokio::test]
async fn a_native_plugin_and_a_component_run_in_one_order() {
    let other = "
priority = 1
capabilities.fields = { read = ['title', 'location'], write = ['location'] }
config = { field = 'location', from = ['title'], reserved = [] }
";
    let server = Setup::new()
        .guest("second", "roster-slug", other)
        .plugin(
            "slug",
            &format!("source = 'builtin'\npriority = 0\n{SECTION}"),
        )
        .start()
        .await;
    let admin = server.admin().await;

    let body = json!({ "first_name": "Ada", "last_name": "Lovelace" });
    let made = admin
        .post("/users?fields=title,location", body)
        .await
        .data();

    assert_eq!(
        made,
        json!({ "title": "ada-lovelace", "location": "ada-lovelace" })
    );
}
