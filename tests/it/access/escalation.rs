//! Nobody grants more than they hold, and nobody takes from those who administer.

use roster_tests::{Client, Setup, TestServer};
use serde_json::{Value as Json, json};

/// Somebody whose role may do everything to these collections, and administers nothing.
async fn manager(server: &TestServer, admin: &Client, collections: &[&str]) -> Client {
    let policy = admin
        .post("/policies", json!({"name": "managers"}))
        .await
        .data();
    for collection in collections {
        for action in ["create", "read", "update", "delete"] {
            let rule = json!({"policy": policy["id"], "collection": collection, "action": action, "fields": ["*"]});
            admin.post("/permissions", rule).await.data();
        }
    }
    let role = json!({"name": "managers", "policies": [{"policy": policy["id"]}]});
    let role = admin.post("/roles", role).await.data();
    let token = "a-token-of-a-manager-0123";
    admin
        .post("/users", json!({"role": role["id"], "token": token}))
        .await
        .data();
    server.bearer(token)
}

const ALL: [&str; 5] = [
    "directus_users",
    "directus_roles",
    "directus_policies",
    "directus_access",
    "directus_permissions",
];

fn text(json: &Json) -> &str {
    json.as_str().expect("a text")
}

#[tokio::test]
async fn nobody_makes_themselves_or_others_administrators() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let manager = manager(&server, &admin, &ALL).await;
    let me = admin.get("/users/me?fields=id,role").await.data();
    let (boss, high) = (text(&me["id"]).to_owned(), me["role"].clone());
    let filter = json!({"admin_access": true}).to_string();
    let policies = admin
        .query("/policies", &[("filter", &filter)])
        .await
        .data();
    let policy = policies[0]["id"].clone();
    let attached = admin
        .get("/access?filter[policy][admin_access]=true")
        .await
        .data()[0]["id"]
        .clone();
    let own = manager.get("/users/me?fields=id").await.data()["id"].clone();
    let path = |collection: &str, id: &Json| format!("/{collection}/{}", text(id));

    for (method, path, body) in [
        ("PATCH", path("users", &own), json!({"role": high})),
        (
            "PATCH",
            path("users", &own),
            json!({"role": {"name": "x", "policies": [{"policy": policy}]}}),
        ),
        (
            "PATCH",
            path("users", &own),
            json!({"policies": {"create": [{"policy": policy}]}}),
        ),
        (
            "PATCH",
            path("users", &own),
            json!({"policies": {"create": [{"policy": {"name": "x", "admin_access": true}}]}}),
        ),
        ("POST", "/users".to_owned(), json!({"role": high})),
        (
            "POST",
            "/access".to_owned(),
            json!({"policy": policy, "user": own}),
        ),
        (
            "POST",
            "/policies".to_owned(),
            json!({"name": "x", "admin_access": true}),
        ),
        (
            "POST",
            "/roles".to_owned(),
            json!({"name": "x", "parent": high}),
        ),
        (
            "POST",
            "/permissions".to_owned(),
            json!({"policy": policy, "collection": "directus_settings", "action": "update", "fields": ["*"]}),
        ),
        (
            "PATCH",
            format!("/users/{boss}"),
            json!({"password": "another good one"}),
        ),
        (
            "PATCH",
            format!("/users/{boss}"),
            json!({"status": "suspended"}),
        ),
        ("DELETE", format!("/users/{boss}"), json!({})),
        ("DELETE", path("roles", &high), json!({})),
        ("DELETE", path("policies", &policy), json!({})),
        ("DELETE", path("access", &attached), json!({})),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let answer = manager.json(method.clone(), &path, &body).await;
        assert_eq!(answer.outcome(), "403 FORBIDDEN", "{method} {path} {body}");
    }
    assert_eq!(admin.get("/users/me").await.data()["status"], "active");
    // What they hold themselves they hand on.
    let role = json!({"name": "x", "policies": [{"policy": {"name": "y", "permissions": [
        {"collection": "directus_users", "action": "read", "fields": ["id"]}]}}]});
    assert_eq!(manager.post("/roles", role).await.outcome(), "200");
}

