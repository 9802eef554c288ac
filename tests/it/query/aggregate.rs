use roster_tests::TestServer;
use serde_json::json;

#[tokio::test]
async fn groups_are_counted_summed_and_sorted() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (kind, name) in [("integer", "age"), ("decimal", "price")] {
        let field = json!({"field": name, "type": kind, "schema": {}, "meta": {}});
        admin.post("/fields/directus_users", field).await.data();
    }
    for (title, age, price) in [("a", 1, "0.1"), ("a", 2, "0.2"), ("b", 10, "5")] {
        admin
            .post(
                "/users",
                json!({"title": title, "age": age, "price": price}),
            )
            .await
            .data();
    }
    let filter = json!({"title": {"_nnull": true}}).to_string();
    let aggregate =
        json!({"count": ["*"], "sum": ["age", "price"], "avg": "age", "max": "price"}).to_string();
    let parameters = [
        ("filter", &*filter),
        ("aggregate", &aggregate),
        ("groupBy", "title"),
        ("sort", "-sum.age"),
    ];

    let groups = admin.query("/users", &parameters).await.data();

    assert_eq!(
        groups,
        json!([
            {"title": "b", "count": 1, "sum": {"age": 10, "price": "5"}, "avg": {"age": 10.0}, "max": {"price": "5"}},
            {"title": "a", "count": 2, "sum": {"age": 3, "price": "0.3"}, "avg": {"age": 1.5}, "max": {"price": "0.2"}},
        ])
    );
}

#[tokio::test]
async fn secrets_are_neither_aggregated_nor_grouped_by() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for path in [
        "/users?aggregate[max]=password",
        "/users?aggregate[count]=token",
        "/users?groupBy=tfa_secret",
        "/users?sort=token",
    ] {
        assert_eq!(
            admin.get(path).await.outcome(),
            "400 INVALID_QUERY",
            "{path}"
        );
    }
}

#[tokio::test]
async fn groups_that_name_nothing_are_none() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let search = reqwest::Method::from_bytes(b"SEARCH").expect("a method");

    for query in [
        json!({ "groupBy": [], "fields": ["email"] }),
        json!({ "aggregate": {}, "fields": ["email"] }),
    ] {
        let body = json!({ "query": query });
        let found = admin.json(search.clone(), "/users", &body).await;
        assert_eq!(
            found.data(),
            json!([{ "email": "admin@example.com" }]),
            "{body}"
        );
    }
    let nothing = admin.get("/users?groupBy=,").await;
    assert_eq!(nothing.outcome(), "400 INVALID_QUERY", "{}", nothing.text);
}
