use insta::assert_snapshot;
use reqwest::Method;
use roster_tests::TestServer;
use uuid::Uuid;

#[tokio::test]
async fn missing_and_malformed_ids_are_forbidden_alike() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let missing = admin.get(&format!("/users/{}", Uuid::new_v4())).await;

    assert_snapshot!(missing, @r#"
    403
    {"errors":[{"message":"You don't have permission to access this.","extensions":{"code":"FORBIDDEN"}}]}
    "#);
    for id in [
        "7",
        "theme",
        "%00",
        "%ff",
        "..%2f",
        &Uuid::new_v4().simple().to_string(),
    ] {
        assert_eq!(
            admin.get(&format!("/users/{id}")).await.to_string(),
            missing.to_string(),
            "{id}"
        );
    }
}

#[tokio::test]
async fn an_id_is_found_in_either_case() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let answer = admin
        .get(&format!("/users/{}?fields=email", admin.id.to_uppercase()))
        .await;

    assert_snapshot!(answer, @r#"
    200
    {"data":{"email":"admin@example.com"}}
    "#);
}

#[tokio::test]
async fn a_filter_applies_to_a_single_user_too() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let passes = admin
        .query(&admin.path(), &[("filter", r#"{"status":"active"}"#)])
        .await;
    let fails = admin
        .query(&admin.path(), &[("filter", r#"{"status":"draft"}"#)])
        .await;

    assert_eq!(passes.outcome(), "200");
    assert_eq!(fails.outcome(), "403 FORBIDDEN");
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let answer = admin
        .send(Method::HEAD, &admin.path(), &[], Vec::new())
        .await;

    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(
        answer.header("content-type"),
        "application/json; charset=utf-8"
    );
}
