use roster_tests::{ADMIN, Client, PASSWORD, Setup, TestServer, eventually};
use serde_json::{Value as Json, json};

async fn allow(admin: &Client, attempts: Json) {
    admin
        .patch("/settings", json!({ "auth_login_attempts": attempts }))
        .await
        .data();
}

async fn status(admin: &Client, user: &Client) -> Json {
    admin.get(&user.path()).await.data()["status"].clone()
}

#[tokio::test]
async fn the_attempt_too_many_suspends_and_is_refused_even_with_the_right_password() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    allow(&admin, json!(3)).await;
    for _ in 0..3 {
        let answer = server.login(&ada.email, "wrong").await;
        assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS");
    }
    assert_eq!(status(&admin, &ada).await, "active");

    let answer = server.login(&ada.email, PASSWORD).await;

    assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS");
    assert_eq!(status(&admin, &ada).await, "suspended");
    assert_eq!(
        ada.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(
        server.refresh(&ada.refresh_token).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    let database = server.database();
    assert_eq!(database.count("activity", "action = 'locked'").await, 1);
    let failed = "action = 'login_failed' AND outcome = 'failure'";
    assert_eq!(database.count("activity", failed).await, 4);
    // Whoever lets them in again lets them start from zero.
    admin
        .patch(&ada.path(), json!({ "status": "active" }))
        .await
        .data();
    assert_eq!(server.login(&ada.email, PASSWORD).await.outcome(), "200");
}

#[tokio::test]
async fn guesses_at_the_same_time_are_all_counted() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    allow(&admin, json!(5)).await;

    let guesses = (0..20).map(|_| {
        let (server, email) = ((*server).clone(), ada.email.clone());
        tokio::spawn(async move { server.login(&email, "wrong").await })
    });
    for guess in guesses.collect::<Vec<_>>() {
        assert_eq!(guess.await.expect("an answer").status, 401);
    }

    assert_eq!(status(&admin, &ada).await, "suspended");
}

#[tokio::test]
async fn every_spelling_of_an_address_counts_for_the_same_user() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    allow(&admin, json!(3)).await;

    for spelling in [
        "ada@example.com",
        "ADA@example.com",
        "Ada@Example.Com",
        "ａda@example.com",
    ] {
        server.login(spelling, "wrong").await;
    }

    assert_eq!(status(&admin, &ada).await, "suspended");
}

#[tokio::test]
async fn a_wrong_present_password_counts_as_a_wrong_login() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let bob = json!({ "email": "bob@example.com", "password": PASSWORD, "role": admin.get("/users/me").await.data()["role"] });
    admin.post("/users", bob).await.data();
    let bob = server.sign_in("bob@example.com").await;
    allow(&admin, json!(3)).await;

    server.login(&bob.email, "wrong").await;
    let change = json!({ "password": "another-password-9", "current_password": "wrong" });
    let refused = bob.patch("/users/me", change).await;
    assert_eq!(refused.outcome(), "401 INVALID_CREDENTIALS");
    let refused = bob
        .post("/users/me/tfa/generate", json!({ "password": "wrong" }))
        .await;
    assert_eq!(refused.outcome(), "401 INVALID_CREDENTIALS");
    server.login(&bob.email, "wrong").await;

    assert_eq!(status(&admin, &bob).await, "suspended");
}

#[tokio::test]
async fn no_setting_allows_more_than_a_hundred_guesses() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    allow(&admin, Json::Null).await;
    server
        .database()
        .execute("UPDATE users SET roster_failed_logins = 100 WHERE email = 'ada@example.com'")
        .await;

    let answer = server.login(&ada.email, PASSWORD).await;

    assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS");
    assert_eq!(status(&admin, &ada).await, "suspended");
}

#[tokio::test]
async fn a_lock_for_a_time_refuses_every_way_in_and_ends_by_itself() {
    let server = Setup::new().set("auth.lockout", "3s").start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    allow(&admin, json!(1)).await;

    server.login(&ada.email, "wrong").await;
    server.login(&ada.email, "wrong").await;

    assert_eq!(
        server.login(&ada.email, PASSWORD).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(
        server.refresh(&ada.refresh_token).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(status(&admin, &ada).await, "active");
    let open = async || (server.login(&ada.email, PASSWORD).await.status == 200).then_some(());
    eventually("the end of the lock", open).await;
    assert_eq!(server.refresh(&ada.refresh_token).await.outcome(), "200");
}

#[tokio::test]
async fn the_last_administrator_is_locked_for_a_while_instead() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    allow(&admin, json!(2)).await;

    for _ in 0..3 {
        server.login(ADMIN, "wrong").await;
    }

    assert_eq!(
        server.login(ADMIN, PASSWORD).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(status(&admin, &admin).await, "active");
    let locked = "roster_locked_until IS NOT NULL";
    assert_eq!(server.database().count("users", locked).await, 1);
}
