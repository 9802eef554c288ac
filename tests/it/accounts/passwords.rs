use roster_tests::{Client, Setup, TestServer};
use serde_json::json;

async fn change(admin: &Client, id: &str, password: &str) -> String {
    let body = json!({ "password": password });
    admin.patch(&format!("/users/{id}"), body).await.outcome()
}

#[tokio::test]
async fn common_passwords_and_words_around_the_user_are_refused() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada.lovelace").await);
    let name = json!({ "project_name": "Analytical Engines" });
    admin.patch("/settings", name).await.data();

    for bad in [
        "password1",
        "P@ssw0rd!",
        "qwertyuiop",
        "iloveyou2024",
        "aaaaaaaaaa",
        "12345678",
        "lovelace1815",
        "ada.lovelace@example.com",
        "analytical!",
        "roster2026!",
    ] {
        assert_eq!(
            change(&admin, &ada.id, bad).await,
            "400 FAILED_VALIDATION",
            "{bad}"
        );
    }

    assert_eq!(change(&admin, &ada.id, "the engine weaves").await, "200");
}

#[tokio::test]
async fn the_list_can_be_turned_off_and_the_least_length_raised() {
    let server = Setup::new()
        .set("auth.password.reject_common", "false")
        .set("auth.password.min_length", "15")
        .set("admin.password", "a-longer-password-9")
        .lived_in()
        .await
        .start()
        .await;
    let admin = server.admin().await;

    assert_eq!(
        change(&admin, &admin.id, "passwordpass").await,
        "400 FAILED_VALIDATION"
    );
    let user = json!({ "password": "passwordpassword" });
    assert_eq!(admin.post("/users", user).await.outcome(), "200");
}

#[tokio::test]
async fn passwords_that_predate_the_list_still_log_in() {
    let lax = Setup::new()
        .set("auth.password.reject_common", "false")
        .start()
        .await;
    let user = json!({ "email": "ada@example.com", "password": "password1" });
    lax.admin().await.post("/users", user).await.data();
    let database = lax.stop().await;

    let server = Setup::new().on(&database).start().await;

    assert_eq!(
        server.login("ada@example.com", "password1").await.outcome(),
        "200"
    );
}
