use roster_tests::{PASSWORD, TestServer};
use serde_json::json;

#[tokio::test]
async fn what_happens_around_logins_is_in_the_activity_with_how_it_ended() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    let settings = json!({ "auth_login_attempts": 1 });
    admin.patch("/settings", settings).await.data();
    ada.post("/users/me/tokens", json!({ "name": "backup" }))
        .await
        .data();
    let second = server.sign_in(&ada.email).await;
    second.delete("/users/me/sessions").await.done();
    server.login(&ada.email, "wrong").await;
    server.login(&ada.email, PASSWORD).await;

    let of_ada = format!("item = '{}'", ada.id);
    let rows = server
        .database()
        .rows(&format!(
            "SELECT action, outcome, detail FROM activity WHERE {of_ada} AND action <> 'login' ORDER BY id"
        ))
        .await;
    let rows: Vec<String> = rows
        .into_iter()
        .map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" "))
        .collect();

    let expected = [
        "create success",
        "token_created success backup",
        "sessions_ended success",
        "login_failed failure password",
        "update success",
        "locked success suspended",
        "login_failed failure password",
    ];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn a_failed_login_of_nobody_leaves_no_trace_of_what_was_typed() {
    let server = TestServer::start().await;

    server
        .login("secret-typed-as-address@example.com", "wrong")
        .await;

    let everything = server.database().everything().await;
    assert!(!everything.contains("secret-typed-as-address"));
}
