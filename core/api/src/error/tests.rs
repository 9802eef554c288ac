use poem::error::{MethodNotAllowedError, NotFoundError};
use poem::http::HeaderMap;

use super::*;

async fn shown(error: impl Into<poem::Error>) -> (u16, String) {
    let id = RequestId::of(&HeaderMap::new());
    let mut response = respond(error.into(), "/users/theme", &id);
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/json; charset=utf-8"
    );
    let body = response.take_body().into_string().await.unwrap();
    (response.status().as_u16(), body)
}

#[tokio::test]
async fn the_code_comes_after_the_other_facts() {
    let problem = Problem::new(Code::ValueTooLong)
        .with("max_length", 50)
        .with("field", "title");
    let problem = problem.with("code", "FORGED").saying("too long");

    let (status, body) = shown(Failure(problem.into())).await;

    assert_eq!(status, 400);
    assert!(
        body.starts_with(r#"{"errors":[{"message":"too long","extensions":{"#),
        "{body}"
    );
    assert!(body.ends_with(r#","code":"VALUE_TOO_LONG"}}]}"#), "{body}");
    assert!(!body.contains("FORGED"), "{body}");
}

#[tokio::test]
async fn problems_of_different_statuses_are_a_500_that_names_them_all() {
    let problems = vec![
        Problem::new(Code::Forbidden),
        Problem::new(Code::InvalidPayload),
    ];

    let (status, body) = shown(Failure(Error::of(problems).unwrap())).await;

    assert_eq!(status, 500);
    assert_eq!(
        body,
        r#"{"errors":[{"message":"You don't have permission to access this.","extensions":{"code":"FORBIDDEN"}},{"message":"Invalid payload.","extensions":{"code":"INVALID_PAYLOAD"}}]}"#
    );
}

#[tokio::test]
async fn causes_never_leave() {
    let (status, body) = shown(Failure(Error::internal("table users is gone"))).await;

    assert_eq!(status, 500);
    assert_eq!(
        body,
        r#"{"errors":[{"message":"An unexpected error occurred.","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#
    );
    let framework = poem::Error::from_string("secret detail", StatusCode::BAD_GATEWAY);
    assert_eq!(shown(framework).await, (500, body));
}

#[tokio::test]
async fn unknown_routes_and_methods_are_the_same_404() {
    let expected = r#"{"errors":[{"message":"Route /users/theme doesn't exist.","extensions":{"path":"/users/theme","code":"ROUTE_NOT_FOUND"}}]}"#;

    assert_eq!(shown(NotFoundError).await, (404, expected.to_owned()));
    assert_eq!(
        shown(MethodNotAllowedError).await,
        (404, expected.to_owned())
    );
}

#[test]
fn a_refusal_for_want_of_credentials_says_which_are_taken() {
    let response = answer(&Code::InvalidCredentials.into());

    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
}

#[test]
fn a_cause_is_told_with_its_own_causes() {
    let inner = Failure(Error::internal("disk full"));
    let error = Error::internal(inner);

    let told = Chain(error.cause().unwrap()).to_string();

    assert_eq!(
        told,
        "INTERNAL_SERVER_ERROR: An unexpected error occurred.: disk full"
    );
}
