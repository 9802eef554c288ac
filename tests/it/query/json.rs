//! `json(extra.a.b)`: values inside of JSON fields.

use insta::assert_snapshot;
use roster_tests::{Client, TestServer};
use serde_json::{Value as Json, json};

#[tokio::test]
async fn values_inside_of_json_are_sent_where_the_field_may_be_seen() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mia = server.member("mia").await;
    let special = json!({ "special": ["cast-json"] });
    let field = json!({ "field": "extra", "type": "json", "meta": special });
    admin.post("/fields/users", field).await.data();
    let extra = json!({ "extra": { "size": { "cm": 180 }, "cars": ["red", { "doors": 4 }] } });
    admin
        .patch(&format!("/users/{}", mia.id), extra)
        .await
        .data();
    let path = format!("/users/{}", mia.id);

    let fields =
        "json(extra.size.cm),json(extra.cars[1].doors),json(extra.cars),json(extra.none),email";
    let all = admin.query(&path, &[("fields", fields)]).await.data();
    let listed = admin
        .query(
            "/users",
            &[("fields", "json(extra.size)"), ("sort", "email")],
        )
        .await
        .data();
    let nested = json!({ "name": "r", "users": [mia.id] });
    admin.post("/roles", nested).await.data();
    let nested = admin
        .query(
            "/roles",
            &[
                ("fields", "users.json(extra.cars[0])"),
                ("filter", r#"{"name":{"_eq":"r"}}"#),
            ],
        )
        .await
        .data();

    assert_eq!(
        all,
        json!({
            "email": "mia@example.com",
            "extra_size_cm_json": 180,
            "extra_cars_1_doors_json": 4,
            "extra_cars_json": ["red", { "doors": 4 }],
            "extra_none_json": null,
        })
    );
    assert_eq!(
        listed,
        json!([{ "extra_size_json": null }, { "extra_size_json": { "cm": 180 } }])
    );
    assert_eq!(
        nested,
        json!([{ "users": [{ "extra_cars_0_json": "red" }] }])
    );
    for (fields, outcome) in [
        ("json(extra)", "400 INVALID_QUERY"),
        ("json(extra..a)", "400 INVALID_QUERY"),
        ("json(email.a)", "400 INVALID_QUERY"),
        ("json(password.a)", "400 INVALID_QUERY"),
        ("json(nope.a)", "403 FORBIDDEN"),
    ] {
        let refused = admin.query("/users", &[("fields", fields)]).await;
        assert_eq!(refused.outcome(), outcome, "{fields}");
    }
    let policy = json!({ "name": "p", "permissions": [
        { "collection": "directus_users", "action": "read", "permissions": {}, "fields": ["id"] },
        { "collection": "directus_users", "action": "read", "permissions": { "email": { "_eq": "nobody" } }, "fields": ["extra"] },
    ] });
    let policy = admin.post("/policies", policy).await.data()["id"].clone();
    admin
        .post("/access", json!({ "policy": policy, "user": mia.id }))
        .await
        .data();
    let hidden = mia
        .query("/users", &[("fields", "id,json(extra.size)")])
        .await
        .data();
    assert_eq!(hidden[0]["extra_size_json"], json!(null));
    assert_eq!(hidden[1]["extra_size_json"], json!(null));
}

/// A server with a JSON field, and a user for each of these values, called by its number.
async fn with_values(values: &[Json]) -> (TestServer, Client) {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let field = json!({ "field": "extra", "type": "json" });
    admin.post("/fields/users", field).await.data();
    let user = |(number, value)| json!({ "first_name": format!("{number}"), "extra": value });
    let users: Json = values.iter().enumerate().map(user).collect();
    admin.post("/users", users).await.data();
    (server, admin)
}

