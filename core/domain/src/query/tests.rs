use serde_json::json;

use super::*;
use crate::{Action, Collection, Reason};

const PAGES: PageLimits = PageLimits {
    default: Some(100),
    max: None,
};

fn read(parameters: &Json) -> Result<Query> {
    read_with(parameters, PAGES)
}

fn read_with(parameters: &Json, pages: PageLimits) -> Result<Query> {
    let grant = Grant::system(Reason::CommandLine, Action::Read, Collection::Users);
    let parameters = parameters.as_object().expect("an object");
    let (model, variables) = (Model::built_in(), Variables::default());
    let ask = Ask {
        model: &model,
        grant: &grant,
        variables: &variables,
        pages,
    };
    Query::parse(&ask, parameters)
}

fn names(query: &Query) -> Vec<String> {
    query
        .selection
        .projection
        .fields()
        .map(|field| field.name.clone())
        .collect()
}

#[test]
fn fields_are_a_list_in_either_spelling() {
    for fields in [
        json!("email,id"),
        json!(["id", "email"]),
        json!(["id,email", "id"]),
    ] {
        assert_eq!(
            names(&read(&json!({ "fields": fields })).expect("read")),
            ["id", "email"]
        );
    }
    let all = names(&read(&json!({})).expect("read"));
    assert_eq!(names(&read(&json!({"fields": "*"})).expect("read")), all);
    assert_eq!(names(&read(&json!({"fields": ""})).expect("read")), all);
}

#[test]
fn unknown_fields_are_forbidden_wherever_they_are_named() {
    for parameters in [
        json!({"fields": "id,nope"}),
        json!({"sort": "-nope"}),
        json!({"filter": {"nope": {"_eq": 1}}}),
        json!({"fields": "role.nope"}),
        json!({"fields": "title.name"}),
        json!({"sort": "role.nope"}),
        json!({"groupBy": "nope"}),
        json!({"aggregate": {"count": "nope"}}),
    ] {
        let error = read(&parameters).expect_err("refused");
        assert_eq!(error.code(), &crate::Code::Forbidden, "{parameters}");
    }
}

#[test]
fn numbers_are_read_as_the_contract_words_them() {
    let cases = [
        (json!({"limit": "x"}), "\"limit\" must be a number"),
        (json!({"limit": "1.5"}), "\"limit\" must be an integer"),
        (
            json!({"limit": -2}),
            "\"limit\" must be greater than or equal to -1",
        ),
        (
            json!({"offset": -1}),
            "\"offset\" must be greater than or equal to 0",
        ),
        (
            json!({"page": "-1"}),
            "\"page\" must be greater than or equal to 0",
        ),
        (json!({"limit": [1]}), "\"limit\" must be a number"),
        (json!({"limit": 1e300}), "\"limit\" must be an integer"),
    ];
    for (parameters, reason) in cases {
        let error = read(&parameters).expect_err("refused");
        assert!(error.to_string().contains(reason), "{parameters}: {error}");
    }
}

#[test]
fn a_page_counts_from_one_and_wins_over_an_offset() {
    let window = |parameters: Json| {
        let query = read(&parameters).expect("read");
        (query.limit, query.offset)
    };

    assert_eq!(window(json!({})), (Some(100), 0));
    assert_eq!(window(json!({"limit": "10", "page": "3"})), (Some(10), 20));
    assert_eq!(
        window(json!({"limit": 10, "page": 1, "offset": 5})),
        (Some(10), 0)
    );
    assert_eq!(
        window(json!({"limit": 10, "page": 0, "offset": 5})),
        (Some(10), 5)
    );
    assert_eq!(window(json!({"limit": -1, "page": 4})), (None, 0));
    assert_eq!(window(json!({"page": i64::MAX})).1, i64::MAX.unsigned_abs());
}

#[test]
fn the_largest_page_bounds_every_way_to_ask() {
    let pages = PageLimits {
        default: Some(100),
        max: Some(50),
    };

    let limit = |parameters: Json| read_with(&parameters, pages).map(|query| query.limit);
    assert_eq!(limit(json!({})).expect("read"), Some(50));
    assert_eq!(limit(json!({"limit": -1})).expect("read"), Some(50));
    assert!(limit(json!({"limit": 51})).is_err());
}

#[test]
fn concealed_fields_neither_sort_nor_filter() {
    assert!(read(&json!({"sort": "password"})).is_err());
    assert!(read(&json!({"filter": {"token": {"_eq": "x"}}})).is_err());
    assert!(read(&json!({"filter": {"token": {"_nnull": true}}})).is_ok());
}

#[test]
fn secrets_are_neither_searched_grouped_nor_counted() {
    for parameters in [
        json!({"groupBy": "token"}),
        json!({"aggregate": {"max": "password"}}),
        json!({"aggregate": {"count": "tfa_secret"}}),
        json!({"sort": "role.users"}),
    ] {
        assert!(read(&parameters).is_err(), "{parameters}");
    }
    let search = read(&json!({"search": "x"})).expect("read").filter;
    let looked: Vec<&str> = search.fields().into_iter().collect();
    for secret in ["password", "token", "tfa_secret"] {
        assert!(!looked.contains(&secret), "{looked:?}");
    }
}

#[test]
fn relations_are_selected_as_a_tree() {
    let query = read(&json!({"fields": "email,role.name,role.parent.name,count(policies)"}));
    let selection = query.expect("read").selection;

    assert_eq!(
        selection.columns(),
        ["email", "policies_count", "role.name", "role.parent.name"]
    );
    let star = read(&json!({"fields": "*.*"})).expect("read").selection;
    assert!(star.columns().contains(&"role.name".to_owned()));
}

#[test]
fn what_is_too_deep_or_too_wide_is_refused() {
    let deep = ["parent"; 12].join(".");
    let wide = format!("role.{}", ["*"; 11].join("."));
    for parameters in [
        json!({"fields": format!("role.{deep}.name")}),
        json!({"fields": wide}),
        json!({"fields": "*.*.*.*.*.*"}),
        json!({"sort": format!("role.{deep}.name")}),
        json!({"alias": {"a.b": "role"}}),
        json!({"alias": "x"}),
        json!({"aggregate": {"nonsense": "id"}}),
        json!({"aggregate": {"sum": "email"}}),
        json!({"fields": "nonsense(email)"}),
        json!({"fields": "year(email)"}),
        json!({"deep": {"role": 1}, "fields": "role.name"}),
    ] {
        let error = read(&parameters).expect_err("refused");
        assert_eq!(
            error.code(),
            &crate::Code::InvalidQuery,
            "{parameters}: {error}"
        );
    }
}

#[test]
fn a_filter_may_be_json_text() {
    let text = read(&json!({"filter": "{\"title\":{\"_eq\":\"x\"}}"})).expect("read");
    let object = read(&json!({"filter": {"title": {"_eq": "x"}}})).expect("read");

    assert_eq!(text.filter, object.filter);
    assert!(read(&json!({"filter": "{\"title\":"})).is_err());
}
