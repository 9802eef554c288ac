use insta::assert_snapshot;
use roster_tests::{PASSWORD, TestServer};
use serde_json::json;

#[tokio::test]
async fn a_fresh_installation_has_the_usual_settings_and_an_id_of_its_own() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let fields = "project_name,default_language,auth_login_attempts,public_registration,theme_light_overrides";
    let answer = admin.get(&format!("/settings?fields={fields}")).await;
    let id = admin.get("/settings?fields=project_id").await;

    assert_snapshot!(answer, @r#"
    200
    {"data":{"project_name":"Roster","default_language":"en-US","theme_light_overrides":null,"auth_login_attempts":25,"public_registration":false}}
    "#);
    assert!(id.data()["project_id"].is_string(), "{id}");
}

#[tokio::test]
async fn a_change_is_seen_at_once_and_kept_in_the_revisions() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let body =
        json!({"project_name": "Users of Example", "theme_dark_overrides": {"primary": "#ff0000"}});
    let answer = admin
        .patch("/settings?fields=project_name,theme_dark_overrides", body)
        .await;

    assert_snapshot!(answer, @r##"
    200
    {"data":{"project_name":"Users of Example","theme_dark_overrides":{"primary":"#ff0000"}}}
    "##);
    let info = server.stranger().get("/server/info").await;
    assert_eq!(info.data()["project"]["project_name"], "Users of Example");
    let revisions = server
        .database()
        .count("revisions", "collection = 'directus_settings'")
        .await;
    assert_eq!(revisions, 1);
}

#[tokio::test]
async fn bad_settings_change_nothing() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let before = admin.get("/settings").await.to_string();

    for (body, code) in [
        (json!({"project_name": null}), "400 FAILED_VALIDATION"),
        (
            json!({"project_name": "x".repeat(101)}),
            "400 VALUE_TOO_LONG",
        ),
        (
            json!({"auth_login_attempts": "many"}),
            "400 INVALID_PAYLOAD",
        ),
        (json!({"nope": 1}), "400 INVALID_PAYLOAD"),
        (
            json!({"auth_password_policy": "/(/"}),
            "400 FAILED_VALIDATION",
        ),
        (
            json!({"public_registration_role": "01a1ff98-e00b-74dd-bea9-686deeac3cc5"}),
            "400 INVALID_FOREIGN_KEY",
        ),
    ] {
        assert_eq!(
            admin.patch("/settings", body.clone()).await.outcome(),
            code,
            "{body}"
        );
    }
    assert_eq!(admin.get("/settings").await.to_string(), before);
}

#[tokio::test]
async fn strangers_and_members_neither_read_nor_change_them() {
    let server = TestServer::start().await;
    let member = server.member("ada").await;

    for client in [server.stranger(), member] {
        assert_eq!(client.get("/settings").await.outcome(), "403 FORBIDDEN");
        let change = client
            .patch("/settings", json!({"project_name": "mine"}))
            .await;
        assert_eq!(change.outcome(), "403 FORBIDDEN");
    }
}

#[tokio::test]
async fn a_password_policy_binds_the_next_password_and_never_repeats_it() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let policy = json!({"auth_password_policy": "/^.{30,}$/"});
    assert_eq!(admin.patch("/settings", policy).await.outcome(), "200");

    let short = json!({"email": "grace@example.com", "password": PASSWORD});
    let refused = admin.post("/users", short).await;

    assert_eq!(refused.outcome(), "400 FAILED_VALIDATION");
    assert!(!refused.to_string().contains(PASSWORD));
    let long = json!({"email": "grace@example.com", "password": format!("{PASSWORD} {PASSWORD}")});
    assert_eq!(admin.post("/users", long).await.outcome(), "200");
}

/// A connection that has read them for somebody who may do everything reads them for others too.
#[tokio::test]
async fn people_of_different_rights_read_and_change_them_in_turn() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let rule = |action: &str| json!({ "collection": "directus_settings", "action": action, "permissions": {}, "fields": ["*"] });
    let policy = json!({ "name": "manager", "permissions": [rule("read"), rule("update")] });
    let policy = admin.post("/policies", policy).await.data();
    let ada = server.member("ada").await;
    let attach = json!({ "user": ada.id, "policy": policy["id"] });
    admin.post("/access", attach).await.data();

    for round in 0..12 {
        for client in [&admin, &ada] {
            let name = format!("round {round}");
            let changed = client
                .patch("/settings", json!({ "project_name": name }))
                .await;
            assert_eq!(changed.data()["project_name"], name);
            let seen = client.get("/settings").await.data();
            assert_eq!(seen["project_name"], name);
            let may = client.get("/permissions/me/directus_settings").await.data();
            assert_eq!(may["update"]["access"], true);
        }
    }
}
