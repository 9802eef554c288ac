//! Every route of the OpenAPI document refuses those who have no rights.

use std::collections::BTreeSet;

use reqwest::Method;
use roster_tests::{Answer, Client, TestServer};
use serde_json::{Value as Json, json};

/// What is there for everybody. This list may only get shorter.
const OPEN: [&str; 9] = [
    "GET /auth",
    "GET /metrics",
    "GET /server/health",
    "GET /server/info",
    "GET /server/ping",
    "GET /server/specs/oas",
    "POST /auth/login",
    "POST /auth/logout",
    "POST /auth/refresh",
];

/// What is there for everybody who is signed in. This list may only get shorter.
const SIGNED_IN: [&str; 2] = ["GET /users/me", "PATCH /users/me/track/page"];

/// Every operation of the document, as in `PATCH /users/{id}`.
async fn operations(server: &TestServer) -> Vec<String> {
    let document = server.stranger().get("/server/specs/oas").await.json();
    let paths = document["paths"].as_object().expect("paths");
    let mut operations = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            match method.strip_prefix("x-") {
                None => operations.push(format!("{} {path}", method.to_uppercase())),
                Some(_) if operation["operationId"].is_string() => {
                    operations.push(format!("{} {path}", method[2..].to_uppercase()));
                }
                Some(_) => {}
            }
        }
    }
    assert!(operations.len() > 15, "{operations:?}");
    operations
}

/// Asks for an operation on somebody who is there, with a body that would do.
async fn ask(client: &Client, operation: &str, id: &str) -> Answer {
    let (method, path) = operation.split_once(' ').expect("a method and a path");
    let path = path.replace("{id}", id);
    assert!(
        !path.contains('{'),
        "say what stands for the parameters of {operation}"
    );
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    match method {
        Method::GET => client.get(&path).await,
        method => client.json(method, &path, &body(operation, id)).await,
    }
}

fn body(operation: &str, id: &str) -> Json {
    match operation {
        "PATCH /users" => json!({ "keys": [id], "data": { "title": "changed" } }),
        "DELETE /users" => json!([id]),
        "SEARCH /users" => json!({}),
        "PATCH /users/me/track/page" => json!({ "last_page": "/changed" }),
        _ => json!({ "title": "changed" }),
    }
}

async fn not_refused(client: &Client, operations: &[String], id: &str) -> BTreeSet<String> {
    let mut open = BTreeSet::new();
    for operation in operations {
        let answer = ask(client, operation, id).await;
        if !matches!(answer.status, 401 | 403) {
            open.insert(operation.clone());
        }
    }
    open
}

#[tokio::test]
async fn every_route_refuses_strangers() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let operations = operations(&server).await;
    let before = server.database().everything().await;

    let open = not_refused(&server.stranger(), &operations, &admin.id).await;

    let allowed = OPEN.map(str::to_owned).into_iter().collect();
    assert_eq!(open, allowed);
    assert_eq!(server.database().everything().await, before);
}

#[tokio::test]
async fn every_route_refuses_users_without_rights() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;
    let operations = operations(&server).await;

    let open = not_refused(&ada, &operations, &admin.id).await;

    let allowed = OPEN
        .iter()
        .chain(&SIGNED_IN)
        .map(ToString::to_string)
        .collect();
    assert_eq!(open, allowed);
    assert_eq!(
        server.database().count("users", "title = 'changed'").await,
        0
    );
    assert_eq!(ada.get("/users/me").await.data(), json!({ "id": ada.id }));
}

#[tokio::test]
async fn an_administrator_is_refused_nothing() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let operations = operations(&server).await;

    for operation in operations {
        let victim = admin.post("/users", json!({})).await.data();
        let id = victim["id"].as_str().expect("an id");
        let answer = ask(&admin, &operation, id).await;
        assert!(
            !matches!(answer.status, 401 | 403 | 404 | 500),
            "{operation}: {answer}"
        );
    }
}