#[tokio::test]
async fn rules_are_not_widened_through_what_they_are_nested_in() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let manager = manager(&server, &admin, &ALL).await;
    let reads = json!({"collection": "directus_users", "action": "read", "fields": ["id"]});
    let policy = json!({"name": "plain", "permissions": [reads]});
    let policy = admin
        .post("/policies?fields=id,permissions", policy)
        .await
        .data();
    let (id, own) = (
        text(&policy["id"]).to_owned(),
        policy["permissions"][0].clone(),
    );
    let role = json!({"name": "r", "policies": [{"policy": id}]});
    let role = admin.post("/roles?fields=id,policies", role).await.data();
    let (role, attached) = (text(&role["id"]).to_owned(), role["policies"][0].clone());
    let files = json!({"collection": "directus_files", "action": "read", "fields": ["*"]});
    let moved = json!({"id": own, "collection": "directus_files"});

    for (path, body) in [
        (
            format!("/policies/{id}"),
            json!({"permissions": {"update": [moved]}}),
        ),
        (
            format!("/policies/{id}"),
            json!({"permissions": {"create": [files]}}),
        ),
        (format!("/policies/{id}"), json!({"permissions": [moved]})),
        (
            format!("/policies/{id}"),
            json!({"permissions": [own, files]}),
        ),
        (
            format!("/permissions/{own}"),
            json!({"collection": "directus_files"}),
        ),
        (
            format!("/roles/{role}"),
            json!({"policies": {"update": [{"id": attached, "policy": {"id": id, "permissions": {"update": [moved]}}}]}}),
        ),
        (
            format!("/roles/{role}"),
            json!({"policies": [{"id": attached, "policy": {"id": id, "admin_access": true}}]}),
        ),
    ] {
        let answer = manager.patch(&path, body.clone()).await;
        assert_eq!(answer.outcome(), "403 FORBIDDEN", "{path} {body}");
    }
    let kept = admin.get(&format!("/permissions/{own}")).await.data();
    assert_eq!(kept["collection"], "directus_users");
    let held = json!({"permissions": {"update": [{"id": own, "fields": ["id", "email"]}]}});
    let widened = manager.patch(&format!("/policies/{id}"), held).await;
    assert_eq!(widened.outcome(), "200", "what they hold they may grant");
}

#[tokio::test]
async fn what_everybody_may_do_is_granted_by_those_who_may_do_it() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let manager = manager(&server, &admin, &ALL).await;
    let policy = |name: &str, collection: &str| {
        let rule = json!({"collection": collection, "action": "read", "fields": ["id"]});
        json!({"name": name, "permissions": [rule]})
    };
    let (held, other) = (
        policy("held", "directus_users"),
        policy("other", "directus_files"),
    );
    let held = admin.post("/policies", held).await.data()["id"].clone();
    let other = admin.post("/policies", other).await.data()["id"].clone();
    let everybody = admin
        .get("/access?filter[user][_null]=true&filter[role][_null]=true&fields=policy")
        .await
        .data()[0]["policy"]
        .clone();
    let rule = json!({"policy": everybody, "collection": "directus_files", "action": "read", "fields": ["id"]});

    for (path, body) in [
        ("/access", json!({"policy": other})),
        (
            "/access",
            json!({"policy": other, "user": null, "role": null}),
        ),
        (
            "/access",
            json!({"policy": policy("new", "directus_files")}),
        ),
        ("/permissions", rule),
    ] {
        let answer = manager.post(path, body.clone()).await;
        assert_eq!(answer.outcome(), "403 FORBIDDEN", "{path} {body}");
    }
    assert_eq!(
        server.stranger().get("/files").await.outcome(),
        "403 FORBIDDEN"
    );
    let attached = manager.post("/access", json!({"policy": held})).await;
    assert_eq!(attached.outcome(), "200");
    assert_eq!(
        server.stranger().get("/users?fields=id").await.outcome(),
        "200"
    );
}

#[tokio::test]
async fn an_archived_user_is_brought_back_under_the_rules_of_a_create_and_without_old_tokens() {
    let server = Setup::new()
        .set("users.on_archived_email", "inherit")
        .start()
        .await;
    let admin = server.admin().await;
    let manager = manager(&server, &admin, &ALL[..1]).await;
    let high = admin.get("/users/me?fields=role").await.data()["role"].clone();
    let old = json!({"email": "ada@example.com", "password": "a good old one"});
    let old = admin.post("/users", old).await.data();
    let login = server
        .login("ada@example.com", "a good old one")
        .await
        .data();
    let ada = server.bearer(text(&login["access_token"]));
    let token = ada
        .post("/users/me/tokens", json!({"name": "t"}))
        .await
        .data();
    let ada = server.bearer(text(&token["token"]));
    assert_eq!(ada.get("/users/me").await.outcome(), "200");
    admin
        .patch(
            &format!("/users/{}", text(&old["id"])),
            json!({"status": "archived"}),
        )
        .await
        .data();

    let raised = json!({"email": "ada@example.com", "role": high});
    assert_eq!(
        manager.post("/users", raised).await.outcome(),
        "403 FORBIDDEN"
    );
    let back = manager
        .post("/users", json!({"email": "ada@example.com"}))
        .await
        .data();

    assert_eq!(back["id"], old["id"]);
    assert_eq!(
        ada.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}
