use std::collections::BTreeSet;

use roster_tests::{Process, TestServer, root};
use serde_json::Value as Json;

fn checked_in() -> String {
    std::fs::read_to_string(root().join("openapi/openapi.json")).expect("the document")
}

#[tokio::test]
async fn the_document_in_the_repository_is_what_the_code_says() {
    let folder = tempfile::tempdir().expect("a folder");

    let printed = Process::run(folder.path(), &["openapi"], &[]).await;

    assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""));
    assert!(
        printed.out == checked_in(),
        "openapi/openapi.json is out of date. If the API is meant to change, refresh it with \
         `cargo run -- openapi > openapi/openapi.json` and review the difference"
    );
}

#[tokio::test]
async fn a_server_sends_its_own_document() {
    let server = TestServer::start().await;

    let answer = server.stranger().get("/server/specs/oas").await;

    let mut sent = answer.json();
    let mut expected: Json = serde_json::from_str(&checked_in()).expect("JSON");
    sent["servers"] = Json::Null;
    expected["servers"] = Json::Null;
    assert_eq!(sent, expected);
    assert_eq!(
        answer.header("content-type"),
        "application/json; charset=utf-8"
    );
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_answers() {
    let document: Json = serde_json::from_str(&checked_in()).expect("JSON");
    let mut names = BTreeSet::new();

    let paths = document["paths"].as_object().expect("paths");
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            let name = operation["operationId"].as_str().expect("a name");
            assert!(
                names.insert(name.to_owned()),
                "{method} {path}: {name} is taken"
            );
            assert!(operation["summary"].is_string(), "{method} {path}");
            let responses = operation["responses"].as_object().expect("answers");
            assert!(
                responses
                    .keys()
                    .any(|status| status.starts_with(['2', '3'])),
                "{method} {path}"
            );
        }
    }
    assert!(names.len() > 15, "{names:?}");
}

#[tokio::test]
async fn every_field_of_a_user_is_described() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let user = admin.get("/users/me").await.data();
    let document = server.stranger().get("/server/specs/oas").await.json();

    let properties = &document["components"]["schemas"]["Users"]["properties"];
    let described: BTreeSet<_> = properties.as_object().expect("properties").keys().collect();
    let sent: BTreeSet<_> = user.as_object().expect("an object").keys().collect();
    assert_eq!(described, sent);
}

#[tokio::test]
async fn the_page_is_there_with_its_parts() {
    let server = TestServer::start().await;
    let stranger = server.stranger();

    let page = stranger.get("/docs").await;

    assert_eq!(
        (page.status, page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    for part in ["docs/page.js", "docs/start.js", "docs/page.css"] {
        assert!(page.text.contains(part), "{part} is not in {}", page.text);
        let answer = stranger.get(&format!("/{part}")).await;
        assert_eq!(answer.status, 200, "{part}");
        assert!(!answer.text.is_empty(), "{part}");
    }
}
