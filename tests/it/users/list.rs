use insta::assert_snapshot;
use roster_tests::{Client, Setup, TestServer};
use serde_json::{Value as Json, json};

/// An administrator and five users: titles `b`, `a`, none, `B`, `ä`.
async fn five(server: &TestServer) -> Client {
    let admin = server.admin().await;
    for (title, name) in [
        (Some("b"), "1"),
        (Some("a"), "2"),
        (None, "3"),
        (Some("B"), "4"),
        (Some("ä"), "5"),
    ] {
        admin
            .post("/users", json!({ "title": title, "first_name": name }))
            .await
            .data();
    }
    admin
}

/// The first names of a list, one after the other.
fn names(list: &Json) -> String {
    let items = list.as_array().expect("a list").iter();
    items
        .map(|item| item["first_name"].as_str().expect("a name"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[tokio::test]
async fn users_come_in_the_order_of_their_ids_when_nothing_is_said() {
    let server = TestServer::start().await;
    let admin = five(&server).await;

    let answer = admin.get("/users?fields=first_name").await;

    assert_snapshot!(answer, @r#"
    200
    {"data":[{"first_name":"Admin"},{"first_name":"1"},{"first_name":"2"},{"first_name":"3"},{"first_name":"4"},{"first_name":"5"}]}
    "#);
}

#[tokio::test]
async fn text_is_sorted_by_code_point_with_nulls_first() {
    let server = TestServer::start().await;
    let admin = five(&server).await;

    let up = admin
        .get("/users?sort=title,first_name&fields=first_name")
        .await;
    let down = admin
        .get("/users?sort=-title,-first_name&fields=first_name")
        .await;

    assert_eq!(names(&up.data()), "3 Admin 4 2 1 5");
    assert_eq!(names(&down.data()), "5 1 2 4 Admin 3");
}

#[tokio::test]
async fn limit_offset_and_page_cut_the_list() {
    let server = TestServer::start().await;
    let admin = five(&server).await;
    let page = async |query: &str| {
        let path = format!("/users?sort=first_name&fields=first_name&{query}");
        names(&admin.get(&path).await.data())
    };

    assert_eq!(page("limit=2").await, "1 2");
    assert_eq!(page("limit=2&offset=2").await, "3 4");
    assert_eq!(page("offset=4").await, "5 Admin");
    assert_eq!(page("limit=2&page=3").await, "5 Admin");
    assert_eq!(page("limit=2&page=1&offset=4").await, "1 2");
    assert_eq!(page("limit=2&page=0&offset=4").await, "5 Admin");
    assert_eq!(page("limit=-1").await, "1 2 3 4 5 Admin");
    assert_eq!(page("limit=0").await, "");
    assert_eq!(page("limit=2&page=9").await, "");
    assert_eq!(page("offset=9223372036854775807").await, "");
    assert_eq!(
        page("limit=9223372036854775807&page=9223372036854775807").await,
        ""
    );
}

#[tokio::test]
async fn numbers_that_are_none_are_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    assert_snapshot!(admin.get("/users?limit=ten").await, @r#"
    400
    {"errors":[{"message":"Invalid query. \"limit\" must be a number.","extensions":{"reason":"\"limit\" must be a number","code":"INVALID_QUERY"}}]}
    "#);
    assert_snapshot!(admin.get("/users?limit=-2").await, @r#"
    400
    {"errors":[{"message":"Invalid query. \"limit\" must be greater than or equal to -1.","extensions":{"reason":"\"limit\" must be greater than or equal to -1","code":"INVALID_QUERY"}}]}
    "#);
    assert_snapshot!(admin.get("/users?limit=1.5").await, @r#"
    400
    {"errors":[{"message":"Invalid query. \"limit\" must be an integer.","extensions":{"reason":"\"limit\" must be an integer","code":"INVALID_QUERY"}}]}
    "#);
    assert_snapshot!(admin.get("/users?offset=-1").await, @r#"
    400
    {"errors":[{"message":"Invalid query. \"offset\" must be greater than or equal to 0.","extensions":{"reason":"\"offset\" must be greater than or equal to 0","code":"INVALID_QUERY"}}]}
    "#);
    assert_snapshot!(admin.get("/users?page[]=1&page[]=2").await, @r#"
    400
    {"errors":[{"message":"Invalid query. \"page\" must be a number.","extensions":{"reason":"\"page\" must be a number","code":"INVALID_QUERY"}}]}
    "#);
    assert_snapshot!(admin.get("/users?limit=99999999999999999999").await, @r#"
    400
    {"errors":[{"message":"Invalid query. \"limit\" must be an integer.","extensions":{"reason":"\"limit\" must be an integer","code":"INVALID_QUERY"}}]}
    "#);
}

#[tokio::test]
async fn a_list_has_a_hundred_users_at_most_when_nothing_is_said() {
    let server = Setup::new().set("query.default_limit", "2").start().await;
    let admin = five(&server).await;

    assert_eq!(
        admin.get("/users").await.data().as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(
        admin
            .get("/users?limit=4")
            .await
            .data()
            .as_array()
            .map(Vec::len),
        Some(4)
    );
    assert_eq!(
        admin
            .get("/users?limit=-1")
            .await
            .data()
            .as_array()
            .map(Vec::len),
        Some(6)
    );
}

#[tokio::test]
async fn nobody_gets_more_than_the_operator_allows() {
    let server = Setup::new().set("query.max_limit", "3").start().await;
    let admin = five(&server).await;

    assert_eq!(
        admin.get("/users").await.data().as_array().map(Vec::len),
        Some(3)
    );
    assert_eq!(
        admin
            .get("/users?limit=-1")
            .await
            .data()
            .as_array()
            .map(Vec::len),
        Some(3)
    );
    assert_snapshot!(admin.get("/users?limit=4").await, @r#"
    400
    {"errors":[{"message":"Invalid query. \"limit\" must be less than or equal to 3.","extensions":{"reason":"\"limit\" must be less than or equal to 3","code":"INVALID_QUERY"}}]}
    "#);
}

#[tokio::test]
async fn counts_are_there_when_they_are_asked_for() {
    let server = TestServer::start().await;
    let admin = five(&server).await;
    let counts = async |query: &str| {
        let answer = admin
            .query("/users", &[("filter", r#"{"title":{"_nnull":true}}"#)])
            .await;
        assert_eq!(answer.json().get("meta"), None);
        let path = format!("/users?filter[title][_nnull]=true&limit=1&{query}");
        admin.get(&path).await.json()["meta"].clone()
    };

    assert_eq!(
        counts("meta=*").await,
        json!({ "total_count": 6, "filter_count": 4 })
    );
    assert_eq!(
        counts("meta=total_count").await,
        json!({ "total_count": 6 })
    );
    assert_eq!(
        counts("meta[]=filter_count").await,
        json!({ "filter_count": 4 })
    );
    assert_snapshot!(admin.get("/users?meta=everything").await, @r#"
    400
    {"errors":[{"message":"Invalid query. \"meta[0]\" must be one of [total_count, filter_count].","extensions":{"reason":"\"meta[0]\" must be one of [total_count, filter_count]","code":"INVALID_QUERY"}}]}
    "#);
}

#[tokio::test]
async fn fields_are_named_listed_or_all() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let keys = async |query: &str| {
        let user = admin.get(&format!("{}?{query}", admin.path())).await.data();
        user.as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    };

    assert_eq!(keys("fields=email,id").await, "email id");
    assert_eq!(
        keys("fields[]=email&fields[]=id,title").await,
        "email id title"
    );
    assert_eq!(keys("fields= email , id,email").await, "email id");
    assert_eq!(keys("fields=*,email").await, keys("").await);
    assert_eq!(keys("fields=").await, keys("fields=*").await);
    assert_eq!(keys("").await.split(' ').count(), 28);
}

#[tokio::test]
async fn fields_that_do_not_exist_can_neither_be_read_nor_sorted_by() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    assert_snapshot!(admin.get("/users?fields=id,nope,title.name").await, @r#"
    403
    {"errors":[{"message":"You don't have permission to access fields \"nope\", \"title.name\" in collection \"directus_users\" or they do not exist. Queried in root.","extensions":{"code":"FORBIDDEN"}}]}
    "#);
    assert_snapshot!(admin.get("/users?fields=email_key").await, @r#"
    403
    {"errors":[{"message":"You don't have permission to access field \"email_key\" in collection \"directus_users\" or it does not exist. Queried in root.","extensions":{"code":"FORBIDDEN"}}]}
    "#);
    assert_snapshot!(admin.get("/users?sort=roster_version").await, @r#"
    403
    {"errors":[{"message":"You don't have permission to access field \"roster_version\" in collection \"directus_users\" or it does not exist. Queried in root.","extensions":{"code":"FORBIDDEN"}}]}
    "#);
}

#[tokio::test]
async fn parameters_nobody_knows_are_ignored() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let answer = admin
        .get("/users?fields=email&colour=red&concurrentIndexCreation=1")
        .await;

    assert_snapshot!(answer, @r#"
    200
    {"data":[{"email":"admin@example.com"}]}
    "#);
}

#[tokio::test]
async fn parts_of_the_language_that_make_no_sense_are_refused_not_ignored() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    for query in [
        "aggregate=x",
        "deep=x",
        "alias=x",
        "export=x",
        "deep[role]=x&fields=role.name",
    ] {
        let answer = admin.get(&format!("/users?{query}")).await;
        assert_eq!(answer.outcome(), "400 INVALID_QUERY", "{query}");
    }
    assert_eq!(
        admin.get("/users?groupBy=x").await.outcome(),
        "403 FORBIDDEN"
    );
}
