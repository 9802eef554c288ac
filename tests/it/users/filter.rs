use insta::assert_snapshot;
use roster_tests::{Client, TestServer};
use serde_json::{Value as Json, json};

/// An administrator and users whose titles are these, `first_name` counting them.
async fn titled(server: &TestServer, titles: &[Json]) -> Client {
    let admin = server.admin().await;
    for (number, title) in titles.iter().enumerate() {
        let user = json!({ "title": title, "first_name": number.to_string(), "location": "here" });
        admin.post("/users", user).await.data();
    }
    admin
}

/// The numbers of the users who pass a filter on the title.
async fn passing(admin: &Client, test: Json) -> String {
    let filter = json!({ "title": test, "location": "here" }).to_string();
    let parameters = [
        ("filter", filter.as_str()),
        ("fields", "first_name"),
        ("sort", "first_name"),
    ];
    let list = admin.query("/users", &parameters).await.data();
    let items = list.as_array().expect("a list").iter();
    items
        .map(|item| item["first_name"].as_str().expect("a name"))
        .collect()
}

#[tokio::test]
async fn operators_mean_the_same_on_both_databases() {
    let server = TestServer::start().await;
    let titles = [
        json!("apple"),
        json!("Apple"),
        json!("éclair"),
        json!("Éclair"),
        json!(""),
        json!(null),
    ];
    let admin = titled(&server, &titles).await;

    for (test, expected) in [
        (json!("apple"), "0"),
        (json!({"_eq": "apple"}), "0"),
        (json!({"_neq": "apple"}), "1234"),
        (json!({"_in": ["apple", "Apple", "x"]}), "01"),
        (json!({"_in": "apple,Apple"}), "01"),
        (json!({"_nin": ["apple", "Apple"]}), "234"),
        (json!({"_null": true}), "5"),
        (json!({"_nnull": true}), "01234"),
        (json!({"_null": false}), "01234"),
        (json!(null), "5"),
        (json!({"_empty": true}), "45"),
        (json!({"_nempty": true}), "0123"),
        (json!({"_contains": "pp"}), "01"),
        (json!({"_contains": "A"}), "1"),
        (json!({"_icontains": "A"}), "0123"),
        (json!({"_icontains": "é"}), "23"),
        (json!({"_ncontains": "A"}), "0234"),
        (json!({"_starts_with": "É"}), "3"),
        (json!({"_istarts_with": "É"}), "23"),
        (json!({"_nstarts_with": "A"}), "0234"),
        (json!({"_nistarts_with": "a"}), "234"),
        (json!({"_ends_with": "LE"}), ""),
        (json!({"_iends_with": "LE"}), "01"),
        (json!({"_nends_with": "le"}), "234"),
        (json!({"_niends_with": "LE"}), "234"),
        (json!({"_starts_with": "a", "_ends_with": "e"}), "0"),
    ] {
        assert_eq!(passing(&admin, test.clone()).await, expected, "{test}");
    }
}

#[tokio::test]
async fn wildcards_are_ordinary_characters() {
    let server = TestServer::start().await;
    let titles = [
        json!("50%"),
        json!("50x"),
        json!("a_b"),
        json!("axb"),
        json!("a\\b"),
        json!("[a]"),
        json!(".*"),
    ];
    let admin = titled(&server, &titles).await;

    for (test, expected) in [
        (json!({"_contains": "%"}), "0"),
        (json!({"_icontains": "%"}), "0"),
        (json!({"_starts_with": "50%"}), "0"),
        (json!({"_istarts_with": "50%"}), "0"),
        (json!({"_contains": "a_b"}), "2"),
        (json!({"_icontains": "A_B"}), "2"),
        (json!({"_icontains": "\\"}), "4"),
        (json!({"_iends_with": "\\b"}), "4"),
        (json!({"_icontains": "[A]"}), "5"),
        (json!({"_icontains": ".*"}), "6"),
        (json!({"_iends_with": ".*"}), "6"),
        (json!({"_nicontains": "%"}), "refused"),
    ] {
        if expected == "refused" {
            let answer = admin.filter(json!({ "title": test })).await;
            assert_eq!(answer.outcome(), "400 INVALID_QUERY", "{test}");
        } else {
            assert_eq!(passing(&admin, test.clone()).await, expected, "{test}");
        }
    }
}

#[tokio::test]
async fn conditions_are_combined() {
    let server = TestServer::start().await;
    let admin = titled(&server, &[json!("a"), json!("b"), json!("c")]).await;
    let count = async |filter: Json| admin.filter(filter).await.data().as_array().map(Vec::len);

    assert_eq!(
        count(json!({"_or": [{"title": "a"}, {"title": "b"}]})).await,
        Some(2)
    );
    assert_eq!(
        count(json!({"_and": [{"title": "a"}, {"title": "b"}]})).await,
        Some(0)
    );
    assert_eq!(
        count(json!({"_and": [{"title": "a"}, {"first_name": "0"}]})).await,
        Some(1)
    );
    assert_eq!(
        count(json!({"title": "a", "first_name": "1"})).await,
        Some(0)
    );
    assert_eq!(count(json!({"_or": []})).await, Some(4));
    assert_eq!(count(json!({"_and": [{}]})).await, Some(4));
    assert_eq!(count(json!({"_or": [{"title": "a"}, {}]})).await, Some(4));
    assert_eq!(count(json!({})).await, Some(4));
}

