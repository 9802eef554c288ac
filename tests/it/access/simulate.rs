//! `POST /permissions/simulate`, and presets.

use roster_tests::{Client, TestServer};
use serde_json::{Value as Json, json};

async fn simulate(client: &Client, changes: Json) -> Json {
    let body = json!({ "changes": changes });
    client.post("/permissions/simulate", body).await.data()["affected"].clone()
}

#[tokio::test]
async fn who_gains_and_loses_what_is_told_and_nothing_is_stored() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mia = server.member("mia").await;
    let role = json!({ "name": "staff", "policies": [{ "policy": {
        "name": "readers", "permissions": [{ "collection": "directus_users", "action": "read", "permissions": { "status": { "_eq": "active" } }, "fields": ["id", "email"] }],
    } }] });
    let role = admin.post("/roles", role).await.data()["id"].clone();
    let policy = admin
        .get("/policies?filter[name][_eq]=readers")
        .await
        .data()[0]["id"]
        .clone();
    let permission = admin
        .get("/permissions?filter[collection][_eq]=directus_users")
        .await
        .data()[0]["id"]
        .clone();
    admin
        .post("/users", json!({ "email": "a@example.com", "role": role }))
        .await
        .data();
    let before = server.database().count("permissions", "1 = 1").await;

    let widened = simulate(&admin, json!([{ "collection": "directus_permissions", "action": "update", "id": permission, "data": { "permissions": {}, "fields": ["id", "email", "title"] } }])).await;
    let removed = simulate(
        &admin,
        json!([{ "collection": "directus_policies", "action": "delete", "id": policy }]),
    )
    .await;
    let promoted = simulate(&admin, json!([{ "collection": "directus_users", "action": "update", "id": mia.id, "data": { "role": role } }])).await;
    let made = simulate(&admin, json!([{ "collection": "directus_access", "action": "create", "data": { "user": mia.id, "policy": { "name": "boss", "admin_access": true } } }])).await;
    let nothing = simulate(&admin, json!([{ "collection": "directus_roles", "action": "update", "id": role, "data": { "description": "x" } }])).await;

    assert_eq!(widened.as_array().map(Vec::len), Some(1), "{widened}");
    assert_eq!(widened[0]["role"], role);
    assert_eq!(
        (&widened[0]["name"], &widened[0]["users"]),
        (&json!("staff"), &json!(1))
    );
    assert_eq!(
        widened[0]["gains"],
        json!([{ "collection": "directus_users", "action": "read", "fields": ["title"], "rows": "all" }])
    );
    assert_eq!(widened[0]["sample"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        removed[0]["loses"],
        json!([{ "collection": "directus_users", "action": "read", "fields": ["email", "id"], "rows": [{ "status": { "_eq": "active" } }] }])
    );
    assert_eq!(
        (&promoted[0]["user"], &promoted[0]["gains"][0]["fields"]),
        (&json!(mia.id), &json!(["email", "id"]))
    );
    assert_eq!(
        made[0]["admin_access"],
        json!({ "before": false, "after": true })
    );
    assert_eq!(made[0]["gains"][0]["collection"], "*");
    assert_eq!(nothing, json!([]));
    assert_eq!(
        server.database().count("permissions", "1 = 1").await,
        before
    );
    assert_eq!(
        server.database().count("policies", "name = 'boss'").await,
        0
    );
    assert_eq!(
        admin.get(&format!("/users/{}", mia.id)).await.data()["role"],
        json!(null)
    );
}

#[tokio::test]
async fn changes_that_could_not_be_made_are_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mia = server.member("mia").await;
    let own = admin.get("/users/me").await.data()["role"].clone();

    for (changes, outcome) in [
        (json!([]), "400 INVALID_PAYLOAD"),
        (
            json!([{ "collection": "directus_settings", "action": "update", "id": 1, "data": {} }]),
            "400 INVALID_PAYLOAD",
        ),
        (
            json!([{ "collection": "directus_roles", "action": "look", "id": own }]),
            "400 INVALID_PAYLOAD",
        ),
        (
            json!([{ "collection": "directus_roles", "action": "update", "id": 7, "data": {} }]),
            "400 INVALID_PAYLOAD",
        ),
        (
            json!([{ "collection": "directus_roles", "action": "create" }]),
            "400 INVALID_PAYLOAD",
        ),
        (
            json!([{ "collection": "directus_roles", "action": "delete", "id": own }]),
            "422 UNPROCESSABLE_CONTENT",
        ),
    ] {
        let refused = admin
            .post("/permissions/simulate", json!({ "changes": changes }))
            .await;
        assert_eq!(refused.outcome(), outcome, "{changes}");
    }
    let change = json!({ "changes": [{ "collection": "directus_roles", "action": "create", "data": { "name": "x" } }] });
    assert_eq!(
        mia.post("/permissions/simulate", change.clone())
            .await
            .outcome(),
        "403 FORBIDDEN"
    );
    assert_eq!(
        server
            .stranger()
            .post("/permissions/simulate", change)
            .await
            .outcome(),
        "403 FORBIDDEN"
    );
}

#[tokio::test]
async fn a_preset_lets_users_look_after_themselves() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mia = server.member("mia").await;
    let policy = admin
        .post("/policies", json!({ "name": "app", "app_access": true }))
        .await
        .data()["id"]
        .clone();
    let path = format!("/policies/{}/preset", policy.as_str().expect("an id"));
    admin
        .post("/access", json!({ "policy": policy, "user": mia.id }))
        .await
        .data();
    let mia = server.sign_in(&mia.email).await;
    let changes = json!({ "title": "Dr", "language": "de-DE", "theme_light": "x" });
    assert_eq!(
        mia.patch("/users/me", changes.clone()).await.outcome(),
        "403 FORBIDDEN"
    );

    let made = admin.post(&path, json!({})).await.data();
    let again = admin
        .post(&path, json!({ "preset": "self-service" }))
        .await
        .data();

    assert_eq!(made.as_array().map(Vec::len), Some(5));
    assert_eq!(again, json!([]));
    assert_eq!(mia.patch("/users/me", changes).await.data()["title"], "Dr");
    for forbidden in [
        json!({ "role": null }),
        json!({ "status": "active" }),
        json!({ "token": "0123456789abcdef" }),
    ] {
        assert_eq!(
            mia.patch("/users/me", forbidden.clone()).await.outcome(),
            "403 FORBIDDEN",
            "{forbidden}"
        );
    }
    assert_eq!(
        mia.patch(&format!("/users/{}", admin.id), json!({ "title": "x" }))
            .await
            .outcome(),
        "403 FORBIDDEN"
    );
    assert_eq!(
        admin
            .post(&path, json!({ "preset": "all" }))
            .await
            .outcome(),
        "400 INVALID_PAYLOAD"
    );
    assert_eq!(mia.post(&path, json!({})).await.outcome(), "403 FORBIDDEN");
}
