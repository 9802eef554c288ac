use roster_tests::{ADMIN, PASSWORD, Setup, TestServer};
use serde_json::json;

use super::{Browser, Page};

#[tokio::test]
async fn who_logs_in_sees_who_they_are_and_logs_out() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let browser = Browser::of(&server);
    let form = browser.load("/admin/login").await;
    assert_eq!((form.status, form.heading()), (200, "Log in"));

    let entered = [("email", " ADA@example.com"), ("password", PASSWORD)];
    let answer = browser.send("/admin/login", &entered).await;

    assert_eq!(answer.place(), "../admin/account");
    let line = answer.header("set-cookie");
    let attributes = "; Path=/; HttpOnly; Max-Age=86400; SameSite=Lax";
    assert!(
        line.starts_with("roster_session_token=") && line.ends_with(attributes),
        "{line}"
    );
    let page = browser.load("/admin/account").await;
    assert_eq!(page.heading(), "You are logged in");
    assert!(
        page.text.contains("ada, <strong>ada@example.com</strong>"),
        "{}",
        page.text
    );
    assert_eq!(
        browser.load("/admin/login").await.place(),
        "../admin/account"
    );
    assert_eq!(browser.load("/admin").await.place(), "admin/account");
    let cookie = browser.cookie();
    let sessions = ada.get("/users/me/sessions").await.data();
    assert!(
        sessions
            .as_array()
            .expect("some")
            .iter()
            .any(|one| one["mode"] == "session")
    );

    let out = browser.send("/admin/logout", &[]).await;

    assert_eq!(out.place(), "../admin/login?done=out");
    assert_eq!(browser.cookie(), "");
    let page = browser.load("/admin/login?done=out").await;
    assert!(page.text.contains("You are logged out."), "{}", page.text);
    assert_eq!(
        browser.load("/admin/account").await.place(),
        "../admin/login"
    );
    // The cookie is not only gone, it is void.
    let headers = [("cookie", cookie.as_str())];
    let void = server.stranger();
    let void = void
        .send(reqwest::Method::GET, "/users/me", &headers, Vec::new())
        .await;
    assert_eq!(void.status, 401);
}

#[tokio::test]
async fn nobody_can_tell_who_is_known() {
    let server = TestServer::start().await;
    let browser = Browser::of(&server);

    let mut pages = Vec::new();
    for email in [ADMIN, "nobody@example.com"] {
        let entered = [("email", email), ("password", "wrong")];
        let page = browser.send("/admin/login", &entered).await;
        assert_eq!(page.status, 401);
        assert_eq!(
            page.problems(),
            ["The e-mail address or the password is not right."]
        );
        assert!(
            page.text.contains(&format!("value=\"{email}\"")),
            "{}",
            page.text
        );
        assert!(!page.text.contains("wrong"), "{}", page.text);
        pages.push(page.text.replace(email, ""));
        let asked = browser
            .send("/admin/forgot-password", &[("email", email)])
            .await;
        assert_eq!(asked.place(), "../admin/login?done=asked");
    }

    assert_eq!(pages[0], pages[1]);
    assert_eq!(browser.cookie(), "");
}

#[tokio::test]
async fn pages_and_api_count_the_same_guesses() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    admin
        .patch("/settings", json!({ "auth_login_attempts": 3 }))
        .await
        .data();
    let browser = Browser::of(&server);
    let login = async |password: &str| {
        let entered = [("email", ada.email.as_str()), ("password", password)];
        browser.send("/admin/login", &entered).await.status
    };

    server.login(&ada.email, "wrong").await;
    for _ in 0..2 {
        assert_eq!(login("wrong").await, 401);
    }

    assert_eq!(login(PASSWORD).await, 401);
    assert_eq!(admin.get(&ada.path()).await.data()["status"], "suspended");
}

#[tokio::test]
async fn an_address_that_tries_too_often_is_told_when_to_go_on() {
    let setup = Setup::new().set("rate_limit.enabled", "true");
    let server = setup.set("rate_limit.login", "2/1m").start().await;
    let browser = Browser::of(&server);
    let entered = [("email", ADMIN), ("password", "wrong")];
    for _ in 0..2 {
        assert_eq!(browser.send("/admin/login", &entered).await.status, 401);
    }

    let page = browser.send("/admin/login", &entered).await;

    assert_eq!((page.status, page.heading()), (429, "Log in"));
    assert!(page.problems()[0].starts_with("Too many tries. Try again in "));
    let wait: u32 = page.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(
        server.login(ADMIN, PASSWORD).await.outcome(),
        "429 REQUESTS_EXCEEDED"
    );
}

#[tokio::test]
async fn a_session_that_ended_leads_to_the_login() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let browser = Browser::signed_in(&server, &ada.email).await;

    ada.delete("/users/me/sessions").await.done();

    for path in ["/admin", "/admin/account", "/admin/tfa-setup"] {
        let place = browser.load(path).await.place().to_owned();
        let expected = if path == "/admin" {
            "admin/account"
        } else {
            "../admin/login"
        };
        assert_eq!(place, expected, "{path}");
    }
    for path in [
        "/admin/tfa-setup",
        "/admin/tfa-disable",
        "/admin/recovery-codes",
    ] {
        assert_eq!(
            browser.send(path, &[]).await.place(),
            "../admin/login",
            "{path}"
        );
    }
    assert_eq!(browser.load("/admin/login").await.status, 200);
}
