use insta::assert_snapshot;
use roster_tests::TestServer;
use serde_json::json;

#[tokio::test]
async fn a_ping_is_answered() {
    let server = TestServer::start().await;

    let answer = server.stranger().get("/server/ping").await;

    assert_snapshot!(answer, @r#"
    200
    pong
    "#);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
}

#[tokio::test]
async fn everybody_learns_whether_the_server_serves() {
    let server = TestServer::start().await;
    let member = server.member("ada").await;

    let answer = server.stranger().get("/server/health").await;

    assert_snapshot!(answer, @r#"
    200
    {"status":"ok"}
    "#);
    assert_eq!(
        answer.header("content-type"),
        "application/health+json; charset=utf-8"
    );
    assert_eq!(member.get("/server/health").await.text, answer.text);
}

#[tokio::test]
async fn administrators_learn_what_was_checked() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let health = admin.get("/server/health").await.json();

    assert_eq!(health["status"], "ok");
    assert_eq!(health["releaseId"], env!("CARGO_PKG_VERSION"));
    assert_eq!(health["serviceId"].as_str().map(str::len), Some(36));
    let checks = health["checks"].as_object().expect("checks");
    let (name, check) = checks.iter().next().expect("a check");
    assert!(name.ends_with(":responseTime"), "{name}");
    assert_eq!(check[0]["componentType"], "datastore");
    assert_eq!(check[0]["status"], "ok");
    assert!(check[0]["observedValue"].is_number());
}

#[tokio::test]
async fn strangers_learn_how_the_project_wants_to_be_shown() {
    let server = TestServer::start().await;

    assert_snapshot!(server.stranger().get("/server/info").await, @r##"
    200
    {"data":{"project":{"custom_css":null,"default_appearance":"auto","default_language":"en-US","default_theme_dark":null,"default_theme_light":null,"project_color":"#6644FF","project_descriptor":null,"project_logo":null,"project_name":"Roster","public_background":null,"public_favicon":null,"public_foreground":null,"public_note":null,"public_registration":false,"public_registration_verify_email":true,"theme_dark_overrides":null,"theme_light_overrides":null},"setupCompleted":true}}
    "##);
}

#[tokio::test]
async fn who_is_signed_in_learns_the_limits_too() {
    let server = TestServer::start().await;
    let member = server.member("ada").await;

    let info = member.get("/server/info").await.data();

    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(info["queryLimit"], json!({ "default": 100, "max": -1 }));
    assert_eq!(info["setupCompleted"], true);
    assert_eq!(
        (&info["rateLimit"], &info["websocket"]),
        (&json!(false), &json!(false))
    );
}

#[tokio::test]
async fn metrics_count_routes_and_not_ids() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin.get(&admin.path()).await.data();
    admin.get("/nowhere/at/all").await;
    server.login("admin@example.com", "wrong").await;

    let answer = server.stranger().get("/metrics").await;

    assert_eq!(
        answer.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    for line in [
        r#"roster_http_requests_total{method="GET",route="/users/{id}",status="200"}"#,
        r#"roster_http_requests_total{method="GET",route="unmatched",status="404"}"#,
        r#"roster_http_request_duration_seconds_bucket{method="GET",route="/users/{id}",le="0.001"}"#,
        r#"roster_logins_total{outcome="ok"}"#,
        r#"roster_logins_total{outcome="refused"}"#,
    ] {
        assert!(
            answer.text.contains(line),
            "{line} is not in\n{}",
            answer.text
        );
    }
    assert!(!answer.text.contains(&admin.id));
    assert!(!answer.text.contains("nowhere"));
}
