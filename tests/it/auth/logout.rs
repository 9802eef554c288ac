use insta::assert_snapshot;
use roster_tests::{Setup, TestServer};
use serde_json::json;

#[tokio::test]
async fn a_logout_is_honoured_on_the_next_request() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let other = server.admin().await;

    server.logout(&admin.refresh_token).await.done();

    assert_snapshot!(admin.get("/users/me").await, @r#"
    401
    {"errors":[{"message":"Invalid user credentials.","extensions":{"code":"INVALID_CREDENTIALS"}}]}
    "#);
    assert_eq!(
        server.refresh(&admin.refresh_token).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(other.get("/users/me").await.outcome(), "200");
    assert_eq!(
        server
            .database()
            .count("activity", "action = 'logout'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_token_that_is_none_ends_nothing() {
    let server = Setup::new().set("auth.refresh_grace", "0s").start().await;
    let admin = server.admin().await;
    let forged = format!("{}AAAA", &admin.refresh_token[..71]);

    for token in ["nonsense", &forged] {
        server.logout(token).await.done();
    }

    assert_eq!(admin.get("/users/me").await.outcome(), "200");
    assert_snapshot!(server.stranger().post("/auth/logout", json!({})).await, @r#"
    400
    {"errors":[{"message":"Invalid payload. The refresh token is required in either the payload or cookie.","extensions":{"reason":"The refresh token is required in either the payload or cookie","code":"INVALID_PAYLOAD"}}]}
    "#);
}

#[tokio::test]
async fn a_second_logout_is_fine() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    server.logout(&admin.refresh_token).await.done();
    server.logout(&admin.refresh_token).await.done();
}
