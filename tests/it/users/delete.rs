use insta::assert_snapshot;
use reqwest::Method;
use roster_tests::TestServer;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn a_removed_user_is_gone_with_sessions_and_attachments() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;

    admin.delete(&ada.path()).await.done();

    assert_eq!(admin.get(&ada.path()).await.outcome(), "403 FORBIDDEN");
    assert_eq!(
        server
            .database()
            .count("users", "email = 'ada@example.com'")
            .await,
        0
    );
    let own = format!("\"user\" = '{}'", ada.id);
    assert_eq!(server.database().count("sessions", &own).await, 0);
    let removals = server
        .database()
        .count("activity", "action = 'delete'")
        .await;
    assert_eq!(removals, 1);
}

#[tokio::test]
async fn missing_malformed_and_repeated_are_forbidden_alike() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;
    admin.delete(&ada.path()).await.done();

    let missing = admin.delete(&format!("/users/{}", Uuid::new_v4())).await;

    assert_snapshot!(missing, @r#"
    403
    {"errors":[{"message":"You don't have permission to access this.","extensions":{"code":"FORBIDDEN"}}]}
    "#);
    assert_eq!(
        admin.delete(&ada.path()).await.to_string(),
        missing.to_string()
    );
    assert_eq!(
        admin.delete("/users/7").await.to_string(),
        missing.to_string()
    );
}

#[tokio::test]
async fn an_address_is_free_again_and_old_tokens_do_not_name_the_new_user() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let old = server.member("ada").await;
    admin.delete(&old.path()).await.done();

    let new = server.member("ada").await;

    assert_ne!(new.id, old.id);
    assert_eq!(
        old.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(
        server.refresh(&old.refresh_token).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(new.get("/users/me").await.outcome(), "200");
}

#[tokio::test]
async fn users_who_lead_to_each_other_are_removed_together() {
    for on_delete in ["SET NULL", "CASCADE", "NO ACTION"] {
        let server = TestServer::start().await;
        let admin = server.admin().await;
        let field =
            json!({"field": "boss", "type": "uuid", "schema": {}, "meta": {"special": ["m2o"]}});
        admin.post("/fields/directus_users", field).await.data();
        let relation = json!({"collection": "directus_users", "field": "boss",
            "related_collection": "directus_users", "schema": {"on_delete": on_delete}});
        admin.post("/relations", relation).await.data();
        let mut ids = Vec::new();
        let mut boss = Value::Null;
        for _ in 0..3 {
            let user = admin.post("/users", json!({ "boss": boss })).await.data();
            boss = user["id"].clone();
            ids.push(boss.clone());
        }

        let removed = admin.json(Method::DELETE, "/users", &json!(ids)).await;

        assert_eq!(removed.outcome(), "204", "{on_delete}");
        assert_eq!(server.database().count("users", "1 = 1").await, 1);
    }
}

#[tokio::test]
async fn a_role_is_removed_together_with_those_under_it() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let top = admin.post("/roles", json!({"name": "top"})).await.data()["id"].clone();
    let low = json!({"name": "low", "parent": top, "users": [{"first_name": "Ada"}]});
    let low = admin.post("/roles", low).await.data()["id"].clone();

    let both = json!([top, low]);
    admin.json(Method::DELETE, "/roles", &both).await.done();

    let ada = server.database().count(
        "users",
        "first_name = 'Ada' AND role IS NULL AND status = 'suspended'",
    );
    assert_eq!(ada.await, 1);
}
