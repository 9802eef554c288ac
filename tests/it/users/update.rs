use insta::assert_snapshot;
use roster_tests::{Kind, PASSWORD, TestServer, kind};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn only_what_is_named_changes() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;
    let before = admin.get(&ada.path()).await.data();

    let after = admin
        .patch(&ada.path(), json!({ "title": "CTO" }))
        .await
        .data();

    let mut expected = before;
    expected["title"] = "CTO".into();
    assert_eq!(after, expected);
}

#[tokio::test]
async fn the_id_in_a_body_is_ignored() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;

    let body = json!({ "id": Uuid::new_v4(), "title": "x" });
    let answer = admin
        .patch(&format!("{}?fields=id,title", ada.path()), body)
        .await;

    assert_eq!(answer.data(), json!({ "id": ada.id, "title": "x" }));
}

#[tokio::test]
async fn nothing_to_change_is_fine() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let answer = admin
        .patch(&format!("{}?fields=email", admin.path()), json!({}))
        .await;

    assert_snapshot!(answer, @r#"
    200
    {"data":{"email":"admin@example.com"}}
    "#);
    let sql = "SELECT CAST(COUNT(*) AS TEXT) FROM activity WHERE action = 'update'";
    assert_eq!(server.database().text(sql).await, "0");
}

#[tokio::test]
async fn missing_and_malformed_ids_are_forbidden_alike() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let missing = admin
        .patch(
            &format!("/users/{}", Uuid::new_v4()),
            json!({ "title": "x" }),
        )
        .await;
    let malformed = admin.patch("/users/7", json!({ "title": "x" })).await;

    assert_snapshot!(missing, @r#"
    403
    {"errors":[{"message":"You don't have permission to access this.","extensions":{"code":"FORBIDDEN"}}]}
    "#);
    assert_eq!(malformed.to_string(), missing.to_string());
}

#[tokio::test]
async fn null_clears_what_may_be_empty_and_nothing_else() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;

    let body = json!({ "email": null, "first_name": null, "tags": null, "password": null });
    let path = format!("{}?fields=email,first_name,tags,password", ada.path());
    let cleared = admin.patch(&path, body).await;
    let refused = admin
        .patch(&ada.path(), json!({ "status": null, "provider": null }))
        .await;

    assert_snapshot!(cleared, @r#"
    200
    {"data":{"first_name":null,"email":null,"password":null,"tags":null}}
    "#);
    assert_snapshot!(refused, @r#"
    400
    {"errors":[{"message":"Validation failed for field \"status\". Value can't be null.","extensions":{"field":"status","path":[],"type":"nnull","code":"FAILED_VALIDATION"}},
    {"message":"Validation failed for field \"provider\". Value can't be null.","extensions":{"field":"provider","path":[],"type":"nnull","code":"FAILED_VALIDATION"}}]}
    "#);
}

#[tokio::test]
async fn the_second_factor_is_not_written_by_hand() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let answer = admin
        .patch(&admin.path(), json!({ "tfa_secret": "JBSWY3DPEHPK3PXP" }))
        .await;

    assert_snapshot!(answer, @r#"
    400
    {"errors":[{"message":"Invalid payload. You can't change the \"tfa_secret\" value manually.","extensions":{"reason":"You can't change the \"tfa_secret\" value manually","code":"INVALID_PAYLOAD"}}]}
    "#);
}

#[tokio::test]
async fn another_provider_leaves_the_data_of_the_last_one_behind() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body = json!({ "provider": "github", "external_identifier": "7", "auth_data": {"a": 1} });
    let user = admin.post("/users", body).await.data();

    let path = format!(
        "/users/{}?fields=provider,auth_data",
        user["id"].as_str().expect("an id")
    );
    let answer = admin.patch(&path, json!({ "provider": "gitlab" })).await;

    assert_eq!(
        answer.data(),
        json!({ "provider": "gitlab", "auth_data": null })
    );
}

#[tokio::test]
async fn a_revision_holds_the_whole_user_and_what_changed() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;

    admin
        .patch(
            &ada.path(),
            json!({ "title": "CTO", "password": "another secret" }),
        )
        .await
        .data();

    let sql = format!(
        "SELECT CAST(data AS TEXT), CAST(delta AS TEXT) FROM revisions WHERE item = '{}' \
         ORDER BY id DESC LIMIT 1",
        ada.id
    );
    let rows = server.database().rows(&sql).await;
    let read = |at: usize| {
        let text = rows[0][at].clone().expect("JSON");
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")
    };
    assert_eq!(read(1), json!({ "title": "CTO", "password": "**********" }));
    assert_eq!(read(0)["email"], "ada@example.com");
    assert_eq!(read(0)["password"], "**********");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_at_the_same_time_are_all_made() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;
    let fields = ["first_name", "last_name", "location", "title"];

    let changes = fields.map(|field| {
        let (admin, path) = (admin.clone(), ada.path());
        tokio::spawn(async move { admin.patch(&path, json!({ field: "changed" })).await })
    });
    for change in changes {
        assert_eq!(change.await.expect("an answer").outcome(), "200");
    }

    let path = format!("{}?fields={}", ada.path(), fields.join(","));
    let expected = json!({
        "first_name": "changed", "last_name": "changed", "location": "changed", "title": "changed",
    });
    assert_eq!(admin.get(&path).await.data(), expected);
    let version = match kind() {
        Kind::Sqlite => "CAST(roster_version AS TEXT)",
        Kind::Postgres => "roster_version::text",
    };
    let sql = format!("SELECT {version} FROM users WHERE email = 'ada@example.com'");
    assert_eq!(server.database().text(&sql).await, "5");
}

#[tokio::test]
async fn the_password_of_somebody_else_needs_no_proof() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;

    let answer = admin
        .patch(&ada.path(), json!({ "password": "another secret" }))
        .await;

    assert_eq!(answer.outcome(), "200");
    assert_eq!(
        server.login(&ada.email, "another secret").await.outcome(),
        "200"
    );
    assert_eq!(
        server.login(&ada.email, PASSWORD).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}