/// The numbers of the users that a query finds.
async fn found(client: &Client, parameters: &[(&str, &str)]) -> String {
    let mut all = vec![("fields", "first_name")];
    all.extend(parameters);
    let users = client.query("/users", &all).await.data();
    let users = users.as_array().expect("a list");
    let names = users.iter().filter_map(|user| user["first_name"].as_str());
    names.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn values_inside_of_json_are_filtered_by() {
    let (_server, admin) = with_values(&[
        json!({ "size": { "cm": 180 }, "cars": ["red", { "doors": 4 }] }),
        json!({ "size": { "cm": 160.5 }, "cars": ["Röt", { "doors": "4" }] }),
        json!({ "size": { "cm": "180" }, "cars": [] }),
        json!({ "size": { "cm": null }, "cars": [true] }),
        json!({ "size": [180], "cars": "red" }),
        json!("red"),
        Json::Null,
    ])
    .await;

    for (filter, expected) in [
        (json!({ "json(extra.size.cm)": { "_eq": 180 } }), "0"),
        (json!({ "json(extra.size.cm)": 180 }), "0"),
        (json!({ "json(extra.size.cm)": { "_eq": "180" } }), "2"),
        (json!({ "json(extra.size.cm)": { "_neq": 180 } }), "1 2"),
        (json!({ "json(extra.size.cm)": { "_lt": 180 } }), "1"),
        (
            json!({ "json(extra.size.cm)": { "_between": [160, 180] } }),
            "0 1",
        ),
        (
            json!({ "json(extra.size.cm)": { "_nbetween": [170, 175] } }),
            "0 1",
        ),
        (
            json!({ "json(extra.size.cm)": { "_in": ["180", 160.5] } }),
            "1 2",
        ),
        (
            json!({ "json(extra.size.cm)": { "_nin": ["180", 160.5] } }),
            "0",
        ),
        (
            json!({ "json(extra.size.cm)": { "_nnull": true } }),
            "0 1 2",
        ),
        (
            json!({ "json(extra.size)": { "_nnull": true } }),
            "0 1 2 3 4",
        ),
        (json!({ "json(extra.size)": { "_neq": 1 } }), "0 1 2 3 4"),
        (
            json!({ "json(extra.cars[0])": { "_icontains": "RÖ" } }),
            "1",
        ),
        (
            json!({ "json(extra.cars[0])": { "_starts_with": "re" } }),
            "0",
        ),
        (json!({ "json(extra.cars[0])": { "_eq": true } }), "3"),
        (json!({ "json(extra.cars[1].doors)": { "_gte": 4 } }), "0"),
        (json!({ "json(extra.cars[1].doors)": { "_gte": "4" } }), "1"),
        (
            json!({ "_or": [{ "json(extra.cars)": "red" }, { "json(extra.size.cm)": 160.5 }] }),
            "1 4",
        ),
    ] {
        let filter = filter.to_string();
        let parameters = [("filter", filter.as_str()), ("sort", "first_name")];
        assert_eq!(found(&admin, &parameters).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn values_inside_of_json_are_ordered_by_their_types_and_then_by_value() {
    let (_server, admin) = with_values(&[
        json!({ "k": "b" }),
        json!({ "k": { "deep": 1 } }),
        json!({ "k": 10 }),
        json!({ "k": true }),
        json!({ "k": "Z" }),
        json!({ "k": 9.5 }),
        json!({ "other": 1 }),
        json!({ "k": false }),
    ])
    .await;
    let made = r#"{"first_name":{"_in":["0","1","2","3","4","5","6","7"]}}"#;

    let up = [("filter", made), ("sort", "json(extra.k)")];
    assert_eq!(found(&admin, &up).await, "6 7 3 5 2 4 0 1");
    let down = [("filter", made), ("sort", "-json(extra.k)")];
    assert_eq!(found(&admin, &down).await, "1 0 4 2 5 3 7 6");
    let page = [
        ("filter", made),
        ("sort", "json(extra.k)"),
        ("limit", "2"),
        ("page", "2"),
    ];
    assert_eq!(found(&admin, &page).await, "3 5");
}

#[tokio::test]
async fn relations_and_lists_are_filtered_and_ordered_by_what_is_inside() {
    let (server, admin) =
        with_values(&[json!({ "n": 2 }), json!({ "n": 1 }), json!({ "n": 3 })]).await;
    let mia = server.member("mia").await;
    let path = format!("/users/{}", mia.id);
    admin
        .patch(&path, json!({ "extra": { "n": 9 } }))
        .await
        .data();
    let users = admin
        .get("/users?fields=id&filter[first_name][_in]=0,1,2")
        .await
        .data();
    let ids: Vec<Json> = users
        .as_array()
        .expect("a list")
        .iter()
        .map(|user| user["id"].clone())
        .collect();
    admin
        .post("/roles", json!({ "name": "r", "users": ids }))
        .await
        .data();

    let some = r#"{"users":{"json(extra.n)":{"_gt":2}},"name":"r"}"#;
    let deep = r#"{"users":{"_sort":["-json(extra.n)"],"_filter":{"json(extra.n)":{"_lte":2}},"_limit":1}}"#;
    let parameters = [
        ("filter", some),
        ("fields", "users.first_name"),
        ("deep", deep),
    ];
    let roles = admin.query("/roles", &parameters).await.data();
    assert_eq!(roles, json!([{ "users": [{ "first_name": "0" }] }]));
    let none = r#"{"users":{"json(extra.n)":{"_gt":3}},"name":"r"}"#;
    assert_eq!(
        admin.query("/roles", &[("filter", none)]).await.data(),
        json!([])
    );

    let boss = json!({ "field": "boss", "type": "uuid" });
    admin.post("/fields/users", boss).await.data();
    let relation =
        json!({ "collection": "users", "field": "boss", "related_collection": "directus_users" });
    admin.post("/relations", relation).await.data();
    admin.patch(&path, json!({ "boss": ids[0] })).await.data();
    let of_boss = r#"{"boss":{"json(extra.n)":{"_nnull":true}}}"#;
    let parameters = [
        ("filter", of_boss),
        ("fields", "email"),
        ("sort", "-boss.json(extra.n)"),
    ];
    let found = admin.query("/users", &parameters).await.data();
    assert_eq!(found, json!([{ "email": "mia@example.com" }]));
    let first = [
        ("sort", "-boss.json(extra.n)"),
        ("limit", "1"),
        ("fields", "email"),
    ];
    assert_eq!(admin.query("/users", &first).await.data(), found);
}

#[tokio::test]
async fn what_is_inside_of_a_hidden_field_tells_nothing() {
    let (server, admin) = with_values(&[json!({ "n": 1 }), json!({ "n": 2 })]).await;
    let mia = server.member("mia").await;
    let rules = json!({ "name": "p", "permissions": [
        { "collection": "directus_users", "action": "read", "permissions": {}, "fields": ["id", "first_name"] },
        { "collection": "directus_users", "action": "read", "fields": ["extra"],
            "permissions": { "json(extra.n)": { "_eq": 1 } } },
    ] });
    let policy = admin.post("/policies", rules).await.data()["id"].clone();
    let attached = json!({ "policy": policy, "user": mia.id });
    admin.post("/access", attached).await.data();

    let filter = |filter: &str| filter.to_owned();
    for (filter, expected) in [
        (filter(r#"{"json(extra.n)":{"_in":[1,2]}}"#), "0"),
        (filter(r#"{"json(extra.n)":{"_neq":1}}"#), ""),
        (filter(r#"{"json(extra.n)":{"_nnull":true}}"#), "0"),
        (
            filter(
                r#"{"_and":[{"json(extra.n)":{"_null":true}},{"first_name":{"_in":["0","1"]}}]}"#,
            ),
            "1",
        ),
    ] {
        assert_eq!(
            found(&mia, &[("filter", &filter)]).await,
            expected,
            "{filter}"
        );
    }
    let named = r#"{"first_name":{"_in":["0","1"]}}"#;
    let sorted = [("filter", named), ("sort", "-json(extra.n)")];
    assert_eq!(found(&mia, &sorted).await, "0 1");
}

#[tokio::test]
async fn what_cannot_be_asked_of_json_is_said() {
    let (_server, admin) = with_values(&[]).await;
    let secret = json!({ "field": "sealed", "type": "json", "meta": { "special": ["conceal"] } });
    let secret = admin.post("/fields/users", secret).await;
    assert_eq!(secret.outcome(), "200");
    let mut answers = Vec::new();
    for filter in [
        json!({ "json(extra.a)": { "_like": "a" } }),
        json!({ "json(extra.a)": { "_lt": true } }),
        json!({ "json(extra.a)": { "_eq": [1] } }),
        json!({ "json(extra.a)": { "_eq": "" } }),
        json!({ "json(extra.a)": { "_between": [1, "a"] } }),
        json!({ "json(extra.a)": { "_in": [1, {}] } }),
        json!({ "json(extra)": { "_eq": 1 } }),
        json!({ "json(extra.a[x])": { "_eq": 1 } }),
        json!({ "json(email.a)": { "_eq": 1 } }),
        json!({ "json(sealed.a)": { "_eq": 1 } }),
        json!({ "json(nope.a)": { "_eq": 1 } }),
    ] {
        let answer = admin
            .query("/users", &[("filter", &filter.to_string())])
            .await;
        answers.push(
            answer.json()["errors"][0]["message"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        );
    }
    for (parameter, value) in [
        ("sort", "json(email.a)"),
        ("sort", "json(sealed.a)"),
        ("sort", "-json(extra)"),
        ("groupBy", "json(extra.a)"),
    ] {
        let parameters = [("aggregate[count]", "*"), (parameter, value)];
        let answer = admin
            .query("/users", &parameters[usize::from(parameter == "sort")..])
            .await;
        answers.push(
            answer.json()["errors"][0]["message"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        );
    }

    assert_snapshot!(answers.join("\n"), @r#"
    Invalid query. field `json(extra.a)`: expected an operator of texts, numbers or booleans, got "_like".
    Invalid query. "_lt" on field `json(extra.a)`: expected a string or a number, got a boolean.
    Invalid query. "_eq" on field `json(extra.a)`: expected a string, a number or a boolean, got an array.
    Invalid query. You can't filter for an empty string in "_eq". Use "_empty" or "_nempty" instead.
    Invalid query. "_between" on field `json(extra.a)`: expected two strings or two numbers.
    Invalid query. "_in" on field `json(extra.a)`: expected a string, a number or a boolean, got an object.
    Invalid query. "json(extra)" must be like json(field.key[0].key).
    Invalid query. "json(extra.a[x])" must be like json(field.key[0].key).
    Invalid query. Invalid function specified "json": field `email`: expected a field of type json, got one of type string.
    Invalid query. Invalid function specified "json": field `sealed`: expected a field of type json, got a concealed one.
    You don't have permission to access field "nope" in collection "directus_users" or it does not exist. Queried in root.
    Invalid query. Invalid function specified "json": field `email`: expected a field of type json, got one of type string.
    Invalid query. Invalid function specified "json": field `sealed`: expected a field of type json, got a concealed one.
    Invalid query. "json(extra)" must be like json(field.key[0].key).
    Invalid query. "json(extra.a)" cannot be grouped by.
    "#);
}

#[tokio::test]
async fn a_rule_of_a_write_looks_inside_of_json() {
    let (server, admin) = with_values(&[]).await;
    let mia = server.member("mia").await;
    let own = json!({ "id": { "_eq": "$CURRENT_USER" } });
    let rules = json!({ "name": "p", "permissions": [
        { "collection": "directus_users", "action": "read", "permissions": own, "fields": ["*"] },
        { "collection": "directus_users", "action": "update", "permissions": own, "fields": ["extra"],
            "validation": { "json(extra.size.cm)": { "_between": [50, 250] } } },
    ] });
    let policy = admin.post("/policies", rules).await.data()["id"].clone();
    let attached = json!({ "policy": policy, "user": mia.id });
    admin.post("/access", attached).await.data();
    let change = async |cm: Json| {
        let body = json!({ "extra": { "size": { "cm": cm } } });
        mia.patch("/users/me", body).await.outcome()
    };

    assert_eq!(change(json!(180)).await, "200");
    assert_eq!(change(json!(20)).await, "400 FAILED_VALIDATION");
    assert_eq!(change(json!("180")).await, "400 FAILED_VALIDATION");
    assert_eq!(change(json!(null)).await, "400 FAILED_VALIDATION");
}
