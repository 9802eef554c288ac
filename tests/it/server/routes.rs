use insta::assert_snapshot;
use reqwest::Method;
use roster_tests::{Setup, TestServer};
use serde_json::json;

#[tokio::test]
async fn a_route_that_does_not_exist_is_named() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    assert_snapshot!(admin.get("/nowhere?access_token=secret").await, @r#"
    404
    {"errors":[{"message":"Route /nowhere doesn't exist.","extensions":{"path":"/nowhere","code":"ROUTE_NOT_FOUND"}}]}
    "#);
    for path in [
        "/",
        "/users/",
        "/Users",
        "//users",
        "/users/me/more",
        "/server",
        "/items/directus_users",
    ] {
        assert_eq!(
            admin.get(path).await.outcome(),
            "404 ROUTE_NOT_FOUND",
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_method_that_does_not_exist_is_a_route_that_does_not() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    assert_snapshot!(admin.json(Method::PUT, "/users", &json!({})).await, @r#"
    404
    {"errors":[{"message":"Route /users doesn't exist.","extensions":{"path":"/users","code":"ROUTE_NOT_FOUND"}}]}
    "#);
    for (method, path) in [
        (Method::PUT, "/users/me"),
        (Method::POST, "/users/me"),
        (Method::POST, "/server/ping"),
        (Method::DELETE, "/auth/login"),
        (Method::GET, "/auth/login"),
        (Method::TRACE, "/users"),
    ] {
        let answer = admin.json(method.clone(), path, &json!({})).await;
        assert_eq!(answer.outcome(), "404 ROUTE_NOT_FOUND", "{method} {path}");
    }
}

#[tokio::test]
async fn options_say_what_a_path_allows() {
    let server = TestServer::start().await;
    let stranger = server.stranger();
    let allowed = async |path: &str| {
        let answer = stranger.send(Method::OPTIONS, path, &[], Vec::new()).await;
        (answer.status, answer.header("allow").to_owned())
    };

    let text = |text: &str| (204, text.to_owned());
    assert_eq!(
        allowed("/users/me").await,
        text("GET, HEAD, OPTIONS, PATCH")
    );
    assert_eq!(allowed("/auth/login").await, text("OPTIONS, POST"));
}

#[tokio::test]
async fn the_id_of_a_request_is_the_clients_where_it_is_usable() {
    let server = TestServer::start().await;
    let stranger = server.stranger();
    let id = async |given: &str| {
        let headers = [("x-request-id", given)];
        let answer = stranger
            .send(Method::GET, "/nowhere", &headers, Vec::new())
            .await;
        answer.header("x-request-id").to_owned()
    };

    assert_eq!(id("trace-1.A_b").await, "trace-1.A_b");
    for bad in ["", "a b", "<script>", &"x".repeat(65)] {
        let made = id(bad).await;
        assert!(uuid::Uuid::parse_str(&made).is_ok(), "{bad} became {made}");
    }
}

#[tokio::test]
async fn every_answer_is_careful() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    for path in ["/users/me", "/nowhere", "/server/ping", "/docs", "/users/7"] {
        let answer = admin.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(
            answer.header("cross-origin-opener-policy"),
            "same-origin",
            "{path}"
        );
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(answer.header("server"), "", "{path}");
    }
}

#[tokio::test]
async fn other_origins_are_told_nothing_unless_the_operator_names_them() {
    let strict = TestServer::start().await;
    let app = "https://app.example.com";
    let open = Setup::new().set("server.cors_origins", app).start().await;
    let headers = [("origin", app)];

    let (one, other) = (strict.stranger(), open.stranger());
    let kept = one
        .send(Method::GET, "/server/info", &headers, Vec::new())
        .await;
    let told = other
        .send(Method::GET, "/server/info", &headers, Vec::new())
        .await;

    assert_eq!(
        (kept.status, kept.header("access-control-allow-origin")),
        (200, "")
    );
    assert_eq!(
        (told.status, told.header("access-control-allow-origin")),
        (200, app)
    );
}

#[tokio::test]
async fn forwarded_addresses_count_from_trusted_proxies_only() {
    for (proxies, expected) in [("", "127.0.0.1"), ("127.0.0.0/8", "203.0.113.7")] {
        let server = Setup::new()
            .set("server.trusted_proxies", proxies)
            .start()
            .await;
        let admin = server.admin().await;

        let headers = [
            ("x-forwarded-for", "203.0.113.7"),
            ("content-type", "application/json"),
        ];
        let body = json!({ "title": "forwarded" }).to_string().into_bytes();
        let answer = admin.send(Method::POST, "/users", &headers, body).await;

        assert_eq!(answer.status, 200);
        let sql = "SELECT ip FROM activity WHERE action = 'create' ORDER BY id DESC LIMIT 1";
        assert_eq!(server.database().text(sql).await, expected);
    }
}
