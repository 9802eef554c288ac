use std::sync::Arc;

use roster_tests::{ADMIN, PASSWORD, Setup, TestServer};
use serde_json::json;

fn limited() -> Setup {
    Setup::new()
        .set("rate_limit.enabled", "true")
        .set("rate_limit.login", "3/1h")
        .set("server.trusted_proxies", "127.0.0.1")
}

async fn login_from(server: &TestServer, address: &str) -> roster_tests::Answer {
    let headers = [
        ("x-forwarded-for", address),
        ("content-type", "application/json"),
    ];
    let body = json!({ "email": ADMIN, "password": PASSWORD }).to_string();
    let stranger = server.stranger();
    stranger
        .send(reqwest::Method::POST, "/auth/login", &headers, body.into())
        .await
}

#[tokio::test]
async fn an_address_tries_so_often_and_is_told_how_long_to_wait() {
    let server = limited().start().await;
    for _ in 0..3 {
        assert_eq!(login_from(&server, "192.0.2.1").await.outcome(), "200");
    }

    let answer = login_from(&server, "192.0.2.1").await;

    assert_eq!(answer.outcome(), "429 REQUESTS_EXCEEDED");
    let wait: i64 = answer.header("retry-after").parse().expect("seconds");
    assert!((3_500..=3_600).contains(&wait), "{wait}");
    let extensions = &answer.json()["errors"][0]["extensions"];
    assert_eq!(extensions["limit"], 3);
    assert!(extensions["reset"].is_string());
    assert_eq!(login_from(&server, "192.0.2.2").await.outcome(), "200");
}

#[tokio::test]
async fn addresses_of_one_ipv6_network_share_a_count() {
    let server = limited().start().await;

    for address in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
        assert_eq!(login_from(&server, address).await.outcome(), "200");
    }

    assert_eq!(
        login_from(&server, "2001:db8::ffff").await.outcome(),
        "429 REQUESTS_EXCEEDED"
    );
    assert_eq!(
        login_from(&server, "2001:db8:0:1::1").await.outcome(),
        "200"
    );
}

#[tokio::test]
async fn an_address_that_the_client_made_up_has_no_count_of_its_own() {
    let server = limited().set("server.trusted_proxies", "").start().await;

    for n in 0..3 {
        login_from(&server, &format!("192.0.2.{n}")).await;
    }

    assert_eq!(
        login_from(&server, "192.0.2.99").await.outcome(),
        "429 REQUESTS_EXCEEDED"
    );
}

#[tokio::test]
async fn nodes_count_together() {
    let one = limited().start().await;
    let two = limited().on(&Arc::clone(one.database())).start().await;

    for server in [&one, &two, &one] {
        assert_eq!(login_from(server, "192.0.2.1").await.outcome(), "200");
    }

    assert_eq!(
        login_from(&two, "192.0.2.1").await.outcome(),
        "429 REQUESTS_EXCEEDED"
    );
}

#[tokio::test]
async fn resets_and_invitations_count_as_logins_and_registrations_for_themselves() {
    let server = limited().set("rate_limit.register", "1/1h").start().await;
    let stranger = server.stranger();
    let reset = json!({ "email": "nobody@example.com" });
    let accept = json!({ "token": "x", "password": PASSWORD });
    stranger
        .post("/auth/password/request", reset.clone())
        .await
        .done();
    assert_eq!(
        stranger
            .post("/users/invite/accept", accept)
            .await
            .outcome(),
        "403 INVALID_TOKEN"
    );
    stranger
        .post("/auth/password/request", reset.clone())
        .await
        .done();

    let refused = stranger.post("/auth/password/request", reset).await;

    assert_eq!(refused.outcome(), "429 REQUESTS_EXCEEDED");
    let register = json!({ "email": "a@example.com", "password": PASSWORD });
    let first = stranger.post("/users/register", register.clone()).await;
    assert_eq!(first.outcome(), "403 FORBIDDEN");
    let second = stranger.post("/users/register", register).await;
    assert_eq!(second.outcome(), "429 REQUESTS_EXCEEDED");
}

#[tokio::test]
async fn requests_of_an_address_can_be_limited_whatever_they_ask() {
    let server = limited().set("rate_limit.api", "3/1h").start().await;
    let stranger = server.stranger();

    for path in ["/server/info", "/users/me", "/nowhere"] {
        assert_ne!(stranger.get(path).await.status, 429);
    }

    assert_eq!(
        stranger.get("/server/info").await.outcome(),
        "429 REQUESTS_EXCEEDED"
    );
    assert_eq!(stranger.get("/server/ping").await.status, 200);
}

#[tokio::test]
async fn who_is_signed_in_can_see_how_many_requests_there_may_be() {
    let server = limited().set("rate_limit.api", "50/2m").start().await;
    let admin = server.admin().await;

    let info = admin.get("/server/info").await.data();

    assert_eq!(info["rateLimit"], json!({ "points": 50, "duration": 120 }));
    assert_eq!(info["rateLimitGlobal"], false);
}
