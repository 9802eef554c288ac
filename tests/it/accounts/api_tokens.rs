use roster_tests::{Client, Setup, TestServer, eventually};
use serde_json::{Value as Json, json};

async fn make(client: &Client, body: Json) -> Json {
    client.post("/users/me/tokens", body).await.data()
}

fn text(value: &Json) -> String {
    value.as_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_token_acts_for_its_owner_is_shown_once_and_is_kept_as_a_hash() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;

    let made = make(&ada, json!({ "name": "backup" })).await;

    let token = text(&made["token"]);
    assert!(token.starts_with("rst_") && token.len() >= 40, "{token}");
    assert!(token.starts_with(&text(&made["prefix"])));
    assert_eq!(
        server.bearer(&token).get("/users/me").await.data()["id"],
        ada.id
    );
    let listed = ada.get("/users/me/tokens").await;
    assert!(!listed.text.contains(&token));
    assert_eq!(listed.data()[0]["name"], "backup");
    assert!(listed.data()[0]["last_used_at"].is_string());
    assert!(!server.database().everything().await.contains(&token));
}

#[tokio::test]
async fn a_token_ends_when_it_is_removed_when_it_is_late_and_with_its_owner() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    let removed = make(&ada, json!({ "name": "removed" })).await;
    let other = make(&ada, json!({ "name": "other" })).await;
    let end = json!({ "name": "late", "expires_at": "2000-01-01T00:00:00Z" });
    assert_eq!(
        ada.post("/users/me/tokens", end).await.outcome(),
        "400 INVALID_PAYLOAD"
    );
    let bearer = |made: &Json| server.bearer(text(&made["token"]));

    let path = format!("/users/me/tokens/{}", text(&removed["id"]));
    ada.delete(&path).await.done();
    assert_eq!(ada.delete(&path).await.outcome(), "403 FORBIDDEN");

    assert_eq!(
        bearer(&removed).get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(bearer(&other).get("/users/me").await.outcome(), "200");
    server
        .database()
        .execute("UPDATE api_tokens SET expires_at = created_at")
        .await;
    assert_eq!(
        bearer(&other).get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    server
        .database()
        .execute("UPDATE api_tokens SET expires_at = NULL")
        .await;
    admin
        .patch(&ada.path(), json!({ "status": "suspended" }))
        .await
        .data();
    assert_eq!(
        bearer(&other).get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}

#[tokio::test]
async fn a_token_works_from_its_addresses_alone() {
    let server = Setup::new()
        .set("server.trusted_proxies", "127.0.0.1")
        .start()
        .await;
    let ada = server.member("ada").await;
    let made = make(
        &ada,
        json!({ "name": "x", "ip_access": ["192.0.2.0/24", "2001:db8::/32"] }),
    )
    .await;
    let bearer = server.bearer(text(&made["token"]));
    let from = async |address: &str| {
        let headers = [("x-forwarded-for", address)];
        let method = reqwest::Method::GET;
        let answer = bearer.send(method, "/users/me", &headers, Vec::new()).await;
        answer.outcome()
    };

    assert_eq!(from("192.0.2.9").await, "200");
    assert_eq!(from("2001:db8::9").await, "200");
    assert_eq!(from("198.51.100.9").await, "401 INVALID_CREDENTIALS");
}

#[tokio::test]
async fn only_somebody_who_is_signed_in_makes_tokens() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let made = make(&ada, json!({ "name": "first" })).await;
    let bearer = server.bearer(text(&made["token"]));

    let refused = bearer
        .post("/users/me/tokens", json!({ "name": "second" }))
        .await;

    assert_eq!(refused.outcome(), "403 FORBIDDEN");
    let stranger = server.stranger();
    let refused = stranger
        .post("/users/me/tokens", json!({ "name": "x" }))
        .await;
    assert_eq!(refused.outcome(), "401 INVALID_CREDENTIALS");
}

#[tokio::test]
async fn what_a_token_cannot_be_is_refused_by_name() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;

    for body in [
        json!({}),
        json!({ "name": "x".repeat(101) }),
        json!({ "name": "x", "ip_access": ["nonsense"] }),
        json!({ "name": "x", "ip_access": "192.0.2.1" }),
        json!({ "name": "x", "policies": [] }),
        json!({ "name": "x", "user": "somebody" }),
    ] {
        let answer = ada.post("/users/me/tokens", body.clone()).await;
        assert_eq!(answer.outcome(), "400 INVALID_PAYLOAD", "{body}");
    }
}

#[tokio::test]
async fn administrators_see_and_remove_tokens_of_others() {
    let server = TestServer::start().await;
    let (admin, ada, bob) = (
        server.admin().await,
        server.member("ada").await,
        server.member("bob").await,
    );
    let made = make(&ada, json!({ "name": "backup" })).await;
    let path = format!("{}/tokens", ada.path());

    assert_eq!(bob.get(&path).await.outcome(), "403 FORBIDDEN");
    assert_eq!(admin.get(&path).await.data()[0]["name"], "backup");
    let one = format!("{path}/{}", text(&made["id"]));
    assert_eq!(bob.delete(&one).await.outcome(), "403 FORBIDDEN");
    let foreign = format!("/users/me/tokens/{}", text(&made["id"]));
    assert_eq!(bob.delete(&foreign).await.outcome(), "403 FORBIDDEN");
    admin.delete(&one).await.done();

    let gone = async || (ada.get("/users/me/tokens").await.data() == json!([])).then_some(());
    eventually("no token", gone).await;
}
