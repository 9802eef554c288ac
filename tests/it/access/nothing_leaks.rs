//! What is forbidden and what is not there look the same.

use insta::assert_snapshot;
use reqwest::Method;
use roster_tests::{Answer, Client, TestServer};
use serde_json::json;

const MISSING: &str = "01890000-0000-7000-8000-000000000000";

/// Everything of an answer that a client sees, but for the id of the request.
fn seen(answer: &Answer) -> (u16, String, String) {
    let mut headers = answer.headers.clone();
    headers.remove("x-request-id");
    headers.remove("date");
    (answer.status, answer.text.clone(), format!("{headers:?}"))
}

async fn ask_for(client: &Client, id: &str) -> [Answer; 3] {
    let path = format!("/users/{id}");
    [
        client.get(&path).await,
        client.patch(&path, json!({ "title": "x" })).await,
        client.delete(&path).await,
    ]
}

#[tokio::test]
async fn a_user_who_is_there_and_one_who_is_not_are_refused_alike() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let member = server.member("ada").await;

    for client in [server.stranger(), member] {
        let there = ask_for(&client, &admin.id).await;
        for id in [MISSING, "7", "theme", &client.id] {
            if id.is_empty() {
                continue;
            }
            let other = ask_for(&client, id).await;
            for (one, other) in there.iter().zip(&other) {
                assert_eq!(seen(one), seen(other), "{id}");
            }
        }
    }
    let [read, ..] = ask_for(&server.stranger(), MISSING).await;
    assert_snapshot!(read, @r#"
    403
    {"errors":[{"message":"You don't have permission to access collection \"directus_users\" or it does not exist. Queried in root.","extensions":{"code":"FORBIDDEN"}}]}
    "#);
}

#[tokio::test]
async fn who_may_not_create_does_not_learn_which_addresses_exist() {
    let server = TestServer::start().await;
    let member = server.member("ada").await;

    for client in [server.stranger(), member] {
        let make = async |body| seen(&client.post("/users", body).await);
        let taken = make(json!({ "email": "admin@example.com" })).await;
        assert_eq!(taken.0, 403);
        assert_eq!(make(json!({ "email": "free@example.com" })).await, taken);
        assert_eq!(make(json!({ "email": "nonsense" })).await, taken);
        assert_eq!(make(json!({ "nope": 1 })).await, taken);
        assert_eq!(make(json!([1])).await, taken);
        assert_eq!(make(json!({ "role": MISSING })).await, taken);
    }
}

#[tokio::test]
async fn who_may_not_read_learns_nothing_by_asking_differently() {
    let server = TestServer::start().await;
    let member = server.member("ada").await;

    for client in [server.stranger(), member] {
        let list = seen(&client.get("/users").await);
        assert_eq!(list.0, 403);
        for query in [
            "fields=nope",
            "sort=nope",
            "filter={",
            "filter[nope]=1",
            "limit=x",
            "meta=*",
        ] {
            assert_eq!(
                seen(&client.get(&format!("/users?{query}")).await),
                list,
                "{query}"
            );
        }
        let by_id = seen(&client.get(&format!("/users/{MISSING}?fields=nope")).await);
        assert_eq!(by_id, seen(&client.get(&format!("/users/{MISSING}")).await));
    }
}

#[tokio::test]
async fn the_method_of_a_missing_route_makes_no_difference() {
    let server = TestServer::start().await;
    let stranger = server.stranger();

    let missing = stranger.get("/flows").await;
    assert_eq!(missing.outcome(), "404 ROUTE_NOT_FOUND");
    for method in [Method::POST, Method::PATCH, Method::DELETE, Method::PUT] {
        assert_eq!(
            stranger.json(method, "/flows", &json!({})).await.text,
            missing.text
        );
    }
}
