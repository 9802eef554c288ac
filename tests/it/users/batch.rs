//! `POST`, `PATCH`, `DELETE` and `SEARCH` on `/users`: many users at once.

use insta::assert_snapshot;
use reqwest::Method;
use roster_tests::{Answer, Client, Recorder, Setup, TestServer};
use serde_json::{Value as Json, json};

async fn delete(client: &Client, body: Json) -> Answer {
    client.json(Method::DELETE, "/users", &body).await
}

async fn search(client: &Client, body: Json) -> Answer {
    client
        .json(
            Method::from_bytes(b"SEARCH").expect("a method"),
            "/users",
            &body,
        )
        .await
}

/// Three users, titled `1`, `2` and `3`; their ids in this order.
async fn three(admin: &Client) -> Vec<String> {
    let body = json!([{ "title": "1" }, { "title": "2" }, { "title": "3" }]);
    let made = admin.post("/users?sort=title", body).await.data();
    let ids = made.as_array().expect("a list").iter();
    ids.map(|user| user["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[tokio::test]
async fn many_users_are_made_in_one_go() {
    let recorder = Recorder::new();
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;
    server.settled().await;
    recorder.forget();

    let body = json!([{ "title": "one" }, { "title": "two" }]);
    let answer = admin.post("/users?fields=title&sort=title", body).await;

    server.settled().await;
    assert_snapshot!(answer, @r#"
    200
    {"data":[{"title":"one"},{"title":"two"}]}
    "#);
    let mut events = recorder.events();
    events.sort_unstable();
    assert_eq!(
        events,
        [
            "create.after",
            "create.after",
            "create.before",
            "create.before"
        ]
    );
}

#[tokio::test]
async fn one_bad_item_fails_all_and_is_named() {
    let recorder = Recorder::new();
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;
    let before = server.database().count("users", "1 = 1").await;
    server.settled().await;
    recorder.forget();

    let body = json!([{ "title": "one" }, { "email": "admin@example.com" }, { "title": "three" }]);
    let answer = admin.post("/users", body).await;

    server.settled().await;
    assert_snapshot!(answer, @r#"
    400
    {"errors":[{"message":"Value for field \"email\" in collection \"directus_users\" has to be unique.","extensions":{"collection":"directus_users","field":"email","item":1,"value":"admin@example.com","code":"RECORD_NOT_UNIQUE"}}]}
    "#);
    assert_eq!(server.database().count("users", "1 = 1").await, before);
    assert!(!recorder.events().contains(&"create.after"));
}

#[tokio::test]
async fn many_users_are_changed_each_or_all() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ids = three(&admin).await;
    let change = async |body: Json| {
        admin
            .json(Method::PATCH, "/users?fields=title&sort=title", &body)
            .await
    };

    let each =
        change(json!([{ "id": ids[0], "title": "a" }, { "id": ids[1], "title": "b" }])).await;
    let all = change(json!({ "keys": [ids[0], ids[2]], "data": { "title": "c" } })).await;
    let query = json!({ "filter": { "title": "c" } });
    let found = change(json!({ "query": query, "data": { "title": "d" } })).await;
    let nobody = change(json!({ "keys": [], "data": { "title": "e" } })).await;

    assert_snapshot!(each, @r#"
    200
    {"data":[{"title":"a"},{"title":"b"}]}
    "#);
    assert_snapshot!(all, @r#"
    200
    {"data":[{"title":"c"},{"title":"c"}]}
    "#);
    assert_snapshot!(found, @r#"
    200
    {"data":[{"title":"d"},{"title":"d"}]}
    "#);
    assert_snapshot!(nobody, @r#"
    200
    {"data":[]}
    "#);
}

#[tokio::test]
async fn a_user_that_is_named_twice_is_changed_twice() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ids = three(&admin).await;
    let twice = json!([
        { "id": ids[0], "title": "a", "description": "first", "password": "a good password" },
        { "id": ids[1], "title": "b" },
        { "id": ids[0], "title": "c" },
        { "id": ids[0], "location": "here" },
    ]);

    let fields = "/users?fields=title,description,location&sort=title";
    let answer = admin.json(Method::PATCH, fields, &twice).await;

    assert_snapshot!(answer, @r#"
    200
    {"data":[{"location":null,"title":"b","description":null},{"location":"here","title":"c","description":"first"}]}
    "#);
    let revisions = format!(
        "/revisions?filter[item]={}&sort=id&fields=data,delta",
        ids[0]
    );
    let revisions = admin.get(&revisions).await.data();
    let seen = revisions.as_array().expect("a list").iter().skip(1);
    let seen = seen.map(|revision| {
        let (data, delta) = (&revision["data"], &revision["delta"]);
        json!([
            data["title"],
            data["description"],
            data["password"],
            data["location"],
            delta["title"]
        ])
    });
    let mask = "**********";
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [
            json!(["a", "first", mask, null, "a"]),
            json!(["c", "first", mask, null, "c"]),
            json!(["c", "first", mask, "here", null]),
        ]
    );
}

#[tokio::test]
async fn a_batch_stops_before_the_last_administrator() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ids = three(&admin).await;
    let body = json!({ "keys": [ids[0], admin.id], "data": { "status": "archived" } });

    let changed = admin.json(Method::PATCH, "/users", &body).await;
    let removed = delete(&admin, json!([ids[1], admin.id])).await;

    assert_eq!(changed.outcome(), "422 UNPROCESSABLE_CONTENT");
    assert_eq!(removed.outcome(), "422 UNPROCESSABLE_CONTENT");
    assert_eq!(
        server.database().count("users", "status = 'active'").await,
        4
    );
}

#[tokio::test]
async fn many_users_are_removed() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ids = three(&admin).await;

    let missing = delete(
        &admin,
        json!([ids[0], "01890000-0000-7000-8000-000000000000"]),
    )
    .await;
    assert_eq!(missing.outcome(), "403 FORBIDDEN");
    delete(&admin, json!([ids[0]])).await.done();
    delete(&admin, json!({ "keys": [ids[1]] })).await.done();
    delete(&admin, json!({ "query": { "filter": { "title": "3" } } }))
        .await
        .done();
    delete(&admin, json!([])).await.done();

    assert_eq!(server.database().count("users", "1 = 1").await, 1);
}

#[tokio::test]
async fn a_search_is_a_list_whose_query_is_in_the_body() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    three(&admin).await;

    let query =
        json!({ "filter": { "title": { "_nnull": true } }, "sort": ["-title"], "fields": "title" });
    let found = search(&admin, json!({ "query": query })).await;
    let unknown = search(&admin, json!({ "foo": 1 })).await;
    let stranger = search(&server.stranger(), json!({})).await;

    assert_snapshot!(found, @r#"
    200
    {"data":[{"title":"3"},{"title":"2"},{"title":"1"}]}
    "#);
    assert_snapshot!(unknown, @r#"
    400
    {"errors":[{"message":"Invalid payload. \"foo\" is not allowed.","extensions":{"reason":"\"foo\" is not allowed","code":"INVALID_PAYLOAD"}}]}
    "#);
    assert_snapshot!(stranger, @r#"
    403
    {"errors":[{"message":"You don't have permission to access collection \"directus_users\" or it does not exist. Queried in root.","extensions":{"code":"FORBIDDEN"}}]}
    "#);
}

#[tokio::test]
async fn malformed_batches_are_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let patch = async |body: Json| admin.json(Method::PATCH, "/users", &body).await.outcome();

    for body in [
        json!({}),
        json!({ "data": {} }),
        json!({ "keys": [], "query": {}, "data": {} }),
        json!({ "keys": [] }),
        json!({ "keys": "x", "data": {} }),
        json!([{ "title": "x" }]),
        json!([1]),
        json!("x"),
    ] {
        assert_eq!(patch(body.clone()).await, "400 INVALID_PAYLOAD", "{body}");
    }
    for body in [
        json!({}),
        json!("x"),
        json!({ "keys": 1 }),
        json!({ "keys": [], "x": 1 }),
    ] {
        assert_eq!(
            delete(&admin, body.clone()).await.outcome(),
            "400 INVALID_PAYLOAD",
            "{body}"
        );
    }
    assert_eq!(delete(&admin, json!([1])).await.outcome(), "403 FORBIDDEN");
    assert_eq!(
        admin.post("/users", json!([1])).await.outcome(),
        "400 INVALID_PAYLOAD"
    );
    assert_eq!(admin.post("/users", json!([])).await.data(), json!([]));
}

#[tokio::test]
async fn the_page_one_is_on_is_remembered_and_is_no_event() {
    let recorder = Recorder::new();
    let server = Setup::new().record(&recorder).start().await;
    let ada = server.member("ada").await;
    server.settled().await;
    recorder.forget();
    let track = async |body: Json| ada.patch("/users/me/track/page", body).await;

    track(json!({ "last_page": "/content" })).await.done();

    assert_snapshot!(track(json!({})).await, @r#"
    400
    {"errors":[{"message":"Invalid payload. \"last_page\" key is required.","extensions":{"reason":"\"last_page\" key is required","code":"INVALID_PAYLOAD"}}]}
    "#);
    assert_eq!(
        track(json!({ "last_page": "x".repeat(256) }))
            .await
            .outcome(),
        "400 INVALID_PAYLOAD"
    );
    let stranger = server
        .stranger()
        .patch("/users/me/track/page", json!({ "last_page": "x" }))
        .await;
    assert_eq!(stranger.outcome(), "401 INVALID_CREDENTIALS");
    let admin = server.admin().await;
    let page = admin
        .get(&format!("{}?fields=last_page", ada.path()))
        .await
        .data();
    assert_eq!(page, json!({ "last_page": "/content" }));
    server.settled().await;
    assert_eq!(recorder.events(), ["login.before", "login.after"]);
}

#[tokio::test]
async fn a_rule_that_is_named_twice_has_to_fit_where_the_first_change_puts_it() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let policy = admin
        .post("/policies", json!({ "name": "some" }))
        .await
        .data();
    let rule = json!({ "policy": policy["id"], "collection": "directus_users", "action": "read" });
    let id = admin.post("/permissions", rule).await.data()["id"].clone();
    let moved = json!({ "id": id, "collection": "directus_roles" });
    let of_users = json!({ "id": id, "permissions": { "first_name": { "_eq": "x" } } });

    let body = json!([moved, of_users]);
    let answer = admin.json(Method::PATCH, "/permissions", &body).await;

    assert_eq!(answer.outcome(), "400 INVALID_PAYLOAD");
    let kept = admin.get(&format!("/permissions/{id}")).await.data();
    assert_eq!(kept["collection"], "directus_users");
    let apart = json!([moved, { "id": id, "fields": ["name"] }]);
    let answer = admin.json(Method::PATCH, "/permissions", &apart).await;
    assert_eq!(answer.data()[0]["collection"], "directus_roles");
}
