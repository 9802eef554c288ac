//! `fields=json(extra.a.b)`: values inside of JSON fields.

use roster_tests::TestServer;
use serde_json::json;

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
