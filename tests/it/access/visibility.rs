//! What is hidden on a record stays hidden, however it is asked for.

use roster_tests::{Client, TestServer};
use serde_json::{Value as Json, json};

/// Somebody without a role who may do what these rules say.
async fn ruled(server: &TestServer, user: Json, rules: Json) -> Client {
    let admin = server.admin().await;
    let mut user = user;
    user["token"] = json!("a-token-of-somebody-0123");
    user["policies"] = json!([{"policy": {"name": "theirs", "permissions": rules}}]);
    admin.post("/users", user).await.data();
    server.bearer("a-token-of-somebody-0123")
}

/// Two roles with a user each; the list of the second one is hidden from who comes back.
async fn closed_role(server: &TestServer) -> Client {
    let admin = server.admin().await;
    for (role, user) in [("open", "Ada"), ("shut", "Bob")] {
        let role = json!({"name": role, "users": [{"first_name": user}]});
        admin.post("/roles", role).await.data();
    }
    let rules = json!([
        {"collection": "directus_roles", "action": "read", "fields": ["name"]},
        {"collection": "directus_roles", "action": "read", "fields": ["users"],
            "permissions": {"name": {"_eq": "open"}}},
        {"collection": "directus_users", "action": "read", "fields": ["first_name"]},
    ]);
    ruled(server, json!({}), rules).await
}

#[tokio::test]
async fn a_hidden_list_stays_hidden_when_fields_of_its_records_are_asked_for() {
    let server = TestServer::start().await;
    let client = closed_role(&server).await;
    let named = json!({"name": {"_in": ["open", "shut"]}}).to_string();

    let parameters = [
        ("fields", "name,users.first_name"),
        ("filter", &*named),
        ("sort", "name"),
    ];
    let roles = client.query("/roles", &parameters).await.data();

    assert_eq!(
        roles,
        json!([
            {"name": "open", "users": [{"first_name": "Ada"}]},
            {"name": "shut", "users": null},
        ])
    );
}

#[tokio::test]
async fn none_of_a_hidden_list_tells_nothing_of_who_is_in_it() {
    let server = TestServer::start().await;
    let client = closed_role(&server).await;

    for name in ["Bob", "Cyd"] {
        let none = json!({"_none": {"first_name": {"_eq": name}}});
        let filter = json!({"name": {"_eq": "shut"}, "users": none}).to_string();
        let parameters = [("fields", "name"), ("filter", &*filter)];
        let roles = client.query("/roles", &parameters).await.data();
        assert_eq!(roles, json!([{"name": "shut"}]), "{name}");
    }
}

#[tokio::test]
async fn a_variable_of_a_query_is_what_the_caller_sees_of_it() {
    let server = TestServer::start().await;
    let rules = json!([
        {"collection": "directus_users", "action": "read", "fields": ["id"]},
        {"collection": "directus_users", "action": "read", "fields": ["title", "location"],
            "permissions": {"first_name": {"_eq": "Ada"}}},
        {"collection": "directus_users", "action": "read", "fields": ["location"],
            "permissions": {"id": {"_eq": "$CURRENT_USER"}}},
    ]);
    let me = json!({"title": "CTO", "location": "Bern"});
    let client = ruled(&server, me.clone(), rules).await;
    let mut ada = me;
    ada["first_name"] = json!("Ada");
    server.admin().await.post("/users", ada).await.data();

    for (field, found) in [("title", 0), ("location", 2)] {
        let filter = json!({field: {"_eq": format!("$CURRENT_USER.{field}")}}).to_string();
        let users = client.query("/users", &[("filter", &filter)]).await.data();
        assert_eq!(users.as_array().map(Vec::len), Some(found), "{field}");
    }
}

#[tokio::test]
async fn a_variable_whose_way_ends_is_null() {
    let server = TestServer::start().await;
    let rules = json!([
        {"collection": "directus_users", "action": "create", "fields": ["first_name"],
            "presets": {"title": "$CURRENT_USER.role.name"},
            "validation": {"title": {"_nin": ["$CURRENT_USER.role.name", "x"]}}},
        {"collection": "directus_users", "action": "create", "fields": [],
            "presets": {"title": "y"}},
        {"collection": "directus_users", "action": "create", "fields": [],
            "presets": {"location": "$CURRENT_USER.role.name"}},
        {"collection": "directus_users", "action": "read", "fields": ["title", "location"]},
    ]);
    let client = ruled(&server, json!({}), rules).await;

    let made = client.post("/users", json!({"first_name": "Ada"})).await;

    assert_eq!(made.data(), json!({"title": "y", "location": null}));
}

