//! Requests that are too large, too deep or too many things at once: refused, and the server goes
//! on.

use insta::assert_snapshot;
use reqwest::Method;
use roster_tests::{Client, PATIENCE, Setup, TestServer};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MEGABYTE: usize = 1 << 20;

/// Writes bytes to the server as they are; gives what comes back until it hangs up.
async fn raw(server: &TestServer, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.socket())
        .await
        .expect("a connection");
    let exchange = async {
        // A server that has said no may not read to the end.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(PATIENCE, exchange)
        .await
        .expect("an answer in time")
}

/// Asks for a path that no client library would send; gives the first line of the answer.
async fn ask(server: &TestServer, admin: &Client, path: &str) -> String {
    let token = admin.token.as_deref().expect("a token");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    let answer = raw(server, request.as_bytes()).await;
    answer.lines().next().unwrap_or_default().to_owned()
}

async fn assert_serving(admin: &Client) {
    assert_eq!(admin.get("/users/me").await.outcome(), "200");
}

#[tokio::test]
async fn a_body_of_two_megabytes_is_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body = json!({ "description": "x".repeat(2 * MEGABYTE) });

    let answer = admin.post("/users", body).await;

    assert_snapshot!(answer, @r#"
    400
    {"errors":[{"message":"Invalid payload. request entity too large.","extensions":{"reason":"request entity too large","code":"INVALID_PAYLOAD"}}]}
    "#);
    assert_serving(&admin).await;
}

#[tokio::test]
async fn a_body_of_two_megabytes_that_does_not_say_so_is_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let token = admin.token.as_deref().expect("a token");
    let mut request = format!(
        "POST /users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for piece in [
        r#"{"description":""#.to_owned(),
        "x".repeat(2 * MEGABYTE),
        "\"}".to_owned(),
    ] {
        request.extend(format!("{:x}\r\n{piece}\r\n", piece.len()).into_bytes());
    }
    request.extend(b"0\r\n\r\n");

    let answer = raw(&server, &request).await;

    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("request entity too large"), "{answer}");
    assert_serving(&admin).await;
}

