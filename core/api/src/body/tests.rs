use serde_json::json;

use super::*;

async fn sent(content_type: Option<&str>, chunks: &[&str], limit: usize) -> Result<Json, Error> {
    let mut headers = HeaderMap::new();
    if let Some(content_type) = content_type {
        headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
    }
    let chunks: Vec<_> = chunks
        .iter()
        .map(|chunk| Ok::<_, std::io::Error>(chunk.as_bytes().to_vec()))
        .collect();
    let body = poem::Body::from_bytes_stream(futures_util::stream::iter(chunks));
    read(&headers, body, limit).await
}

#[tokio::test]
async fn json_in_any_number_of_chunks_is_read() {
    let expected = json!({"title": "CTO"});

    for chunks in [
        &[r#"{"title":"CTO"}"#][..],
        &[r#"{"tit"#, r#"le":"#, r#""CTO"}"#],
    ] {
        for kind in [
            None,
            Some("application/json"),
            Some("Application/JSON; charset=utf-8"),
        ] {
            assert_eq!(sent(kind, chunks, 100).await.unwrap(), expected);
        }
    }
}

#[tokio::test]
async fn nothing_and_other_types_are_an_empty_object() {
    for kind in [None, Some("application/json")] {
        assert_eq!(sent(kind, &[], 100).await.unwrap(), json!({}));
        assert_eq!(sent(kind, &[""], 100).await.unwrap(), json!({}));
    }
    for kind in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json5",
    ] {
        assert_eq!(
            sent(Some(kind), &["email=a@b.co"], 100).await.unwrap(),
            json!({})
        );
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_however_it_comes() {
    assert_eq!(sent(None, &["[1,2,3]"], 7).await.unwrap(), json!([1, 2, 3]));
    for chunks in [
        &["[1,2,3,4]"][..],
        &["[1,2", ",3,4]"],
        &["[1,2,3", "", ",", "4]"],
    ] {
        let error = sent(None, chunks, 7).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "INVALID_PAYLOAD: Invalid payload. request entity too large."
        );
    }
}

#[tokio::test]
async fn what_is_no_json_is_refused_without_being_repeated() {
    let reason = |error: Error| error.to_string();
    assert_eq!(
        reason(
            sent(None, &[r#"{"password": "hunter2"#], 100)
                .await
                .unwrap_err()
        ),
        "INVALID_PAYLOAD: Invalid payload. EOF while parsing a string at line 1 column 21."
    );
    assert_eq!(
        reason(sent(None, &["nonsense"], 100).await.unwrap_err()),
        "INVALID_PAYLOAD: Invalid payload. expected ident at line 1 column 2."
    );
    let deep = "[".repeat(10_000);
    assert_eq!(
        reason(sent(None, &[&deep], 100_000).await.unwrap_err()),
        "INVALID_PAYLOAD: Invalid payload. recursion limit exceeded at line 1 column 128."
    );
}

#[test]
fn bytes_that_are_no_utf_8_are_refused() {
    assert!(parse(b"{\"title\":\"\xff\"}").is_err());
}