#[tokio::test]
async fn brackets_say_the_same_as_json() {
    let server = TestServer::start().await;
    let admin = titled(&server, &[json!("a"), json!("b")]).await;
    let names = async |query: &str| {
        let list = admin
            .get(&format!("/users?fields=first_name&{query}"))
            .await
            .data();
        list.as_array()
            .expect("a list")
            .iter()
            .map(|item| item["first_name"].to_string())
            .collect::<String>()
    };

    assert_eq!(names("filter[title][_eq]=a").await, r#""0""#);
    assert_eq!(
        names("filter%5Btitle%5D%5B_in%5D=a,b&sort=title").await,
        r#""0""1""#
    );
    assert_eq!(
        names("filter[_or][0][title]=a&filter[_or][1][title]=b&sort=-title").await,
        r#""1""0""#
    );
}

#[tokio::test]
async fn times_ids_and_booleans_are_compared_as_what_they_are() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (name, time, wants) in [
        ("old", "2020-01-01T00:00:00Z", true),
        ("new", "2030-01-01T00:00:00Z", false),
    ] {
        let user = json!({ "first_name": name, "last_access": time, "email_notifications": wants });
        admin.post("/users", user).await.data();
    }
    let names = async |filter: Json| {
        let filter = json!({ "_and": [{ "email": { "_null": true } }, filter] }).to_string();
        let parameters = [
            ("filter", filter.as_str()),
            ("fields", "first_name"),
            ("sort", "first_name"),
        ];
        let list = admin.query("/users", &parameters).await.data();
        list.as_array()
            .expect("a list")
            .iter()
            .map(|item| item["first_name"].to_string())
            .collect::<String>()
    };

    assert_eq!(
        names(json!({"last_access": {"_lt": "2025-01-01T01:00:00+01:00"}})).await,
        r#""old""#
    );
    assert_eq!(
        names(json!({"last_access": {"_gte": "2030-01-01T00:00:00.000Z"}})).await,
        r#""new""#
    );
    let years = json!(["2019-01-01T00:00:00Z", "2021-01-01T00:00:00Z"]);
    assert_eq!(
        names(json!({"last_access": {"_between": years}})).await,
        r#""old""#
    );
    assert_eq!(
        names(json!({"last_access": {"_nbetween": years}})).await,
        r#""new""#
    );
    assert_eq!(
        names(json!({"email_notifications": true})).await,
        r#""old""#
    );
    assert_eq!(
        names(json!({"email_notifications": {"_eq": "false"}})).await,
        r#""new""#
    );
    let by_id = admin
        .filter(json!({"id": {"_in": [admin.id.to_uppercase()]}}))
        .await;
    assert_eq!(by_id.data().as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn malformed_filters_are_refused_with_a_reason() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    for (filter, code) in [
        (json!({"title": {"_foo": 1}}), "400 INVALID_QUERY"),
        (json!({"title": {"_regex": "x"}}), "400 INVALID_QUERY"),
        (json!({"title": {"_eq": ""}}), "400 INVALID_QUERY"),
        (json!({"title": {"_eq": {}}}), "400 INVALID_QUERY"),
        (json!({"title": {"_in": []}}), "400 INVALID_QUERY"),
        (json!({"title": {"_contains": null}}), "400 INVALID_QUERY"),
        (json!({"role": {"_eq": "7"}}), "400 INVALID_QUERY"),
        (json!({"id": "7"}), "400 INVALID_QUERY"),
        (
            json!({"last_access": {"_gt": "yesterday"}}),
            "400 INVALID_QUERY",
        ),
        (
            json!({"last_access": {"_between": ["2020-01-01T00:00:00Z"]}}),
            "400 INVALID_QUERY",
        ),
        (
            json!({"email_notifications": {"_eq": "perhaps"}}),
            "400 INVALID_QUERY",
        ),
        (json!({"tags": {"_contains": "x"}}), "400 INVALID_QUERY"),
        (json!({"_eq": 1}), "400 INVALID_QUERY"),
        (json!({"_or": {}}), "400 INVALID_QUERY"),
        (json!([1]), "400 INVALID_QUERY"),
        (json!("x"), "400 INVALID_QUERY"),
        (json!({"nope": 1}), "403 FORBIDDEN"),
        (json!({"email_key": "x"}), "403 FORBIDDEN"),
        (json!({"role.name": "x"}), "403 FORBIDDEN"),
        (json!({"policies": {"_null": true}}), "400 INVALID_QUERY"),
    ] {
        assert_eq!(
            admin.filter(filter.clone()).await.outcome(),
            code,
            "{filter}"
        );
    }
    assert_snapshot!(admin.get("/users?filter={").await, @r#"
    400
    {"errors":[{"message":"Invalid query. Invalid JSON for filter object.","extensions":{"reason":"Invalid JSON for filter object","code":"INVALID_QUERY"}}]}
    "#);
    assert_snapshot!(admin.filter(json!({"tags": {"_eq": 1}})).await, @r#"
    400
    {"errors":[{"message":"Invalid query. \"json\" field type does not contain the \"_eq\" filter operator.","extensions":{"reason":"\"json\" field type does not contain the \"_eq\" filter operator","code":"INVALID_QUERY"}}]}
    "#);
    assert_snapshot!(admin.filter(json!({"_or": {}})).await, @r#"
    400
    {"errors":[{"message":"Invalid query. Invalid filter object.","extensions":{"reason":"Invalid filter object","code":"INVALID_QUERY"}}]}
    "#);
}
