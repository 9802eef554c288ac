//! Claims for access tokens, and what is told of what happens at the door.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use roster_sdk::{Event, Linked, Rejection};
use roster_stock_plugin::Stock;
use roster_tests::{ADMIN, Answer, PASSWORD, Recorder, Setup, TestServer};
use serde_json::{Value as Json, json};

fn both(section: &str) -> [Setup; 2] {
    let section = format!(
        "timeout = '10s'\ncapabilities = {{ store = true, fields.read = ['title', 'email'] }}\n{section}"
    );
    [
        Setup::new()
            .linked(Linked::hooks::<Stock>("stock"))
            .plugin("stock", &section),
        Setup::new().guest(
            "stock",
            "roster-stock-plugin",
            section.trim_start_matches("timeout = '10s'\n"),
        ),
    ]
}

/// The claims of an access token that are not ours.
fn added(token: &str) -> Json {
    let payload = token.split('.').nth(1).expect("three parts");
    let bytes = URL_SAFE_NO_PAD.decode(payload).expect("bytes");
    let mut claims: Json = serde_json::from_slice(&bytes).expect("JSON");
    let claims = claims.as_object_mut().expect("an object");
    for own in [
        "id",
        "role",
        "app_access",
        "admin_access",
        "sid",
        "session",
        "act",
        "iat",
        "exp",
        "iss",
    ] {
        claims.remove(own);
    }
    json!(claims)
}

fn text(answer: &Json, name: &str) -> String {
    answer[name].as_str().expect("a text").to_owned()
}

