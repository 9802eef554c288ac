use roster_tests::{Setup, TestServer, eventually};
use serde_json::{Value as Json, json};

fn ids(list: &Json) -> Vec<String> {
    let list = list.as_array().expect("a list").iter();
    list.map(|one| one["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[tokio::test]
async fn users_see_where_they_are_signed_in() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let body = json!({ "email": ada.email, "password": roster_tests::PASSWORD });
    let headers = [
        ("user-agent", "Phone/1"),
        ("content-type", "application/json"),
    ];
    server
        .stranger()
        .send(
            reqwest::Method::POST,
            "/auth/login",
            &headers,
            body.to_string().into(),
        )
        .await
        .data();

    let list = ada.get("/users/me/sessions").await.data();

    let list = list.as_array().expect("a list");
    assert_eq!(list.len(), 2);
    assert_eq!(
        (&list[0]["user_agent"], &list[0]["is_current"]),
        (&json!("Phone/1"), &json!(false))
    );
    assert_eq!(list[1]["is_current"], true);
    assert_eq!(list[1]["ip"], "127.0.0.1");
    assert_eq!(list[1]["mode"], "json");
    assert!(list[1]["last_used_at"].is_string() && list[1]["expires_at"].is_string());
}

#[tokio::test]
async fn users_end_one_session_or_all_others() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let (second, third) = (
        server.sign_in(&ada.email).await,
        server.sign_in(&ada.email).await,
    );
    let of_second = ids(&second.get("/users/me/sessions").await.data())[1].clone();

    ada.delete(&format!("/users/me/sessions/{of_second}"))
        .await
        .done();

    assert_eq!(
        second.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(third.get("/users/me").await.outcome(), "200");
    ada.delete("/users/me/sessions").await.done();
    assert_eq!(
        third.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(
        server.refresh(&third.refresh_token).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(ada.get("/users/me").await.outcome(), "200");
}

#[tokio::test]
async fn nobody_ends_or_sees_sessions_of_others_but_administrators() {
    let server = TestServer::start().await;
    let (admin, ada, bob) = (
        server.admin().await,
        server.member("ada").await,
        server.member("bob").await,
    );
    let of_bob = ids(&bob.get("/users/me/sessions").await.data())[0].clone();

    for path in [
        format!("/users/me/sessions/{of_bob}"),
        format!("{}/sessions/{of_bob}", bob.path()),
        format!("{}/sessions", bob.path()),
        "/users/me/sessions/nonsense".to_owned(),
    ] {
        assert_eq!(ada.delete(&path).await.outcome(), "403 FORBIDDEN", "{path}");
    }
    let sessions = format!("{}/sessions", bob.path());
    assert_eq!(ada.get(&sessions).await.outcome(), "403 FORBIDDEN");
    assert_eq!(bob.get("/users/me").await.outcome(), "200");

    let listed = ids(&admin.get(&sessions).await.data());
    assert_eq!(listed, std::slice::from_ref(&of_bob));
    admin.delete(&format!("{sessions}/{of_bob}")).await.done();
    assert_eq!(
        bob.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    server.sign_in(&bob.email).await;
    admin.delete(&sessions).await.done();
    assert_eq!(admin.get(&sessions).await.data(), json!([]));
    assert_eq!(admin.get("/users/me").await.outcome(), "200");
}

#[tokio::test]
async fn a_session_that_is_not_used_ends() {
    let server = Setup::new()
        .set("auth.refresh_token_ttl", "1s")
        .start()
        .await;
    let admin = server.admin().await;

    let ended = async || {
        let list = admin.get("/users/me/sessions").await.data();
        (list == json!([])).then_some(())
    };
    eventually("the end of the session", ended).await;

    assert_eq!(
        server.refresh(&admin.refresh_token).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}

#[tokio::test]
async fn a_session_ends_however_much_it_is_used() {
    let server = Setup::new().set("auth.session_max_age", "1s").start().await;
    let admin = server.admin().await;

    let ended = async || {
        let answer = admin.get("/users/me").await;
        (answer.outcome() == "401 INVALID_CREDENTIALS").then_some(())
    };
    eventually("the end of the session", ended).await;

    assert_eq!(
        server.refresh(&admin.refresh_token).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}

#[tokio::test]
async fn the_last_use_of_a_session_is_kept_to_a_minute() {
    let server = TestServer::start().await;
    let (ada, admin) = (server.member("ada").await, server.admin().await);
    let last_used = async || {
        let list = admin.get(&format!("{}/sessions", ada.path())).await.data();
        list[0]["last_used_at"].as_str().expect("a time").to_owned()
    };
    let old = "2026-01-01T00:00:00.000Z";
    let sql = format!("UPDATE sessions SET last_used_at = '{old}'");
    server.database().execute(&sql).await;
    assert_eq!(last_used().await, old);

    ada.get("/users/me").await.data();

    let used = last_used().await;
    assert!(used.as_str() > old, "{used}");
    ada.get("/users/me").await.data();
    assert_eq!(last_used().await, used);
}

#[tokio::test]
async fn a_shorter_life_of_sessions_counts_for_those_that_are_there() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let token = ada.token.clone().expect("a token");
    let database = server.stop().await;

    let setup = Setup::new().on(&database);
    let server = setup.set("auth.session_max_age", "2s").start().await;

    let refresh_token = ada.refresh_token;
    let ada = server.bearer(token);
    let ended = async || (ada.get("/users/me").await.status == 401).then_some(());
    eventually("the end of a session", ended).await;
    let refreshed = server.refresh(&refresh_token).await;
    assert_eq!(refreshed.outcome(), "401 INVALID_CREDENTIALS");
    assert_eq!(server.admin().await.get("/users/me").await.outcome(), "200");
}
