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
