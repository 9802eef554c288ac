use roster_tests::{Client, TestServer};
use serde_json::{Value as Json, json};

async fn manager(admin: &Client, on_delete: &str) {
    let field =
        json!({"field": "manager", "type": "uuid", "schema": {}, "meta": {"special": ["m2o"]}});
    admin.post("/fields/directus_users", field).await.data();
    let relation = json!({"collection": "directus_users", "field": "manager", "related_collection": "directus_users",
        "schema": {"on_delete": on_delete}, "meta": {"one_field": "reports"}});
    admin.post("/relations", relation).await.data();
}

async fn pair(admin: &Client) -> (String, String) {
    let boss = admin
        .post("/users", json!({"first_name": "Boss"}))
        .await
        .data()["id"]
        .clone();
    let user = admin
        .post("/users", json!({"first_name": "Ada", "manager": boss}))
        .await
        .data();
    let text = |json: &Json| json.as_str().expect("an id").to_owned();
    (text(&boss), text(&user["id"]))
}

#[tokio::test]
async fn users_lead_to_users_in_both_directions() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    manager(&admin, "SET NULL").await;
    let (boss, user) = pair(&admin).await;

    let one = admin
        .get(&format!("/users/{boss}?fields=reports.first_name"))
        .await
        .data();
    assert_eq!(one["reports"], json!([{"first_name": "Ada"}]));
    let filter = json!({"reports": {"_some": {"first_name": {"_eq": "Ada"}}}});
    let found = admin
        .query(
            "/users",
            &[("filter", &filter.to_string()), ("fields", "first_name")],
        )
        .await
        .data();
    assert_eq!(found, json!([{"first_name": "Boss"}]));
    let lost = admin
        .patch(
            &format!("/users/{user}"),
            json!({"manager": "00000000-0000-4000-8000-000000000000"}),
        )
        .await;
    assert_eq!(lost.outcome(), "400 INVALID_FOREIGN_KEY");
    assert_eq!(lost.json()["errors"][0]["extensions"]["field"], "manager");
}

#[tokio::test]
async fn what_becomes_of_those_who_point_at_a_removed_user_is_configured() {
    for (on_delete, expected) in [
        ("SET NULL", "null"),
        ("CASCADE", "gone"),
        ("NO ACTION", "refused"),
    ] {
        let server = TestServer::start().await;
        let admin = server.admin().await;
        manager(&admin, on_delete).await;
        let (boss, user) = pair(&admin).await;

        let removed = admin.delete(&format!("/users/{boss}")).await;

        let left = admin.get(&format!("/users/{user}")).await;
        let outcome = match (removed.status, left.status) {
            (204, 403) => "gone",
            (204, _) if left.data()["manager"].is_null() => "null",
            (400, 200) => "refused",
            other => panic!("{on_delete}: {other:?}"),
        };
        assert_eq!(outcome, expected, "{on_delete}");
    }
}

#[tokio::test]
async fn relations_that_cannot_be_are_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    manager(&admin, "SET NULL").await;
    let relation = |field: &str, related: &str| json!({"collection": "directus_users", "field": field, "related_collection": related});
    for body in [
        relation("manager", "directus_roles"),
        relation("nope", "directus_roles"),
        relation("email", "directus_roles"),
        relation("role", "directus_roles"),
        relation("manager", "articles"),
        json!({"field": "manager"}),
        json!({}),
    ] {
        assert_eq!(
            admin.post("/relations", body.clone()).await.outcome(),
            "400 INVALID_PAYLOAD",
            "{body}"
        );
    }
    assert_eq!(
        admin.get("/relations/directus_users/email").await.outcome(),
        "403 FORBIDDEN"
    );
    assert_eq!(
        admin.get("/relations/directus_users/manager").await.data()["schema"]["on_delete"],
        "SET NULL"
    );
    admin
        .delete("/relations/directus_users/manager")
        .await
        .done();
    let field = admin.get("/fields/directus_users/manager").await.data();
    assert_eq!(field["type"], "uuid");
}

#[tokio::test]
async fn a_list_whose_order_is_gone_is_still_a_list() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let rank = json!({"field": "rank", "type": "integer"});
    admin.post("/fields/directus_users", rank).await.data();
    manager(&admin, "SET NULL").await;
    let sorted = json!({"meta": {"sort_field": "rank"}});
    admin
        .patch("/relations/directus_users/manager", sorted)
        .await
        .data();
    let (boss, _) = pair(&admin).await;

    admin.delete("/fields/directus_users/rank").await.done();

    let one = admin
        .get(&format!("/users/{boss}?fields=reports.first_name"))
        .await
        .data();
    assert_eq!(one["reports"], json!([{"first_name": "Ada"}]));
    let relation = admin.get("/relations/directus_users/manager").await.data();
    assert_eq!(relation["meta"]["sort_field"], Json::Null);
}
