//! What happens to a user is honoured by their very next request, whatever token it carries.

use roster_tests::{Client, PASSWORD, TestServer};
use serde_json::json;

const TOKEN: &str = "a-static-token-for-ada";

/// A user who administrates, once with an access token, once with a static one.
async fn ada(server: &TestServer, admin: &Client) -> [Client; 2] {
    let role = admin.get("/users/me?fields=role").await.data()["role"].clone();
    let body = json!({
        "email": "ada@example.com", "password": PASSWORD, "role": role, "token": TOKEN,
    });
    admin.post("/users", body).await.data();
    let session = server.sign_in("ada@example.com").await;
    let fixed = session.with_token(TOKEN);
    for client in [&session, &fixed] {
        assert_eq!(client.get("/users?limit=1").await.outcome(), "200");
    }
    [session, fixed]
}

#[tokio::test]
async fn a_status_that_is_not_active_ends_every_token() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for status in ["suspended", "archived", "draft", "invited", "unverified"] {
        let [session, fixed] = ada(&server, &admin).await;

        admin
            .patch(&session.path(), json!({ "status": status }))
            .await
            .data();

        for client in [&session, &fixed] {
            let answer = client.get("/users/me").await;
            assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS", "{status}");
        }
        let answer = server.refresh(&session.refresh_token).await;
        assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS", "{status}");
        let answer = server.login(&session.email, PASSWORD).await;
        assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS", "{status}");
        admin.delete(&session.path()).await.done();
    }
}

#[tokio::test]
async fn a_session_does_not_come_back_with_its_user() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let [session, fixed] = ada(&server, &admin).await;

    for status in ["suspended", "active"] {
        admin
            .patch(&session.path(), json!({ "status": status }))
            .await
            .data();
    }

    assert_eq!(
        session.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(fixed.get("/users/me").await.outcome(), "200");
}

#[tokio::test]
async fn a_removed_user_has_no_token_left() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let [session, fixed] = ada(&server, &admin).await;

    admin.delete(&session.path()).await.done();

    for client in [&session, &fixed] {
        assert_eq!(
            client.get("/users/me").await.outcome(),
            "401 INVALID_CREDENTIALS"
        );
    }
    assert_eq!(
        server.refresh(&session.refresh_token).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_of_the_old_one() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let [session, fixed] = ada(&server, &admin).await;

    admin
        .patch(&session.path(), json!({ "password": "another secret" }))
        .await
        .data();

    assert_eq!(
        session.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(
        server.refresh(&session.refresh_token).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(fixed.get("/users/me").await.outcome(), "200");
}

#[tokio::test]
async fn a_new_address_ends_the_sessions_of_the_old_one() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let [session, _] = ada(&server, &admin).await;

    admin
        .patch(&session.path(), json!({ "email": "new@example.com" }))
        .await
        .data();

    assert_eq!(
        session.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}

#[tokio::test]
async fn another_role_counts_at_once() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let clients = ada(&server, &admin).await;
    let role = admin.get("/users/me?fields=role").await.data()["role"].clone();

    admin
        .patch(&clients[0].path(), json!({ "role": null }))
        .await
        .data();

    for client in &clients {
        assert_eq!(
            client.get("/users?limit=1").await.outcome(),
            "403 FORBIDDEN"
        );
        assert_eq!(
            client.get("/users/me").await.data(),
            json!({ "id": clients[0].id })
        );
    }

    admin
        .patch(&clients[0].path(), json!({ "role": role }))
        .await
        .data();

    for client in &clients {
        assert_eq!(client.get("/users?limit=1").await.outcome(), "200");
    }
}

#[tokio::test]
async fn a_policy_that_changes_beside_the_server_counts_at_once() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    server
        .database()
        .execute("UPDATE policies SET admin_access = (1 = 0), app_access = (1 = 0)")
        .await;
    server
        .database()
        .execute("UPDATE counters SET rules_epoch = rules_epoch + 1")
        .await;

    assert_eq!(admin.get("/users").await.outcome(), "403 FORBIDDEN");
}

#[tokio::test]
async fn a_new_static_token_replaces_the_old_one() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let [session, fixed] = ada(&server, &admin).await;

    admin
        .patch(&session.path(), json!({ "token": "another-static-token" }))
        .await
        .data();

    assert_eq!(
        fixed.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    let next = server.bearer("another-static-token");
    assert_eq!(next.get("/users/me").await.outcome(), "200");
    admin
        .patch(&session.path(), json!({ "token": null }))
        .await
        .data();
    assert_eq!(
        next.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}
