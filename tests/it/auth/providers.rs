//! Who comes in by a provider, and who does not.

use reqwest::Method;
use roster_sdk::{Event, Rejection};
use roster_tests::{Answer, Client, OneTime, Recorder, Setup, TestServer, Upstream};
use serde_json::{Value as Json, json};

use crate::pages::Browser;
use crate::plugins::logins::{come_back, elsewhere, nonce, place, section, with_provider};

const REGISTER: &str = "login = { register = true }";

/// Logs in with a name and a secret.
async fn login(server: &TestServer, name: &str, secret: &str) -> Answer {
    let body = json!({ "identifier": name, "password": secret });
    server.stranger().post("/auth/login/redirect", body).await
}

/// Logs in with a redirect in a new browser; gives the reason of a refusal.
async fn redirected(server: &TestServer, code: &str, query: &str) -> String {
    let answer = come_back(&Browser::of(server), "redirect", query, code).await;
    let place = place(&answer);
    let reason = place.split_once("reason=").map(|(_, reason)| reason);
    reason.unwrap_or("in").to_owned()
}

async fn registering(upstream: &Upstream) -> TestServer {
    with_provider(upstream, "redirect", REGISTER).start().await
}

/// A server with two providers, `redirect` and `second`, that ask at the same place.
async fn with_two(upstream: &Upstream) -> TestServer {
    let linked = roster_sdk::Linked::auth_provider::<roster_redirect_plugin::RedirectProvider>;
    let setup = with_provider(upstream, "redirect", REGISTER).linked(linked("second"));
    let section = section(upstream, REGISTER);
    setup.plugin("second", &section).start().await
}

