use super::*;

fn text<T: Serialize + ?Sized>(data: &T, meta: Option<Counts>) -> String {
    String::from_utf8(bytes(&Data { data, meta }, 0).unwrap()).unwrap()
}

#[test]
fn counts_are_there_only_when_they_were_asked_for() {
    assert_eq!(text("x", None), r#"{"data":"x"}"#);
    let counts = Counts {
        total_count: None,
        filter_count: Some(2),
    };
    assert_eq!(
        text(&[1, 2], Some(counts)),
        r#"{"data":[1,2],"meta":{"filter_count":2}}"#
    );
}

#[test]
fn an_empty_list_is_an_empty_array() {
    let list = List {
        items: roster_engine::Items::Records(Vec::new()),
        total_count: None,
        filter_count: None,
    };

    assert_eq!(Many::<()>::of(&list).ok().unwrap().0, br#"{"data":[]}"#);
}

#[test]
fn what_may_not_be_read_is_a_204_without_body_and_type() {
    let response = Written::<()>::of(None).ok().unwrap().into_response();

    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert!(response.headers().is_empty());
}
