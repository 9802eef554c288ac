use serde_json::json;

use super::*;

fn parsed(query: &str) -> Json {
    Json::Object(parse(query).unwrap_or_else(|error| panic!("{query}: {error}")))
}

fn refused(query: &str) -> String {
    parse(query).expect_err(query).to_string()
}

#[test]
fn plain_pairs_stay_text() {
    assert_eq!(parsed(""), json!({}));
    assert_eq!(
        parsed("limit=5&&sort=-email&fields"),
        json!({"limit": "5", "sort": "-email", "fields": ""})
    );
    assert_eq!(parsed("a=b=c&=x"), json!({"a": "b=c"}));
    assert_eq!(
        parsed("filter={%22email%22:{%22_eq%22:%22a@b.co%22}}"),
        json!({"filter": r#"{"email":{"_eq":"a@b.co"}}"#})
    );
}

#[test]
fn blanks_and_percent_signs_are_decoded() {
    assert_eq!(
        parsed("a=x+y%20z%2B%C3%BC&b%5D=1"),
        json!({"a": "x y z+ü", "b]": "1"})
    );
    assert_eq!(
        parsed("a=100%&b=%zz&c=%4"),
        json!({"a": "100%", "b": "%zz", "c": "%4"})
    );
}

#[test]
fn repeated_names_and_empty_brackets_make_lists() {
    assert_eq!(
        parsed("fields[]=id&fields[]=email"),
        json!({"fields": ["id", "email"]})
    );
    assert_eq!(
        parsed("fields=id&fields=email"),
        json!({"fields": ["id", "email"]})
    );
    assert_eq!(
        parsed("fields=id&fields[]=email"),
        json!({"fields": ["id", "email"]})
    );
    assert_eq!(parsed("fields[]=id"), json!({"fields": ["id"]}));
    assert_eq!(parsed("a[b]=1&a[b]=2"), json!({"a": {"b": ["1", "2"]}}));
}

#[test]
fn numbers_in_brackets_are_places_in_a_list() {
    assert_eq!(
        parsed("a[10]=x&a[2]=y&a[]=z"),
        json!({"a": ["y", "x", "z"]})
    );
    assert_eq!(
        parsed("a%5B0%5D[b]=x&a[0][c]=y"),
        json!({"a": [{"b": "x", "c": "y"}]})
    );
    assert_eq!(parsed("a[01]=x"), json!({"a": {"01": "x"}}));
    assert_eq!(parsed("a[-1]=x"), json!({"a": {"-1": "x"}}));
}

#[test]
fn names_in_brackets_make_objects() {
    assert_eq!(
        parsed(
            "filter[email][_eq]=a@b.co&filter[status][_in][]=active&filter[status][_in][]=draft"
        ),
        json!({"filter": {"email": {"_eq": "a@b.co"}, "status": {"_in": ["active", "draft"]}}})
    );
    assert_eq!(
        parsed("filter[_or][0][title][_null]=true&filter[_or][1][title][_eq]=x&limit=1"),
        json!({"filter": {"_or": [{"title": {"_null": "true"}}, {"title": {"_eq": "x"}}]}, "limit": "1"})
    );
}

#[test]
fn brackets_that_are_not_in_order_are_part_of_the_name() {
    for name in ["a[b", "a]b", "a[b]c", "a[b]c[d]", "[a]", "a[[b]]", "a[b]]"] {
        let json = parsed(&format!("{name}=1"));
        assert_eq!(json[name], "1", "{name}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    for query in [
        "a[b]=1&a=2",
        "a=1&a[b]=2",
        "a[b]=1&a[]=2",
        "a[0]=1&a[b]=2",
        "a[b][c]=1&a[b]=2",
    ] {
        assert!(refused(query).contains("parameter `a` mixes"), "{query}");
    }
}

#[test]
fn depth_indexes_pairs_and_length_are_bounded() {
    assert!(parsed(&format!("a{}=1", "[b]".repeat(10)))["a"]["b"]["b"]["b"].is_object());
    assert!(refused(&format!("a{}=1", "[b]".repeat(11))).contains("deeper than 10"));
    assert!(refused(&format!("a{}=1", "[]".repeat(20_000))).contains("deeper than 10"));

    assert_eq!(parsed("a[500]=1"), json!({"a": ["1"]}));
    assert!(refused("a[501]=1").contains("index over 500"));
    assert!(refused("a[99999999999999999999]=1").contains("index over 500"));
    assert!(refused("a[500]=1&a[]=1").contains("index over 500"));

    assert!(parse(&"a&".repeat(501)).is_ok());
    assert!(refused(&"a[]&".repeat(502)).contains("index over 500"));
    let many = |count| {
        (0..count)
            .map(|n| format!("p{n}=1"))
            .collect::<Vec<_>>()
            .join("&")
    };
    assert_eq!(parse(&many(1_000)).unwrap().len(), 1_000);
    assert!(refused(&many(1_001)).contains("more than 1000 parameters"));
    assert!(refused(&"a".repeat(65_537)).contains("longer than 65536"));
}

#[test]
fn bytes_that_are_no_utf_8_are_refused() {
    assert!(refused("a=%FF").contains("not UTF-8"));
    assert!(refused("%C3=1").contains("not UTF-8"));
}

#[test]
fn no_short_query_makes_it_panic() {
    let alphabet = ["a", "[", "]", "=", "&", "%", "+", "0", "5", "ü"];
    for first in alphabet {
        for second in alphabet {
            for third in alphabet {
                for fourth in alphabet {
                    let _ = parse(&format!("a{first}{second}{third}{fourth}"));
                    let _ = parse(&format!("{first}{second}{third}{fourth}"));
                }
            }
        }
    }
}

#[test]
fn one_name_is_found_without_reading_the_rest() {
    assert_eq!(
        first("a=1&access%5Ftoken=x%20y&access_token=z", "access_token")
            .unwrap()
            .unwrap(),
        "x y"
    );
    assert_eq!(first("access_token[]=x", "access_token").unwrap(), None);
    assert_eq!(first("", "access_token").unwrap(), None);
}
