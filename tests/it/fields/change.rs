use roster_tests::{Client, Setup, TestServer};
use serde_json::{Value as Json, json};

async fn add(admin: &Client, field: Json) -> Json {
    admin.post("/fields/directus_users", field).await.data()
}

#[tokio::test]
async fn a_field_is_there_at_once_for_every_connection_and_gone_at_once() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let user = admin
        .post("/users", json!({"first_name": "Ada"}))
        .await
        .data();
    let path = format!("/users/{}", user["id"].as_str().expect("an id"));

    for round in 0..5 {
        let kind = ["string", "integer", "json"][round % 3];
        add(
            &admin,
            json!({"field": "level", "type": kind, "schema": {}, "meta": {}}),
        )
        .await;
        let reads = (0..8).map(|_| admin.get(&path));
        for answer in futures_util::future::join_all(reads).await {
            assert_eq!(answer.data()["level"], Json::Null);
        }
        let value = [json!("high"), json!(3), json!({"a": 1})][round % 3].clone();
        assert_eq!(
            admin.patch(&path, json!({"level": value})).await.data()["level"],
            value
        );
        admin.delete("/fields/directus_users/level").await.done();
        assert!(admin.get(&path).await.data().get("level").is_none());
    }
}

#[tokio::test]
async fn names_that_would_be_taken_for_something_else_are_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    add(&admin, json!({"field": "Level", "type": "string"})).await;
    for name in [
        "",
        "level",
        "LEVEL",
        "email",
        "Email",
        "email_key",
        "roster_x",
        "_and",
        "1x",
        "a-b",
        "a b",
        "a\"b",
        "ä",
        "policies",
        "preferences_divider",
        "current_password",
        &"x".repeat(49),
    ] {
        let answer = admin
            .post(
                "/fields/directus_users",
                json!({"field": name, "type": "string"}),
            )
            .await;
        assert_eq!(answer.outcome(), "400 INVALID_PAYLOAD", "{name}");
    }
}

#[tokio::test]
async fn what_does_not_hold_together_is_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for field in [
        json!({"field": "x", "type": "integer", "schema": {"default_value": "abc"}}),
        json!({"field": "x", "type": "string", "schema": {"max_length": 2, "default_value": "long"}}),
        json!({"field": "x", "type": "string", "schema": {"max_length": -1}}),
        json!({"field": "x", "type": "decimal", "schema": {"numeric_precision": 40}}),
        json!({"field": "x", "type": "decimal", "schema": {"numeric_precision": 3, "numeric_scale": 4}}),
        json!({"field": "x", "type": "json", "schema": {"is_unique": true}}),
        json!({"field": "x", "type": "string", "schema": []}),
        json!({"field": "x", "type": "string", "meta": {"validation": {"nope": {"_eq": 1}}}}),
        json!({"field": "x", "type": "string", "meta": {"required": "yes"}}),
        json!({"field": "x", "type": "string", "extra": 1}),
        json!({"field": 1, "type": "string"}),
        json!({"field": "x", "type": 1}),
        json!([]),
    ] {
        let answer = admin.post("/fields/directus_users", field.clone()).await;
        assert_eq!(answer.outcome(), "400 INVALID_PAYLOAD", "{field}");
    }
    let nulls = json!({"field": "x", "type": "string", "schema": {"is_nullable": false}});
    assert_eq!(
        admin.post("/fields/directus_users", nulls).await.outcome(),
        "400 CONTAINS_NULL_VALUES"
    );
    assert_eq!(
        admin.get("/fields/directus_users/x").await.outcome(),
        "403 FORBIDDEN"
    );
}

#[tokio::test]
async fn a_type_changes_with_the_values_or_not_at_all() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    add(
        &admin,
        json!({"field": "level", "type": "string", "schema": {"is_unique": true}}),
    )
    .await;
    let users: Vec<Json> = (0..5).map(|n| json!({"level": n.to_string()})).collect();
    admin.post("/users", json!(users)).await.data();

    let changed = admin
        .patch("/fields/directus_users/level", json!({"type": "integer"}))
        .await
        .data();
    assert_eq!(changed["type"], "integer");
    let list = admin
        .get("/users?fields=level&filter[level][_gte]=3&sort=-level")
        .await
        .data();
    assert_eq!(list, json!([{"level": 4}, {"level": 3}]));
    assert_eq!(
        admin.post("/users", json!({"level": 3})).await.outcome(),
        "400 RECORD_NOT_UNIQUE"
    );

    let unfit = admin
        .patch("/fields/directus_users/level", json!({"type": "date"}))
        .await;
    assert_eq!(unfit.outcome(), "400 INVALID_PAYLOAD");
    assert_eq!(
        admin.get("/fields/directus_users/level").await.data()["type"],
        "integer"
    );
    assert_eq!(
        admin
            .get("/users?fields=level&filter[level][_eq]=4")
            .await
            .data(),
        json!([{"level": 4}])
    );
}

