use insta::assert_snapshot;
use reqwest::Method;
use roster_tests::{Setup, TestServer};
use serde_json::json;

const TOKEN: &str = "A-static-token-for-tests";

#[tokio::test]
async fn a_static_token_acts_as_its_user_and_has_to_match_in_full() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin
        .patch("/users/me", json!({ "token": TOKEN }))
        .await
        .data();

    assert_eq!(
        server.bearer(TOKEN).get("/users/me").await.data()["id"],
        json!(admin.id)
    );
    for bad in [
        &TOKEN[1..],
        &TOKEN[..20],
        &TOKEN.to_lowercase(),
        &format!("{TOKEN}x"),
        "x",
    ] {
        let answer = server.bearer(bad).get("/users/me").await;
        assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS", "{bad}");
    }
    let long = server.bearer("x".repeat(4_000)).get("/users/me").await;
    assert_eq!(long.outcome(), "401 INVALID_CREDENTIALS");
}

#[tokio::test]
async fn what_is_stored_of_a_token_is_no_token() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin
        .patch("/users/me", json!({ "token": TOKEN }))
        .await
        .data();

    let stored = server.database().text("SELECT token FROM users").await;

    assert_ne!(stored, TOKEN);
    let answer = server.bearer(stored).get("/users/me").await;
    assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS");
}

#[tokio::test]
async fn a_broken_token_fails_every_route() {
    let server = TestServer::start().await;
    let broken = server.bearer("nonsense");

    assert_snapshot!(broken.get("/server/ping").await, @r#"
    401
    {"errors":[{"message":"Invalid user credentials.","extensions":{"code":"INVALID_CREDENTIALS"}}]}
    "#);
    for path in ["/server/info", "/users/me", "/nowhere", "/auth"] {
        assert_eq!(
            broken.get(path).await.outcome(),
            "401 INVALID_CREDENTIALS",
            "{path}"
        );
    }
    let login = json!({ "email": roster_tests::ADMIN, "password": roster_tests::PASSWORD });
    assert_eq!(
        broken.post("/auth/login", login).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}

#[tokio::test]
async fn other_schemes_and_other_shapes_are_no_token() {
    let server = TestServer::start().await;
    let stranger = server.stranger();
    let with = async |value: &str| {
        let headers = [("authorization", value)];
        stranger
            .send(Method::GET, "/users/me", &headers, Vec::new())
            .await
            .outcome()
    };

    for value in [
        "Basic YTpi",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Token x",
        "bearer\u{a0}x",
    ] {
        assert_eq!(with(value).await, "401 INVALID_CREDENTIALS", "{value}");
        let headers = [("authorization", value)];
        let open = stranger
            .send(Method::GET, "/server/info", &headers, Vec::new())
            .await;
        assert_eq!(open.status, 200, "{value}");
    }
}

#[tokio::test]
async fn the_scheme_is_read_in_either_case() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let value = format!("bEARER {}", admin.token.expect("a token"));

    let headers = [("authorization", value.as_str())];
    let answer = server
        .stranger()
        .send(Method::GET, "/users", &headers, Vec::new())
        .await;

    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_token_in_the_query_counts_where_the_operator_says_so() {
    let strict = TestServer::start().await;
    let open = Setup::new().set("auth.query_tokens", "true").start().await;
    let path = |token: Option<String>| format!("/users?access_token={}", token.expect("a token"));

    let ignored = strict
        .stranger()
        .get(&path(strict.admin().await.token))
        .await;
    let taken = open.stranger().get(&path(open.admin().await.token)).await;
    let admin = open.admin().await;
    let twice = admin.get(&path(admin.token.clone())).await;

    assert_eq!(ignored.outcome(), "403 FORBIDDEN");
    assert_eq!(taken.outcome(), "200");
    assert_snapshot!(twice, @r#"
    400
    {"errors":[{"message":"Invalid payload. The request uses more than one method for including an access token.","extensions":{"reason":"The request uses more than one method for including an access token","code":"INVALID_PAYLOAD"}}]}
    "#);
}
