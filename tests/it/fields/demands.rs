use roster_tests::{Client, TestServer};
use serde_json::{Value as Json, json};

async fn add(admin: &Client, name: &str, kind: &str, meta: Json) {
    let field = json!({"field": name, "type": kind, "schema": {}, "meta": meta});
    admin.post("/fields/directus_users", field).await.data();
}

/// The field at fault and the kind of fault.
fn fault(answer: &roster_tests::Answer) -> (String, String) {
    assert_eq!(answer.outcome(), "400 FAILED_VALIDATION", "{}", answer.text);
    let extensions = &answer.json()["errors"][0]["extensions"];
    let text = |name: &str| extensions[name].as_str().expect("a text").to_owned();
    (text("field"), text("type"))
}

#[tokio::test]
async fn required_readonly_and_choices_bind_whoever_calls() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    add(&admin, "badge", "string", json!({"required": true})).await;
    add(&admin, "seal", "string", json!({"readonly": true})).await;
    let choices =
        json!({"choices": [{"text": "Small", "value": "s"}, {"text": "Large", "value": "l"}]});
    add(
        &admin,
        "size",
        "string",
        json!({"options": choices, "interface": "select-dropdown"}),
    )
    .await;
    add(
        &admin,
        "sizes",
        "csv",
        json!({"options": choices, "special": ["cast-csv"]}),
    )
    .await;
    let cause = |field: &str, kind: &str| (field.to_owned(), kind.to_owned());

    assert_eq!(
        fault(&admin.post("/users", json!({})).await),
        cause("badge", "required")
    );
    let null = json!({"badge": null});
    assert_eq!(
        fault(&admin.post("/users", null.clone()).await),
        cause("badge", "nnull")
    );
    let user = admin
        .post(
            "/users",
            json!({"badge": "1", "size": "s", "sizes": ["s", "l"]}),
        )
        .await
        .data();
    let path = format!("/users/{}", user["id"].as_str().expect("an id"));
    assert_eq!(
        fault(&admin.patch(&path, null).await),
        cause("badge", "nnull")
    );
    assert_eq!(
        fault(&admin.patch(&path, json!({"seal": "x"})).await),
        cause("seal", "readonly")
    );
    assert_eq!(
        fault(&admin.patch(&path, json!({"size": "m"})).await),
        cause("size", "in")
    );
    assert_eq!(
        fault(&admin.patch(&path, json!({"sizes": ["s", "m"]})).await),
        cause("sizes", "in")
    );
    assert_eq!(
        admin.patch(&path, json!({"size": null})).await.data()["size"],
        Json::Null
    );
}

#[tokio::test]
async fn a_rule_says_what_its_author_wrote() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let meta = json!({
        "validation": {"_and": [{"badge": {"_regex": "^[A-Z]{2}-[0-9]+$"}}]},
        "validation_message": "Badges look like AB-12.",
    });
    add(&admin, "badge", "string", meta).await;

    let refused = admin.post("/users", json!({"badge": "nope"})).await;

    assert_eq!(fault(&refused).1, "regex");
    assert_eq!(
        refused.json()["errors"][0]["message"],
        "Badges look like AB-12."
    );
    admin.post("/users", json!({"badge": "AB-12"})).await.data();
    admin.post("/users", json!({})).await.data();
}

#[tokio::test]
async fn a_pattern_that_takes_forever_refuses_instead() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let meta = json!({"validation": {"badge": {"_regex": "^(?=(a+)+$)(a+)+$"}}});
    add(&admin, "badge", "string", meta).await;

    let long = format!("{}!", "a".repeat(200));
    let answer = tokio::time::timeout(
        std::time::Duration::from_secs(10),
        admin.post("/users", json!({"badge": long})),
    );

    assert_eq!(
        answer.await.expect("an answer in time").outcome(),
        "400 FAILED_VALIDATION"
    );
}

#[tokio::test]
async fn fields_fill_themselves_in() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (name, kind, special) in [
        ("made_on", "timestamp", "date-created"),
        ("changed_on", "timestamp", "date-updated"),
        ("made_by", "uuid", "user-created"),
        ("changed_by", "uuid", "user-updated"),
        ("handle", "uuid", "uuid"),
    ] {
        add(&admin, name, kind, json!({"special": [special]})).await;
    }
    let me = admin.get("/users/me").await.data()["id"].clone();

    let made = admin
        .post(
            "/users",
            json!({"made_by": null, "made_on": "1999-01-01T00:00:00Z"}),
        )
        .await
        .data();
    assert_eq!((&made["made_by"], &made["changed_by"]), (&me, &Json::Null));
    assert!(made["made_on"].as_str().expect("a moment") > "2020");
    assert!(made["handle"].is_string() && made["changed_on"].is_null());

    let path = format!("/users/{}", made["id"].as_str().expect("an id"));
    let changed = admin.patch(&path, json!({"title": "x"})).await.data();
    assert_eq!(changed["changed_by"], me);
    assert_eq!(changed["made_on"], made["made_on"]);
    assert!(changed["changed_on"].is_string());
}