/// What a connection prepared for one type of a column is no good for another.
#[tokio::test]
async fn a_name_comes_back_with_another_type() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let user = admin.post("/users", json!({})).await.data();
    let path = format!("/users/{}?fields=mark", user["id"].as_str().expect("an id"));

    for round in 0..4 {
        for (kind, default) in [
            ("integer", json!(7)),
            ("date", json!("2026-01-02")),
            ("boolean", json!(true)),
            ("string", json!("7")),
        ] {
            let schema = json!({ "default_value": default });
            add(
                &admin,
                json!({ "field": "mark", "type": kind, "schema": schema }),
            )
            .await;
            let seen = admin.get(&path).await.data();
            assert_eq!(seen["mark"], default, "round {round}, {kind}");
            admin.delete("/fields/directus_users/mark").await.done();
        }
    }
}

#[tokio::test]
async fn a_type_changes_as_often_as_it_is_asked_to() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    add(&admin, json!({"field": "level", "type": "string"})).await;
    admin.post("/users", json!([{"level": "7"}])).await.data();
    let path = "/fields/directus_users/level";

    for kind in ["integer", "string", "bigInteger", "text"].repeat(3) {
        let unfit = admin.patch(path, json!({"type": "date"})).await;
        assert_eq!(unfit.outcome(), "400 INVALID_PAYLOAD");
        let changed = admin.patch(path, json!({ "type": kind })).await;
        assert_eq!(changed.data()["type"], kind);
    }

    let found = admin
        .get("/users?fields=level&filter[level][_nnull]=true")
        .await;
    assert_eq!(found.data(), json!([{"level": "7"}]));
}

#[tokio::test]
async fn values_that_are_not_unique_keep_a_field_from_becoming_so() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    add(&admin, json!({"field": "level", "type": "integer"})).await;
    admin
        .post("/users", json!([{"level": 1}, {"level": 1}]))
        .await
        .data();

    let unique = json!({"schema": {"is_unique": true}});
    let refused = admin
        .patch("/fields/directus_users/level", unique.clone())
        .await;
    assert_eq!(refused.outcome(), "400 RECORD_NOT_UNIQUE");
    let field = admin.get("/fields/directus_users/level").await.data();
    assert_eq!(field["schema"]["is_unique"], false);

    server
        .database()
        .execute("UPDATE users SET level = NULL")
        .await;
    assert_eq!(
        admin
            .patch("/fields/directus_users/level", unique)
            .await
            .data()["schema"]["is_unique"],
        true
    );
}

#[tokio::test]
async fn several_fields_are_changed_together_or_not_at_all() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for name in ["level", "rank"] {
        add(&admin, json!({"field": name, "type": "integer"})).await;
    }
    admin
        .post("/users", json!([{"rank": 1}, {"rank": 1}]))
        .await
        .data();
    let notes = async || {
        let fields = admin.get("/fields/directus_users").await.data();
        let fields = fields.as_array().expect("a list").clone();
        let of = |name: &str| {
            let field = fields.iter().find(|field| field["field"] == name);
            field.expect("the field")["meta"]["note"].clone()
        };
        [of("level"), of("rank")]
    };
    let level = json!({"field": "level", "meta": {"note": "How far"}});

    for (other, refusal) in [
        (
            json!({"field": "rank", "schema": {"is_unique": true}}),
            "400 RECORD_NOT_UNIQUE",
        ),
        (json!({"field": "nobody", "meta": {}}), "403 FORBIDDEN"),
        (json!({"field": "rank", "type": 7}), "400 INVALID_PAYLOAD"),
        (
            json!({"field": "first_name", "meta": {"note": "No"}}),
            "400 INVALID_PAYLOAD",
        ),
        (json!("rank"), "400 INVALID_PAYLOAD"),
    ] {
        let refused = admin
            .patch("/fields/directus_users", json!([level, other]))
            .await;
        assert_eq!(refused.outcome(), refusal, "{other}");
        assert_eq!(notes().await, [Json::Null, Json::Null], "{other}");
    }

    let body = json!([
        level,
        { "field": "first_name", "schema": { "is_indexed": true } },
        { "field": "rank", "meta": { "note": "Which" } },
        { "field": "level", "meta": { "hidden": true } },
    ]);
    let changed = admin.patch("/fields/directus_users", body).await.data();
    let changed = changed.as_array().expect("a list").clone();
    let named: Vec<&Json> = changed.iter().map(|field| &field["field"]).collect();
    assert_eq!(named, ["level", "first_name", "rank", "level"]);
    assert_eq!(notes().await, [json!("How far"), json!("Which")]);
    assert_eq!(changed[0]["meta"]["hidden"], true);
}