#[tokio::test]
async fn a_body_just_within_the_limit_is_read() {
    let server = Setup::new().set("server.max_body", "64KiB").start().await;
    let admin = server.admin().await;
    let text = |length: usize| format!(r#"{{"description":"{}"}}"#, "x".repeat(length - 18));

    let fits = admin
        .raw(Method::POST, "/users?fields=id", text(64 << 10))
        .await;
    let is_over = admin
        .raw(Method::POST, "/users?fields=id", text((64 << 10) + 1))
        .await;

    assert_eq!(fits.outcome(), "200");
    assert_eq!(is_over.outcome(), "400 INVALID_PAYLOAD");
}

#[tokio::test]
async fn json_ten_thousand_levels_deep_is_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let nested =
        |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000));

    let lists = admin.raw(Method::POST, "/users", nested("[", "]")).await;
    let objects = admin
        .raw(Method::POST, "/users", nested(r#"{"tags":"#, "}"))
        .await;
    let within = format!(r#"{{"tags":{}}}"#, nested("[", "]"));

    assert_snapshot!(lists, @r#"
    400
    {"errors":[{"message":"Invalid payload. recursion limit exceeded at line 1 column 128.","extensions":{"reason":"recursion limit exceeded at line 1 column 128","code":"INVALID_PAYLOAD"}}]}
    "#);
    assert_snapshot!(objects, @r#"
    400
    {"errors":[{"message":"Invalid payload. recursion limit exceeded at line 1 column 1017.","extensions":{"reason":"recursion limit exceeded at line 1 column 1017","code":"INVALID_PAYLOAD"}}]}
    "#);
    assert_eq!(
        admin.raw(Method::POST, "/users", within).await.outcome(),
        "400 INVALID_PAYLOAD"
    );
    assert_serving(&admin).await;
}

#[tokio::test]
async fn filters_that_are_too_deep_or_too_wide_are_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let deep = |levels: usize| {
        let open = r#"{"_and":["#.repeat(levels);
        format!(r#"{open}{{"title":"x"}}{}"#, "]}".repeat(levels))
    };
    let ask = async |filter: &str| admin.query("/users", &[("filter", filter)]).await;

    assert_eq!(ask(&deep(16)).await.outcome(), "200");
    assert_snapshot!(ask(&deep(17)).await, @r#"
    400
    {"errors":[{"message":"Invalid query. filter is nested deeper than 16 levels.","extensions":{"reason":"filter is nested deeper than 16 levels","code":"INVALID_QUERY"}}]}
    "#);
    assert_snapshot!(ask(&deep(1_000)).await, @r#"
    400
    {"errors":[{"message":"Invalid query. Invalid JSON for filter object.","extensions":{"reason":"Invalid JSON for filter object","code":"INVALID_QUERY"}}]}
    "#);
    let wide = json!({ "_or": vec![json!({ "title": "x" }); 201] }).to_string();
    assert_snapshot!(ask(&wide).await, @r#"
    400
    {"errors":[{"message":"Invalid query. filter has more than 200 tests.","extensions":{"reason":"filter has more than 200 tests","code":"INVALID_QUERY"}}]}
    "#);
    let many = json!({ "title": { "_in": vec!["x"; 1_001] } }).to_string();
    assert_snapshot!(ask(&many).await, @r#"
    400
    {"errors":[{"message":"Invalid query. \"_in\" takes at most 1000 values.","extensions":{"reason":"\"_in\" takes at most 1000 values","code":"INVALID_QUERY"}}]}
    "#);
    let brackets = format!("/users?filter{}=x", "[_and][0]".repeat(5_000));
    assert_snapshot!(admin.get(&brackets).await, @r#"
    400
    {"errors":[{"message":"Invalid query. parameter `filter` is deeper than 10 levels.","extensions":{"reason":"parameter `filter` is deeper than 10 levels","code":"INVALID_QUERY"}}]}
    "#);
    assert_serving(&admin).await;
}

#[tokio::test]
async fn a_filter_ten_thousand_levels_deep_is_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let open = r#"{"_and":["#.repeat(10_000);
    let filter = format!("{open}{{}}{}", "]}".repeat(10_000));
    let search = Method::from_bytes(b"SEARCH").expect("a method");

    let in_body = admin
        .raw(
            search,
            "/users",
            format!(r#"{{"query":{{"filter":{filter}}}}}"#),
        )
        .await;
    let in_query = ask(&server, &admin, &format!("/users?filter={filter}")).await;

    assert_eq!(in_body.outcome(), "400 INVALID_PAYLOAD");
    assert!(in_query.starts_with("HTTP/1.1 4"), "{in_query}");
    assert_serving(&admin).await;
}

#[tokio::test]
async fn query_strings_have_an_end() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let long = admin.get(&format!("/users?x={}", "x".repeat(65_000))).await;
    let longer = ask(
        &server,
        &admin,
        &format!("/users?x={}", "x".repeat(1_000_000)),
    )
    .await;
    let many = admin.get(&format!("/users?{}", "a=1&".repeat(1_001))).await;

    assert_eq!(long.status, 200);
    assert!(longer.starts_with("HTTP/1.1 4"), "{longer}");
    assert_snapshot!(many, @r#"
    400
    {"errors":[{"message":"Invalid query. parameter `a` has an index over 500.","extensions":{"reason":"parameter `a` has an index over 500","code":"INVALID_QUERY"}}]}
    "#);
    assert_serving(&admin).await;
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let headers = "X-Many: x\r\n".repeat(1_000);
    let request = format!("GET /server/ping HTTP/1.1\r\nHost: x\r\n{headers}\r\n");

    let answer = raw(&server, request.as_bytes()).await;

    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert_serving(&admin).await;
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    for request in [
        "nonsense\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
    ] {
        let answer = raw(&server, request.as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 4") || answer.is_empty(),
            "{request:?}: {answer}"
        );
    }
    assert_serving(&admin).await;
}
