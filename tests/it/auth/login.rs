use std::time::{Duration, Instant};

use insta::assert_snapshot;
use roster_tests::{ADMIN, PASSWORD, Setup, TestServer};
use serde_json::json;

#[tokio::test]
async fn a_login_gives_tokens_and_notes_when() {
    let server = TestServer::start().await;

    let answer = server.login(ADMIN, PASSWORD).await;

    let tokens = answer.data();
    assert_eq!(tokens["expires"], 900_000);
    assert_eq!(tokens["refresh_token"].as_str().map(str::len), Some(75));
    assert_eq!(tokens.as_object().map(serde_json::Map::len), Some(3));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("set-cookie"), "");
    let admin = server.bearer(tokens["access_token"].as_str().expect("a token"));
    let me = admin.get("/users/me?fields=last_access").await.data();
    assert!(me["last_access"].is_string(), "{me}");
    assert_eq!(
        server
            .database()
            .count("activity", "action = 'login'")
            .await,
        1
    );
}

#[tokio::test]
async fn every_refusal_looks_the_same() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let make = async |name: &str, more: serde_json::Value| {
        let mut body = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
        body.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("one").clone());
        admin.post("/users", body).await.data();
    };
    for status in ["draft", "invited", "unverified", "suspended", "archived"] {
        make(status, json!({ "status": status })).await;
    }
    make("sso", json!({ "provider": "github" })).await;
    make("nopassword", json!({ "password": null })).await;

    let unknown = server.login("nobody@example.com", PASSWORD).await;

    assert_snapshot!(unknown, @r#"
    401
    {"errors":[{"message":"Invalid user credentials.","extensions":{"code":"INVALID_CREDENTIALS"}}]}
    "#);
    let wrong = server.login(ADMIN, "wrong").await;
    assert_eq!(wrong.to_string(), unknown.to_string());
    for name in [
        "draft",
        "invited",
        "unverified",
        "suspended",
        "archived",
        "sso",
        "nopassword",
    ] {
        let refused = server.login(&format!("{name}@example.com"), PASSWORD).await;
        assert_eq!(refused.to_string(), unknown.to_string(), "{name}");
        let headers = |answer: &roster_tests::Answer| {
            let names = answer.headers.keys().map(ToString::to_string);
            names.collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(headers(&refused), headers(&unknown), "{name}");
    }
}

#[tokio::test]
async fn a_refusal_takes_its_time() {
    let server = Setup::new().set("auth.login_stall", "300ms").start().await;

    for (email, password) in [("nobody@example.com", PASSWORD), (ADMIN, "wrong")] {
        let begun = Instant::now();
        assert_eq!(
            server.login(email, password).await.outcome(),
            "401 INVALID_CREDENTIALS"
        );
        assert!(
            begun.elapsed() >= Duration::from_millis(300),
            "{:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test]
async fn everything_wrong_with_a_login_is_said_at_once() {
    let server = TestServer::start().await;
    let stranger = server.stranger();
    let login = async |body| stranger.post("/auth/login", body).await;

    assert_snapshot!(login(json!({})).await, @r#"
    400
    {"errors":[{"message":"Invalid payload. \"email\" is required. \"password\" is required.","extensions":{"reason":"\"email\" is required. \"password\" is required","code":"INVALID_PAYLOAD"}}]}
    "#);
    assert_snapshot!(login(json!({"email": 1, "password": [], "mode": "x", "otp": 1})).await, @r#"
    400
    {"errors":[{"message":"Invalid payload. \"email\" must be a string. \"password\" must be a string. \"otp\" must be a string. \"mode\" must be one of [cookie, json, session].","extensions":{"reason":"\"email\" must be a string. \"password\" must be a string. \"otp\" must be a string. \"mode\" must be one of [cookie, json, session]","code":"INVALID_PAYLOAD"}}]}
    "#);
    assert_snapshot!(login(json!({"email": "nonsense", "password": "x"})).await, @r#"
    400
    {"errors":[{"message":"Invalid payload. \"email\" must be a valid email.","extensions":{"reason":"\"email\" must be a valid email","code":"INVALID_PAYLOAD"}}]}
    "#);
    assert_snapshot!(login(json!([])).await, @r#"
    400
    {"errors":[{"message":"Invalid payload. \"value\" must be of type object.","extensions":{"reason":"\"value\" must be of type object","code":"INVALID_PAYLOAD"}}]}
    "#);
}

#[tokio::test]
async fn null_is_as_good_as_nothing() {
    let server = TestServer::start().await;

    let body =
        json!({ "email": ADMIN, "password": PASSWORD, "mode": null, "otp": null, "more": 1 });
    let answer = server.stranger().post("/auth/login", body).await;

    assert_eq!(answer.outcome(), "200");
}

#[tokio::test]
async fn a_weak_hash_is_replaced_at_the_next_good_login() {
    let weak = Setup::new()
        .set("auth.password.memory", "32KiB")
        .start()
        .await;
    let database = weak.stop().await;
    let hash = "SELECT password FROM users";
    assert!(
        database
            .text(hash)
            .await
            .starts_with("$argon2id$v=19$m=32,t=1,p=1$")
    );

    let server = Setup::new().on(&database).start().await;
    let wrong = server.login(ADMIN, "wrong").await;
    assert_eq!(wrong.outcome(), "401 INVALID_CREDENTIALS");
    assert!(
        database
            .text(hash)
            .await
            .starts_with("$argon2id$v=19$m=32,")
    );
    assert_eq!(server.login(ADMIN, PASSWORD).await.outcome(), "200");

    assert!(
        database
            .text(hash)
            .await
            .starts_with("$argon2id$v=19$m=64,")
    );
    assert_eq!(server.login(ADMIN, PASSWORD).await.outcome(), "200");
}

#[tokio::test]
async fn there_are_no_other_providers_yet() {
    let server = TestServer::start().await;

    assert_snapshot!(server.stranger().get("/auth").await, @r#"
    200
    {"data":[],"disableDefault":false}
    "#);
    assert_eq!(
        server
            .stranger()
            .post("/auth/login/github", json!({}))
            .await
            .outcome(),
        "404 ROUTE_NOT_FOUND"
    );
}
