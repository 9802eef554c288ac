use insta::assert_snapshot;
use roster_tests::TestServer;
use uuid::Uuid;

#[tokio::test]
async fn a_removed_user_is_gone_with_sessions_and_attachments() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;

    admin.delete(&ada.path()).await.done();

    assert_eq!(admin.get(&ada.path()).await.outcome(), "403 FORBIDDEN");
    assert_eq!(
        server
            .database()
            .count("users", "email = 'ada@example.com'")
            .await,
        0
    );
    let own = format!("\"user\" = '{}'", ada.id);
    assert_eq!(server.database().count("sessions", &own).await, 0);
    let removals = server
        .database()
        .count("activity", "action = 'delete'")
        .await;
    assert_eq!(removals, 1);
}

#[tokio::test]
async fn missing_malformed_and_repeated_are_forbidden_alike() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;
    admin.delete(&ada.path()).await.done();

    let missing = admin.delete(&format!("/users/{}", Uuid::new_v4())).await;

    assert_snapshot!(missing, @r#"
    403
    {"errors":[{"message":"You don't have permission to access this.","extensions":{"code":"FORBIDDEN"}}]}
    "#);
    assert_eq!(
        admin.delete(&ada.path()).await.to_string(),
        missing.to_string()
    );
    assert_eq!(
        admin.delete("/users/7").await.to_string(),
        missing.to_string()
    );
}

#[tokio::test]
async fn an_address_is_free_again_and_old_tokens_do_not_name_the_new_user() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let old = server.member("ada").await;
    admin.delete(&old.path()).await.done();

    let new = server.member("ada").await;

    assert_ne!(new.id, old.id);
    assert_eq!(
        old.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(
        server.refresh(&old.refresh_token).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(new.get("/users/me").await.outcome(), "200");
}
