use insta::assert_snapshot;
use roster_tests::{PASSWORD, Setup, TestServer};
use serde_json::json;

#[tokio::test]
async fn an_administrator_sees_themselves_whole() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let me = admin.get("/users/me").await.data();

    assert_eq!(me, admin.get(&admin.path()).await.data());
}

#[tokio::test]
async fn without_rights_there_is_the_id_alone() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;

    assert_eq!(ada.get("/users/me").await.data(), json!({ "id": ada.id }));
    assert_eq!(
        ada.get("/users/me?fields=email,password").await.data(),
        json!({ "id": ada.id })
    );
    assert_eq!(
        ada.patch("/users/me", json!({ "title": "x" }))
            .await
            .outcome(),
        "403 FORBIDDEN"
    );
}

#[tokio::test]
async fn a_stranger_is_nobody() {
    let server = TestServer::start().await;
    let stranger = server.stranger();

    assert_snapshot!(stranger.get("/users/me").await, @r#"
    401
    {"errors":[{"message":"Invalid user credentials.","extensions":{"code":"INVALID_CREDENTIALS"}}]}
    "#);
    assert_snapshot!(stranger.patch("/users/me", json!({ "title": "x" })).await, @r#"
    401
    {"errors":[{"message":"Invalid user credentials.","extensions":{"code":"INVALID_CREDENTIALS"}}]}
    "#);
}

#[tokio::test]
async fn one_changes_oneself() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let answer = admin
        .patch("/users/me?fields=title", json!({ "title": "CTO" }))
        .await;

    assert_snapshot!(answer, @r#"
    200
    {"data":{"title":"CTO"}}
    "#);
}

#[tokio::test]
async fn a_new_password_of_ones_own_needs_the_present_one() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let change = |current| json!({ "password": "another secret", "current_password": current });

    let without = json!({ "password": "another secret" });
    assert_snapshot!(admin.patch("/users/me", without.clone()).await, @r#"
    400
    {"errors":[{"message":"Validation failed for field \"current_password\". Value is required.","extensions":{"field":"current_password","path":[],"type":"required","code":"FAILED_VALIDATION"}}]}
    "#);
    assert_snapshot!(admin.patch("/users/me", change("wrong")).await, @r#"
    401
    {"errors":[{"message":"Invalid user credentials.","extensions":{"code":"INVALID_CREDENTIALS"}}]}
    "#);
    assert_eq!(
        admin.patch(&admin.path(), without).await.outcome(),
        "400 FAILED_VALIDATION"
    );
    let wrong_type = json!({ "password": "another secret", "current_password": 7 });
    assert_eq!(
        admin.patch("/users/me", wrong_type).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(
        admin.patch("/users/me", change(PASSWORD)).await.outcome(),
        "200"
    );
    assert_eq!(
        server.login(&admin.email, "another secret").await.outcome(),
        "200"
    );
}

#[tokio::test]
async fn the_present_password_is_no_field() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let alone = json!({ "title": "x", "current_password": PASSWORD });
    let changed = admin.patch("/users/me?fields=title", alone).await;

    assert_eq!(changed.data(), json!({ "title": "x" }));
    let made = admin
        .post("/users", json!({ "current_password": PASSWORD }))
        .await;
    assert_eq!(made.outcome(), "400 INVALID_PAYLOAD");
}

#[tokio::test]
async fn the_operator_can_do_without_the_present_password() {
    let server = Setup::new()
        .set("auth.password.require_current", "false")
        .start()
        .await;
    let admin = server.admin().await;

    let answer = admin
        .patch("/users/me", json!({ "password": "another secret" }))
        .await;

    assert_eq!(answer.outcome(), "200");
}