/// The users of a provider, as an administrator sees them.
async fn users(admin: &Client, fields: &str) -> Json {
    let path = format!("/users?filter[provider]=redirect&sort=external_identifier&fields={fields}");
    admin.get(&path).await.data()
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_no_route() {
    let upstream = elsewhere().await;
    let server = registering(&upstream).await;
    let stranger = server.stranger();

    for name in ["nobody", "log", "default", "password"] {
        for path in ["", "/callback"] {
            let path = format!("/auth/login/{name}{path}");
            for answer in [
                stranger.get(&path).await,
                stranger
                    .send(Method::POST, &path, &[FORM], Vec::new())
                    .await,
            ] {
                assert_eq!(answer.outcome(), "404 ROUTE_NOT_FOUND", "{path}");
                assert!(answer.text.contains(&path), "{}", answer.text);
            }
        }
    }
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test]
async fn strangers_become_users_only_where_the_operator_says_so() {
    let upstream = elsewhere().await;
    let closed = with_provider(&upstream, "redirect", "").start().await;

    let refused = login(&closed, "ada", "ada-sesame").await;
    let wrong = login(&closed, "ada", "wrong").await;
    assert_eq!(refused.to_string(), wrong.to_string());
    assert_eq!(refused.outcome(), "401 INVALID_CREDENTIALS");
    assert_eq!(
        redirected(&closed, "ada-sesame", "").await,
        "INVALID_CREDENTIALS"
    );
    assert_eq!(closed.database().count("users", "1 = 1").await, 1);

    // Who was made by an administrator comes in.
    let admin = closed.admin().await;
    let ada = json!({ "provider": "redirect", "external_identifier": "ada-1" });
    admin.post("/users", ada).await.data();
    assert_eq!(login(&closed, "ada", "ada-sesame").await.status, 200);
}

#[tokio::test]
async fn a_new_user_has_the_configured_role_and_what_the_provider_proved() {
    let upstream = elsewhere().await;
    let server = TestServer::start().await;
    let role = json!({ "name": "Members" });
    let role = server.admin().await.post("/roles", role).await.data();
    let role = role["id"].as_str().expect("an id").to_owned();
    let database = server.stop().await;
    let section = format!("login = {{ register = true, role = '{role}' }}");
    let setup = with_provider(&upstream, "redirect", &section).on(&database);
    let server = setup.start().await;
    let admin = server.admin().await;

    assert_eq!(login(&server, "ada", "ada-sesame").await.status, 200);
    assert_eq!(
        login(&server, "eve", "eve.unproved-sesame").await.status,
        200
    );

    let fields = "email,role,status,first_name,external_identifier,auth_data";
    let expected = json!([
        { "email": "ada@example.com", "role": role, "status": "active", "first_name": "ada",
          "external_identifier": "ada-1", "auth_data": "**********" },
        { "email": null, "role": role, "status": "active", "first_name": "eve.unproved",
          "external_identifier": "eve.unproved-1", "auth_data": "**********" },
    ]);
    let mut users = users(&admin, fields).await;
    for user in users.as_array_mut().expect("a list") {
        if user["auth_data"] == json!({ "groups": ["math"] }) {
            user["auth_data"] = json!("**********");
        }
    }
    assert_eq!(users, expected);
}

#[tokio::test]
async fn an_address_finds_nobody_and_one_that_is_taken_lets_nobody_in() {
    let upstream = elsewhere().await;
    for more in ["", "[users]\non_archived_email = 'inherit'"] {
        let section = format!("{REGISTER}\n{more}");
        let setup = with_provider(&upstream, "redirect", &section);
        let server = setup.start().await;
        let (admin, ada) = (server.admin().await, server.member("ada").await);
        if !more.is_empty() {
            let archived = json!({ "status": "archived" });
            admin.patch(&ada.path(), archived).await.data();
        }
        let before = admin.get(&ada.path()).await.data();

        assert_eq!(
            login(&server, "ada", "ada-sesame").await.outcome(),
            "403 INVALID_PROVIDER"
        );
        assert_eq!(
            redirected(&server, "ada-sesame", "").await,
            "INVALID_PROVIDER"
        );

        let mut after = admin.get(&ada.path()).await.data();
        after["last_access"] = before["last_access"].clone();
        assert_eq!(after, before);
        assert_eq!(users(&admin, "id").await, json!([]));
    }
}

#[tokio::test]
async fn one_identifier_at_two_providers_is_two_people() {
    let upstream = elsewhere().await;
    let server = with_two(&upstream).await;

    for provider in ["redirect", "second"] {
        let body = json!({ "identifier": "ada", "password": "ada.unproved-sesame" });
        let path = format!("/auth/login/{provider}");
        assert_eq!(server.stranger().post(&path, body).await.status, 200);
    }

    let known = "external_identifier = 'ada.unproved-1'";
    assert_eq!(server.database().count("users", known).await, 2);
    // At one of them it is one.
    let admin = server.admin().await;
    let twice = json!({ "provider": "second", "external_identifier": "ada.unproved-1" });
    let answer = admin.post("/users", twice).await;
    assert_eq!(answer.outcome(), "400 RECORD_NOT_UNIQUE");
    assert!(
        answer.text.contains("external_identifier"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn first_logins_at_the_same_time_make_one_user() {
    let upstream = elsewhere().await;
    let server = registering(&upstream).await;

    let logins = (0..8).map(|_| login(&server, "ada", "ada-sesame"));
    let answers = futures_util::future::join_all(logins).await;

    assert!(
        answers.iter().all(|answer| answer.status == 200),
        "{answers:?}"
    );
    let known = "external_identifier = 'ada-1'";
    assert_eq!(server.database().count("users", known).await, 1);
}

#[tokio::test]
async fn who_is_not_active_or_locked_out_comes_in_by_no_provider() {
    let upstream = elsewhere().await;
    let server = registering(&upstream).await;
    let admin = server.admin().await;
    login(&server, "ada", "ada-sesame").await.data();
    let id = users(&admin, "id").await[0]["id"].clone();
    let path = format!("/users/{}", id.as_str().expect("an id"));

    for status in ["draft", "invited", "unverified", "suspended", "archived"] {
        admin.patch(&path, json!({ "status": status })).await.data();
        assert_eq!(
            login(&server, "ada", "ada-sesame").await.outcome(),
            "401 INVALID_CREDENTIALS",
            "{status}"
        );
        assert_eq!(
            redirected(&server, "ada-sesame", "").await,
            "INVALID_CREDENTIALS"
        );
    }
    admin
        .patch(&path, json!({ "status": "active" }))
        .await
        .data();
    assert_eq!(login(&server, "ada", "ada-sesame").await.status, 200);
    let locked = "UPDATE users SET roster_locked_until = '2999-01-01T00:00:00.000Z' \
                  WHERE provider = 'redirect'";
    server.database().execute(locked).await;
    assert_eq!(
        login(&server, "ada", "ada-sesame").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}

#[tokio::test]
async fn guesses_at_a_name_are_counted_however_it_is_written() {
    let upstream = elsewhere().await;
    let server = registering(&upstream).await;
    let admin = server.admin().await;
    let settings = json!({ "auth_login_attempts": 3 });
    admin.patch("/settings", settings).await.data();
    for name in ["ada", "ADA", "ada"] {
        login(&server, name, "wrong").await;
    }
    let asked = upstream.asked().len();

    let right = login(&server, "ada", "ada-sesame").await;

    assert_eq!(right.outcome(), "401 INVALID_CREDENTIALS");
    assert_eq!(upstream.asked().len(), asked, "the provider is not asked");
    assert_eq!(login(&server, "eve", "eve-sesame").await.status, 200);
    let everything = server.database().everything().await;
    assert!(!everything.contains("guess:redirect:ada"), "{everything}");
}

#[tokio::test]
async fn a_second_factor_is_asked_for_whatever_the_provider_proved() {
    let upstream = elsewhere().await;
    let server = registering(&upstream).await;
    let tokens = login(&server, "ada", "ada-sesame").await.data();
    let ada = server.bearer(tokens["access_token"].as_str().expect("a token"));
    // There is no password of ours to prove anything with.
    let proposal = ada.post("/users/me/tfa/generate", json!({})).await.data();
    let secret = proposal["secret"].as_str().expect("one").to_owned();
    let totp = OneTime::of(&secret).await;
    let body = json!({ "secret": secret, "otp": totp.code(-1) });
    assert_eq!(ada.post("/users/me/tfa/enable", body).await.status, 204);

    assert_eq!(
        login(&server, "ada", "ada-sesame").await.outcome(),
        "401 INVALID_OTP"
    );
    assert_eq!(redirected(&server, "ada-sesame", "").await, "INVALID_OTP");
    let wrong = format!("otp={}", totp.wrong());
    assert_eq!(
        redirected(&server, "ada-sesame", &wrong).await,
        "INVALID_OTP"
    );
    let right = format!("otp={}", totp.code(0));
    assert_eq!(redirected(&server, "ada-sesame", &right).await, "in");
    let code = totp.code(1);
    let body = json!({ "identifier": "ada", "password": "ada-sesame", "otp": code });
    let stranger = server.stranger();
    assert_eq!(
        stranger.post("/auth/login/redirect", body).await.status,
        200
    );
}

#[tokio::test]
async fn a_login_ends_once_in_the_browser_that_began_it_at_the_provider_it_was_begun_with() {
    let upstream = elsewhere().await;
    let server = with_two(&upstream).await;
    let browser = Browser::of(&server);
    let begun = browser.load("/auth/login/redirect").await;
    let query = format!("?code=ada-sesame&state={}", nonce(&begun));
    let cookie = browser.cookie();
    let pass = cookie.split_once('=').expect("a cookie").1.to_owned();
    let carrying = async |path: &str, cookie: &str| {
        let headers = [("cookie", cookie)];
        let path = format!("{path}{query}");
        let stranger = server.stranger();
        stranger
            .send(Method::GET, &path, &headers, Vec::new())
            .await
    };

    let own = "/auth/login/redirect/callback";
    let refused = "401 INVALID_CREDENTIALS";
    assert_eq!(carrying(own, "x=y").await.outcome(), refused);
    let broken = format!("roster_login_redirect={}", &pass[..pass.len() - 2]);
    assert_eq!(carrying(own, &broken).await.outcome(), refused);
    let other = format!("roster_login_second={pass}");
    let second = "/auth/login/second/callback";
    assert_eq!(carrying(second, &other).await.outcome(), refused);
    // What the provider gave for this one is not used up by them.
    let done = browser.load(&format!("{own}{query}")).await;
    assert_eq!(done.status, 302);
    assert!(
        browser.cookie().starts_with("roster_session_token="),
        "{}",
        browser.cookie()
    );
    assert!(
        !browser.cookie().contains("roster_login"),
        "{}",
        browser.cookie()
    );
    assert_eq!(carrying(own, &cookie).await.outcome(), refused);
}

#[tokio::test]
async fn nobody_is_sent_where_the_operator_does_not_want_them() {
    let upstream = elsewhere().await;
    let listed = "login = { register = true, mode = 'cookie', redirect_urls = ['https://app.example.com/done'] }";
    let server = with_provider(&upstream, "redirect", listed).start().await;
    let stranger = server.stranger();

    for elsewhere in [
        "https://evil.example",
        "//evil.example",
        "/%5Cevil.example",
        "https://app.example.com/other",
        "https://app.example.com@evil.example/done",
        "javascript:alert(1)",
    ] {
        let answer = stranger
            .get(&format!("/auth/login/redirect?redirect={elsewhere}"))
            .await;
        assert_eq!(answer.outcome(), "400 INVALID_PAYLOAD", "{elsewhere}");
        assert_eq!(answer.header("set-cookie"), "");
    }
    let browser = Browser::of(&server);
    let wanted = "redirect=https://app.example.com/done?a=b";
    let refused = come_back(&browser, "redirect", wanted, "wrong").await;
    assert_eq!(
        place(&refused),
        "https://app.example.com/done?reason=INVALID_CREDENTIALS"
    );
    let done = come_back(&browser, "redirect", wanted, "ada-sesame").await;
    assert_eq!(place(&done), "https://app.example.com/done?a=b");
    assert!(
        browser.cookie().starts_with("roster_refresh_token="),
        "{}",
        browser.cookie()
    );
    assert_eq!(done.header("cache-control"), "no-store");
    assert_eq!(
        stranger.get("/auth?sessionOnly").await.json()["data"],
        json!([])
    );
}

#[tokio::test]
async fn hooks_see_which_way_somebody_comes_in_and_may_refuse() {
    let upstream = elsewhere().await;
    let recorder = Recorder::new().before(|call, _| {
        if call.event == Event::BeforeLogin && call.text("first_name") == "eve" {
            return Err(Rejection::new("NOT_EVE", "No.").into());
        }
        Ok(())
    });
    let setup = with_provider(&upstream, "redirect", REGISTER).record(&recorder);
    let server = setup.start().await;
    server.settled().await;
    recorder.forget();

    login(&server, "ada", "ada-sesame").await.data();
    server.settled().await;
    // What is told afterwards is told in an order of its own.
    let mut events = recorder.events();
    events.sort_unstable();
    assert_eq!(
        events,
        [
            "create.after",
            "create.before",
            "login.after",
            "login.before"
        ]
    );
    let made = &recorder.calls()[0];
    assert_eq!(
        made.principal,
        roster_sdk::Principal::System {
            reason: "login".to_owned()
        }
    );

    recorder.forget();
    assert_eq!(
        login(&server, "eve", "eve-sesame").await.outcome(),
        "400 NOT_EVE"
    );
    assert_eq!(redirected(&server, "eve-sesame", "").await, "NOT_EVE");
    server.settled().await;
    let failed = |event: &&&str| **event == "login_failed.after";
    assert_eq!(recorder.events().iter().filter(failed).count(), 2);
    recorder.forget();
    login(&server, "ada", "wrong").await;
    server.settled().await;
    assert_eq!(recorder.events(), ["login_failed.after"]);
}

#[tokio::test]
async fn sessions_go_on_only_while_their_provider_is_there() {
    let upstream = elsewhere().await;
    let server = registering(&upstream).await;
    let tokens = login(&server, "ada", "ada-sesame").await.data();
    let token = tokens["refresh_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let database = server.stop().await;

    let server = Setup::new().on(&database).start().await;
    let refused = server.refresh(&token).await;
    assert_eq!(refused.outcome(), "503 INVALID_PROVIDER_CONFIG");
    let database = server.stop().await;

    let setup = with_provider(&upstream, "redirect", REGISTER).on(&database);
    let server = setup.start().await;
    let next = server.refresh(&token).await.data();
    let next = next["refresh_token"].as_str().expect("a token").to_owned();
    let database = server.stop().await;
    let server = Setup::new().on(&database).start().await;
    assert_eq!(server.logout(&next).await.status, 204);
}

#[tokio::test]
async fn a_provider_that_fails_lets_nobody_in_and_is_no_guess() {
    let upstream = Upstream::start(|_| {
        (
            200,
            Vec::new(),
            json!({ "external_identifier": "" }).to_string(),
        )
    })
    .await;
    let url = upstream.url();
    let bare = format!("timeout = '10s'\nconfig = {{ server = '{url}' }}\n{REGISTER}");

    for setup in [
        with_provider(&upstream, "redirect", REGISTER),
        Setup::new()
            .linked(roster_sdk::Linked::auth_provider::<
                roster_redirect_plugin::RedirectProvider,
            >("redirect"))
            .plugin("redirect", &bare),
    ] {
        let server = setup.start().await;
        let answer = login(&server, "ada", "ada-sesame").await;
        assert_eq!(answer.outcome(), "500 PLUGIN_FAILED");
        assert_eq!(redirected(&server, "ada-sesame", "").await, "PLUGIN_FAILED");
        assert_eq!(server.database().count("users", "1 = 1").await, 1);
    }
}

#[tokio::test]
async fn no_provider_takes_the_name_of_the_local_password() {
    let upstream = elsewhere().await;

    let why = with_provider(&upstream, "default", "").refusal().await;

    assert!(
        why.contains("`plugins.default`: expected another name"),
        "{why}"
    );
}
