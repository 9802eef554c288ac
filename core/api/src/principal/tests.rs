use super::*;

fn request(uri: &str, authorization: Option<&[u8]>) -> Request {
    let mut request = Request::builder().uri(uri.parse().unwrap()).finish();
    if let Some(value) = authorization {
        let value = poem::http::HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    request
}

fn found(uri: &str, authorization: Option<&str>, query_tokens: bool) -> Option<String> {
    let request = request(uri, authorization.map(str::as_bytes));
    token(&request, query_tokens).unwrap().map(Cow::into_owned)
}

#[test]
fn a_bearer_token_is_two_words_in_any_case() {
    for header in ["Bearer abc", "bearer abc", "BEARER abc"] {
        assert_eq!(
            found("/", Some(header), false).as_deref(),
            Some("abc"),
            "{header}"
        );
    }
    for header in [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer  a",
        "Bearerabc",
        "Basic YTpi",
        "abc",
        "",
    ] {
        assert_eq!(found("/", Some(header), false), None, "{header}");
    }
}

#[test]
fn a_token_that_is_no_text_is_a_token_all_the_same() {
    let request = request("/", Some(b"Bearer \xff\xfe"));

    assert!(token(&request, false).unwrap().is_some());
}

#[test]
fn a_token_in_the_query_counts_only_where_the_operator_allows_it() {
    let uri = "/users/me?fields=id&access_token=abc";

    assert_eq!(found(uri, None, true).as_deref(), Some("abc"));
    assert_eq!(found(uri, None, false), None);
    assert_eq!(
        found(uri, Some("Bearer xyz"), false).as_deref(),
        Some("xyz")
    );
    assert_eq!(
        found("/users/me?access_token=", Some("Bearer xyz"), true).unwrap(),
        "xyz"
    );
}

#[test]
fn two_tokens_are_one_too_many() {
    let request = request("/users/me?access_token=abc", Some(b"Bearer abc"));

    let error = token(&request, true).unwrap_err();

    assert_eq!(
        error.to_string(),
        "INVALID_PAYLOAD: Invalid payload. The request uses more than one method for including an access token."
    );
}

#[test]
fn what_a_client_says_of_itself_is_cut() {
    let mut request = request("/", None);
    let long = format!("a{}", "x".repeat(2_000));
    request
        .headers_mut()
        .insert(header::USER_AGENT, long.parse().unwrap());
    request
        .headers_mut()
        .insert(header::ORIGIN, long.parse().unwrap());

    let client = client(&request, &[]);

    assert_eq!(client.user_agent.unwrap().len(), 1_024);
    assert_eq!(client.origin.unwrap().len(), 255);
    assert_eq!(client.ip, None);
}