#[tokio::test]
async fn a_removed_field_takes_what_permissions_say_of_it_along() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    add(&admin, json!({"field": "level", "type": "string"})).await;
    let policy = admin.post("/policies", json!({"name": "p"})).await.data();
    let rule = json!({"policy": policy["id"], "collection": "directus_users", "action": "read", "fields": ["id", "level"]});
    let rule = admin.post("/permissions", rule).await.data();

    admin.delete("/fields/directus_users/level").await.done();
    add(&admin, json!({"field": "level", "type": "string"})).await;

    let path = format!("/permissions/{}", rule["id"]);
    assert_eq!(admin.get(&path).await.data()["fields"], json!(["id"]));
}

#[tokio::test]
async fn secrets_of_custom_fields_never_leave() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    add(
        &admin,
        json!({"field": "pin", "type": "hash", "meta": {"special": ["hash", "conceal"]}}),
    )
    .await;
    add(
        &admin,
        json!({"field": "note", "type": "string", "meta": {"special": ["conceal"]}}),
    )
    .await;
    let body = json!({"pin": "canary-pin", "note": "canary-note", "title": "x"});

    let made = admin.post("/users", body).await;

    assert_eq!(made.data()["pin"], "**********");
    assert_eq!(made.data()["note"], "**********");
    let stored = server
        .database()
        .text("SELECT pin FROM users WHERE title = 'x'")
        .await;
    assert!(stored.starts_with("$argon2id$"), "{stored}");
    for path in [
        "/users?search=canary",
        "/users?fields=*.*",
        "/revisions?limit=-1",
        "/activity?limit=-1",
        "/users?filter[title]=x&export=csv",
        "/users?filter[title]=x&export=json",
    ] {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.text.contains("canary-"), "{path}: {}", answer.text);
    }
    for path in [
        "/users?sort=note",
        "/users?groupBy=note",
        "/users?aggregate[max]=pin",
        "/users?filter[note]=canary-note",
        "/users?filter[pin][_starts_with]=$argon2id",
    ] {
        assert_eq!(
            admin.get(path).await.outcome(),
            "400 INVALID_QUERY",
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_archived_user_comes_back_under_new_details_where_that_is_configured() {
    let server = Setup::new()
        .set("users.on_archived_email", "inherit")
        .start()
        .await;
    let admin = server.admin().await;
    let role = admin.post("/roles", json!({"name": "r"})).await.data()["id"].clone();
    let policy = admin.post("/policies", json!({"name": "p"})).await.data()["id"].clone();
    let old = json!({"email": "Ada@example.com", "first_name": "Ada", "title": "old", "role": role,
        "token": "0123456789abcdef0123", "policies": [{"policy": policy}]});
    let old = admin.post("/users", old).await.data();
    let path = format!("/users/{}", old["id"].as_str().expect("an id"));
    admin
        .patch(&path, json!({"status": "archived"}))
        .await
        .data();

    let new = admin
        .post(
            "/users",
            json!({"email": "ada@example.com", "first_name": "Adele"}),
        )
        .await
        .data();

    assert_eq!(new["id"], old["id"]);
    for (field, value) in [
        ("email", json!("ada@example.com")),
        ("first_name", json!("Adele")),
        ("title", json!(null)),
        ("role", json!(null)),
        ("token", json!(null)),
        ("policies", json!([])),
        ("status", json!("active")),
    ] {
        assert_eq!(new[field], value, "{field}");
    }
    let again = admin
        .post("/users", json!({"email": "ADA@example.com"}))
        .await;
    assert_eq!(again.outcome(), "400 RECORD_NOT_UNIQUE");
}