/// The session cookie of an answer.
fn cookie(answer: &Answer) -> String {
    let line = answer.header("set-cookie");
    let value = line.split(';').next().unwrap_or_default();
    value.split('=').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn hooks_add_claims_to_every_access_token() {
    for setup in both("config = { claims = { team = 'math' } }") {
        let server = setup.start().await;
        let (admin, ada) = (server.admin().await, server.member("ada").await);
        let title = json!({ "title": "Countess" });
        admin.patch(&ada.path(), title).await.data();
        let expected = json!({ "team": "math", "title": "Countess" });
        let stranger = server.stranger();
        let login = async |mode: &str| {
            let body = json!({ "email": ada.email, "password": PASSWORD, "mode": mode });
            stranger.post("/auth/login", body).await
        };

        let json = login("json").await.data();
        assert_eq!(added(&text(&json, "access_token")), expected);
        let in_cookie = login("cookie").await.data();
        assert_eq!(added(&text(&in_cookie, "access_token")), expected);
        assert_eq!(added(&cookie(&login("session").await)), expected);
        let refreshed = server.refresh(&text(&json, "refresh_token")).await.data();
        assert_eq!(added(&text(&refreshed, "access_token")), expected);
        let path = format!("{}/impersonate", ada.path());
        let acting = admin.post(&path, json!({ "reason": "x" })).await.data();
        assert_eq!(added(&text(&acting, "access_token")), expected);

        // Tokens with them are as good as others.
        let ada = server.bearer(text(&refreshed, "access_token"));
        assert_eq!(ada.get("/users/me").await.status, 200);
    }
}

#[tokio::test]
async fn a_claim_of_ours_or_a_hook_that_fails_gives_no_token_unless_it_may_be_skipped() {
    for claim in [
        "admin_access = true",
        "sub = 'x'",
        "act = { sub = 'x' }",
        "enforce_tfa = true",
    ] {
        for setup in both(&format!("config = {{ claims = {{ {claim} }} }}")) {
            let server = setup.start().await;
            let refused = server.login(ADMIN, PASSWORD).await;
            assert_eq!(refused.outcome(), "500 PLUGIN_FAILED", "{claim}");
            assert_eq!(server.database().count("sessions", "1 = 1").await, 0);
        }
    }
    for setup in both("on_failure = 'skip'\nconfig = { claims = { sub = 'x' } }") {
        let server = setup.start().await;
        let tokens = server.login(ADMIN, PASSWORD).await.data();
        assert_eq!(added(&text(&tokens, "access_token")), json!({}));
    }
}

/// Plugins that have nothing against claims at first, and then fail.
#[tokio::test]
async fn a_refresh_whose_claims_fail_keeps_its_token() {
    let server = Setup::new().start().await;
    let tokens = server.login(ADMIN, PASSWORD).await.data();
    let token = text(&tokens, "refresh_token");
    let [bad, _] = both("config = { claims = { sub = 'x' } }");
    let database = server.stop().await;

    let server = bad.on(&database).start().await;
    assert_eq!(server.refresh(&token).await.outcome(), "500 PLUGIN_FAILED");
    let database = server.stop().await;

    let server = Setup::new().on(&database).start().await;
    assert_eq!(server.refresh(&token).await.status, 200);
}

async fn kept(server: &TestServer, key: &str) -> Json {
    let sql = format!("SELECT CAST(value AS TEXT) FROM plugin_store WHERE key = '{key}'");
    let text = server.database().text(&sql).await;
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test]
async fn refused_logins_and_lock_outs_are_told_to_those_who_subscribe() {
    for setup in both("") {
        let server = setup.start().await;
        let (admin, ada) = (server.admin().await, server.member("ada").await);
        let settings = json!({ "auth_login_attempts": 1 });
        admin.patch("/settings", settings).await.data();

        server.login("nobody@example.com", "wrong").await;
        server.settled().await;
        assert_eq!(kept(&server, "failed").await, json!(["default", null]));

        server.login(&ada.email, "wrong").await;
        server.login(&ada.email, PASSWORD).await;
        server.settled().await;
        assert_eq!(kept(&server, "failed").await, json!(["default", ada.email]));
        assert_eq!(kept(&server, "locked").await, json!(ada.email));
    }
}

#[tokio::test]
async fn each_refusal_is_told_once_and_a_login_that_goes_well_is_none() {
    let events = [
        Event::BeforeLogin,
        Event::AfterLogin,
        Event::AfterLoginFailed,
        Event::AfterLocked,
    ];
    let recorder = Recorder::of(&events).before(|call, _| {
        if call.text("title") == "refused" {
            return Err(Rejection::new("NO", "No.").into());
        }
        Ok(())
    });
    let server = Setup::new().record(&recorder).start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    let title = json!({ "title": "refused" });
    let eve = server.member("eve").await;
    admin.patch(&eve.path(), title).await.data();
    server.settled().await;
    let seen = async |act: &dyn Fn() -> (String, &'static str)| {
        recorder.forget();
        let (email, password) = act();
        server.login(&email, password).await;
        server.settled().await;
        recorder.events()
    };

    let right = seen(&|| (ada.email.clone(), PASSWORD)).await;
    assert_eq!(right, ["login.before", "login.after"]);
    let wrong = seen(&|| (ada.email.clone(), "wrong")).await;
    assert_eq!(wrong, ["login_failed.after"]);
    assert_eq!(recorder.calls()[0].item, ada.id);
    let nobody = seen(&|| ("nobody@example.com".to_owned(), "wrong")).await;
    assert_eq!(nobody, ["login_failed.after"]);
    assert!(recorder.calls()[0].values.is_empty());
    let refused = seen(&|| (eve.email.clone(), PASSWORD)).await;
    assert_eq!(refused, ["login.before", "login_failed.after"]);

    // A wrong present password is noted as a wrong login, so it is told as one.
    recorder.forget();
    let body = json!({ "password": "another good one", "current_password": "wrong" });
    let refused = admin.json(Method::PATCH, "/users/me", &body).await;
    assert_eq!(refused.outcome(), "401 INVALID_CREDENTIALS");
    server.settled().await;
    assert_eq!(recorder.events(), ["login_failed.after"]);
}
