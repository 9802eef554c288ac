use roster_tests::{Client, TestServer};
use serde_json::{Value as Json, json};

/// A tree of roles with users in them.
async fn team(admin: &Client) -> (Json, Json) {
    let top = admin.post("/roles", json!({"name": "top"})).await.data();
    let low = json!({"name": "low", "parent": top["id"], "users": [
        {"first_name": "Ada"}, {"first_name": "Bob"}, {"first_name": "Cyd"},
    ]});
    let low = admin.post("/roles", low).await.data();
    (top["id"].clone(), low["id"].clone())
}

#[tokio::test]
async fn records_are_nested_however_deep_their_fields_are_asked_for() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let (top, low) = team(&admin).await;

    let path = format!(
        "/roles/{}?fields=name,parent.name,users.first_name,users.role.parent.id&deep[users][_sort]=first_name",
        low.as_str().expect("an id")
    );
    let role = admin.get(&path).await.data();

    assert_eq!(role["parent"], json!({"name": "top"}));
    let user = |name: &str| json!({"first_name": name, "role": {"parent": {"id": top}}});
    assert_eq!(
        role["users"],
        json!([user("Ada"), user("Bob"), user("Cyd")])
    );
}

#[tokio::test]
async fn what_is_nested_is_cut_for_each_record_and_not_for_all_together() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for name in ["one", "two", "three"] {
        let users: Vec<Json> = (0..4)
            .map(|n| json!({"first_name": format!("{name} {n}")}))
            .collect();
        admin
            .post("/roles", json!({"name": name, "users": users}))
            .await
            .data();
    }
    let deep = json!({"users": {"_sort": ["-first_name"], "_limit": 2, "_offset": 1}}).to_string();
    let filter = json!({"name": {"_in": ["one", "two", "three"]}}).to_string();
    let parameters = [
        ("fields", "name,users.first_name"),
        ("deep", &deep),
        ("sort", "name"),
        ("filter", &filter),
    ];

    let roles = admin.query("/roles", &parameters).await.data();

    let names: Vec<Json> = roles
        .as_array()
        .expect("roles")
        .iter()
        .map(|role| role["users"].clone())
        .collect();
    let two = |name: &str| json!([{"first_name": format!("{name} 2")}, {"first_name": format!("{name} 1")}]);
    assert_eq!(names, [two("one"), two("three"), two("two")]);
}

#[tokio::test]
async fn a_query_that_asks_for_too_much_is_refused_before_it_runs() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let deep = ["parent"; 12].join(".");
    for path in [
        format!("/users?fields=role.{deep}.name"),
        format!("/users?sort=role.{deep}.name"),
        "/users?fields=*.*.*.*.*.*.*".to_owned(),
        format!("/users?groupBy={}", vec!["status"; 60].join(",")),
        format!("/users?search={}", "x".repeat(2_000)),
        "/users?aggregate[nonsense]=id".to_owned(),
        "/users?alias[a.b]=role".to_owned(),
        "/users?export=pdf".to_owned(),
    ] {
        assert_eq!(
            admin.get(&path).await.outcome(),
            "400 INVALID_QUERY",
            "{path}"
        );
    }
}

#[tokio::test]
async fn nested_writes_happen_together_or_not_at_all() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let before = server.database().count("roles", "1 = 1").await;
    let bad = json!({"name": "half", "policies": {"create": [{"policy": {"name": "p"}}]},
        "users": [{"email": "fine@example.com"}, {"email": "nonsense"}]});

    let answer = admin.post("/roles", bad).await;

    assert_eq!(answer.outcome(), "400 FAILED_VALIDATION");
    assert_eq!(
        answer.json()["errors"][0]["extensions"]["path"],
        json!(["users"])
    );
    assert_eq!(server.database().count("roles", "1 = 1").await, before);
    assert_eq!(server.database().count("policies", "name = 'p'").await, 0);
    assert_eq!(
        server
            .database()
            .count("users", "email = 'fine@example.com'")
            .await,
        0
    );
}

#[tokio::test]
async fn a_list_in_a_body_is_the_whole_list() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let policies = [
        admin.post("/policies", json!({"name": "a"})).await.data()["id"].clone(),
        admin.post("/policies", json!({"name": "b"})).await.data()["id"].clone(),
    ];
    let role = json!({"name": "r", "policies": [{"policy": policies[0]}, {"policy": policies[1]}]});
    let role = admin
        .post("/roles?fields=id,policies.id,policies.policy", role)
        .await
        .data();
    let path = format!(
        "/roles/{}?fields=policies.policy",
        role["id"].as_str().expect("an id")
    );
    let kept = &role["policies"][0];

    let after = admin
        .patch(&path, json!({"policies": [kept["id"]]}))
        .await
        .data();
    assert_eq!(after["policies"], json!([{"policy": kept["policy"]}]));
    assert_eq!(
        server.database().count("access", "role IS NOT NULL").await,
        2
    );

    let strange = admin.patch(&path, json!({"policies": {"foo": []}})).await;
    assert_eq!(strange.outcome(), "400 INVALID_PAYLOAD");
    let emptied = admin
        .patch(&path, json!({"policies": {"delete": [kept["id"]]}}))
        .await
        .data();
    assert_eq!(emptied["policies"], json!([]));
}

#[tokio::test]
async fn a_list_with_an_order_comes_in_it_whatever_is_asked_of_its_records() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let attached = |name: &str, sort: u8| json!({"policy": {"name": name}, "sort": sort});
    let policies = json!([attached("c", 3), attached("a", 1), attached("b", 2)]);
    let role = json!({"name": "r", "policies": policies});
    let role = admin.post("/roles", role).await.data();
    let path = format!("/roles/{}", role["id"].as_str().expect("an id"));

    let keys = admin.get(&format!("{path}?fields=policies")).await.data();
    let sorts = admin
        .get(&format!("{path}?fields=policies.sort,policies.id"))
        .await;

    let rows = sorts.data()["policies"].clone();
    let rows = rows.as_array().expect("a list");
    let ids: Vec<&Json> = rows.iter().map(|row| &row["id"]).collect();
    assert_eq!(keys["policies"], json!(ids));
    let sorts: Vec<&Json> = rows.iter().map(|row| &row["sort"]).collect();
    assert_eq!(sorts, [1, 2, 3]);
    let turned = format!("{path}?fields=policies.sort&deep[policies][_sort]=-sort");
    let turned = admin.get(&turned).await.data();
    assert_eq!(
        turned["policies"],
        json!([{"sort": 3}, {"sort": 2}, {"sort": 1}])
    );
}

#[tokio::test]
async fn a_page_skips_records_and_not_what_is_in_their_lists() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for name in ["a", "b", "c"] {
        let users = json!([{"first_name": "Ada"}, {"first_name": "Bob"}]);
        let role = json!({"name": name, "users": users});
        admin.post("/roles", role).await.data();
    }
    let filter = json!({"name": {"_in": ["a", "b", "c"]}, "users": {"_some": {}}}).to_string();

    for (offset, found) in [("0", 2), ("1", 2), ("2", 1), ("3", 0)] {
        let parameters = [
            ("filter", &*filter),
            ("limit", "2"),
            ("offset", offset),
            ("fields", "name"),
        ];
        let roles = admin.query("/roles", &parameters).await.data();
        assert_eq!(roles.as_array().map(Vec::len), Some(found), "{offset}");
    }
}