#[tokio::test]
async fn what_was_changed_together_comes_back_without_its_keys_too() {
    let server = TestServer::start().await;
    let rules = json!([
        {"collection": "directus_users", "action": "read", "fields": ["title"]},
        {"collection": "directus_users", "action": "read", "fields": ["id"],
            "permissions": {"first_name": {"_eq": "Ada"}}},
        {"collection": "directus_users", "action": "update", "fields": ["title"]},
    ]);
    let client = ruled(&server, json!({}), rules).await;
    let users = json!([{"first_name": "Ada"}, {"first_name": "Bob"}]);
    let made = server.admin().await.post("/users", users).await.data();
    let body = json!({"keys": [made[0]["id"], made[1]["id"]], "data": {"title": "x"}});

    let changed = client.patch("/users?fields=title", body).await;

    assert_eq!(changed.data(), json!([{"title": "x"}, {"title": "x"}]));
}

#[tokio::test]
async fn sorting_by_keys_that_are_hidden_here_and_there_gives_pages_that_do_not_overlap() {
    let server = TestServer::start().await;
    let rules = json!([
        {"collection": "directus_users", "action": "read", "fields": ["title"]},
        {"collection": "directus_users", "action": "read", "fields": ["id"],
            "permissions": {"title": {"_eq": "c"}}},
    ]);
    let client = ruled(&server, json!({"title": "a"}), rules).await;
    for title in ["b", "c", "d"] {
        let user = json!({ "title": title });
        server.admin().await.post("/users", user).await.data();
    }

    let filter = json!({"title": {"_nnull": true}}).to_string();
    let mut titles = Vec::new();
    for offset in ["0", "1", "2", "3"] {
        let parameters = [
            ("filter", &*filter),
            ("sort", "id"),
            ("fields", "title"),
            ("limit", "1"),
            ("offset", offset),
        ];
        let page = client.query("/users", &parameters).await.data();
        titles.push(page[0]["title"].clone());
    }

    assert_eq!(titles, ["a", "b", "d", "c"]);
}

#[tokio::test]
async fn a_field_that_is_shown_nowhere_still_sorts_and_groups() {
    let server = TestServer::start().await;
    let rules = json!([
        {"collection": "directus_users", "action": "read", "fields": ["first_name"],
            "permissions": {"first_name": {"_eq": "Ada"}}},
        {"collection": "directus_users", "action": "read", "fields": ["title"],
            "permissions": {"title": {"_eq": "$CURRENT_USER.title"}}},
        {"collection": "directus_roles", "action": "read", "fields": ["name", "policies"]},
    ]);
    let client = ruled(&server, json!({"first_name": "Ada"}), rules).await;

    for path in [
        "/users?fields=first_name&sort=title",
        "/users?fields=first_name&sort=-title",
        "/roles?fields=name&sort=count(policies)",
    ] {
        assert_eq!(client.get(path).await.outcome(), "200", "{path}");
    }
    let groups = client.get("/users?groupBy=title&aggregate[count]=first_name");
    let group = json!([{"title": null, "count": {"first_name": 1}}]);
    assert_eq!(groups.await.data(), group);
}

#[tokio::test]
async fn ones_own_roles_come_from_the_root_on() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let low = admin.post("/roles", json!({"name": "low"})).await.data()["id"].clone();
    let top = json!({"name": "top", "children": [low]});
    admin.post("/roles", top).await.data();
    let policy = json!({"policy": {"name": "p", "app_access": true}});
    let user = json!({"role": low, "token": "a-token-of-somebody-0123", "policies": [policy]});
    admin.post("/users", user).await.data();

    let client = server.bearer("a-token-of-somebody-0123");
    let roles = client.get("/roles/me?fields=name").await.data();

    assert_eq!(roles, json!([{"name": "top"}, {"name": "low"}]));
}

#[tokio::test]
async fn a_preset_counts_as_submitted() {
    let server = TestServer::start().await;
    let rules = json!([
        {"collection": "directus_users", "action": "create", "fields": ["first_name"],
            "presets": {"title": "x"}, "validation": {"title": {"_submitted": true}}},
    ]);
    let client = ruled(&server, json!({}), rules).await;

    let made = client.post("/users", json!({"first_name": "Ada"})).await;

    assert_eq!(made.outcome(), "204");
}

#[tokio::test]
async fn a_rule_about_what_is_not_submitted_does_not_bind_whatever_its_variables_are() {
    let server = TestServer::start().await;
    let rules = json!([
        {"collection": "directus_users", "action": "create", "fields": ["first_name", "title"],
            "validation": {"title": {"_eq": "$CURRENT_USER.title"}}},
    ]);
    let client = ruled(&server, json!({}), rules).await;

    let without = client.post("/users", json!({"first_name": "Ada"})).await;
    let with = client.post("/users", json!({"title": "x"})).await;

    assert_eq!(without.outcome(), "204");
    assert_eq!(with.outcome(), "400 FAILED_VALIDATION");
}
