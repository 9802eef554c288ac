use roster_tests::{ADMIN, Mail, PASSWORD, Postbox, Setup, TestServer};
use serde_json::json;

use super::{Browser, Page};

const NEW: &str = "another-password-9";
const DEAD: &str = "This link does not work any more";

async fn started(setup: Setup) -> (TestServer, Postbox, Browser) {
    let postbox = Postbox::open().await;
    let server = setup.mails(&postbox).start().await;
    let browser = Browser::of(&server);
    (server, postbox, browser)
}

async fn invite(server: &TestServer, email: &str) {
    let admin = server.admin().await;
    let role = admin.get("/users/me").await.data()["role"].clone();
    let body = json!({ "email": email, "role": role });
    admin.post("/users/invite", body).await.done();
}

/// Path and query of a mail's link.
fn path(mail: &Mail) -> String {
    let link = mail.link();
    let path = link
        .strip_prefix("http://127.0.0.1:8055")
        .expect("our address");
    format!("{path}?token={}", mail.token())
}

#[tokio::test]
async fn an_invitation_leads_to_a_page_that_accepts_it_once() {
    let (server, postbox, browser) = started(Setup::new()).await;
    invite(&server, "eve@example.com").await;
    let mail = postbox.nth("eve@example.com", 1).await;

    let page = browser.load(&path(&mail)).await;

    assert_eq!(
        (page.status, page.heading()),
        (200, "Accept the invitation")
    );
    assert!(
        page.text.contains("value=\"eve@example.com\" readonly"),
        "{}",
        page.text
    );
    let token = page.hidden("token");
    let accept = async |password: &str| {
        let form = [("token", token.as_str()), ("password", password)];
        browser.send("/admin/accept-invite", &form).await
    };
    for bad in ["short", "eve@example.com", "password1"] {
        let page = accept(bad).await;
        assert_eq!(
            (page.status, page.heading()),
            (400, "Accept the invitation")
        );
        assert!(
            page.problems()[0].starts_with("The password "),
            "{:?}",
            page.problems()
        );
        assert!(!page.text.contains(&format!("value=\"{bad}\"")) || bad.contains('@'));
        assert_eq!(page.hidden("token"), token);
    }
    assert_eq!(
        accept(PASSWORD).await.place(),
        "../admin/login?done=accepted"
    );
    assert_eq!(
        server.login("eve@example.com", PASSWORD).await.outcome(),
        "200"
    );
    for used in [accept(PASSWORD).await, browser.load(&path(&mail)).await] {
        assert_eq!((used.status, used.heading()), (400, DEAD));
    }
}

#[tokio::test]
async fn a_forgotten_password_is_asked_for_and_set_by_pages() {
    let (server, postbox, browser) = started(Setup::new()).await;
    let ada = server.member("ada").await;
    assert_eq!(
        browser.load("/admin/forgot-password").await.heading(),
        "Forgotten password"
    );
    let asked = browser
        .send("/admin/forgot-password", &[("email", &ada.email)])
        .await;
    assert_eq!(asked.place(), "../admin/login?done=asked");
    let mail = postbox.nth(&ada.email, 1).await;

    let page = browser.load(&path(&mail)).await;

    assert_eq!(
        (page.status, page.heading()),
        (200, "Choose a new password")
    );
    let token = page.hidden("token");
    let form = [("token", token.as_str()), ("password", NEW)];
    let set = browser.send("/admin/reset-password", &form).await;
    assert_eq!(set.place(), "../admin/login?done=reset");
    assert_eq!(server.login(&ada.email, NEW).await.outcome(), "200");
    assert_eq!(ada.get("/users/me").await.status, 401);
    for used in [
        browser.send("/admin/reset-password", &form).await,
        browser.load(&path(&mail)).await,
    ] {
        assert_eq!((used.status, used.heading()), (403, DEAD));
    }
    let nothing = browser.load("/admin/reset-password").await;
    assert_eq!(nothing.place(), "../admin/forgot-password");
}

#[tokio::test]
async fn links_that_are_wrong_or_for_something_else_are_refused_in_words() {
    let (server, postbox, browser) = started(Setup::new()).await;
    invite(&server, "eve@example.com").await;
    browser
        .send("/admin/forgot-password", &[("email", ADMIN)])
        .await;
    let invitation = postbox.nth("eve@example.com", 1).await.token();
    let reset = postbox.nth(ADMIN, 1).await.token();
    let access = server.admin().await.token.expect("a token");

    for (page, token) in [
        ("accept-invite", reset.as_str()),
        ("reset-password", invitation.as_str()),
        ("accept-invite", access.as_str()),
        ("accept-invite", "garbage"),
        ("reset-password", "garbage"),
        ("reset-password", "%00"),
        ("accept-invite", ""),
    ] {
        let path = format!("/admin/{page}");
        let shown = browser.load(&format!("{path}?token={token}")).await;
        assert_eq!(
            (shown.status, shown.heading()),
            (403, DEAD),
            "{page} {token}"
        );
        let sent = browser
            .send(&path, &[("token", token), ("password", NEW)])
            .await;
        assert!(
            (400..=403).contains(&sent.status),
            "{page} {token}: {}",
            sent.status
        );
        assert_eq!(sent.heading(), DEAD, "{page} {token}");
    }
    assert_eq!(server.login(ADMIN, PASSWORD).await.outcome(), "200");
}

#[tokio::test]
async fn links_that_are_too_old_are_refused_in_words() {
    let setup = Setup::new().set("auth.reset_token_ttl", "1s");
    let (_server, postbox, browser) = started(setup).await;
    browser
        .send("/admin/forgot-password", &[("email", ADMIN)])
        .await;
    let mail = postbox.nth(ADMIN, 1).await;

    let look = async || {
        let page = browser.load(&path(&mail)).await;
        (page.status != 200).then_some(page)
    };
    let page = roster_tests::eventually("the end of a link", look).await;

    assert_eq!((page.status, page.heading()), (401, DEAD));
    let form = [("token", mail.token()), ("password", NEW.to_owned())];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    let sent = browser.send("/admin/reset-password", &form).await;
    assert_eq!((sent.status, sent.heading()), (401, DEAD));
}

#[tokio::test]
async fn a_registration_begins_and_ends_on_pages() {
    let (server, postbox, browser) = started(Setup::new()).await;
    let closed = browser.load("/admin/register").await;
    assert_eq!(
        (closed.status, closed.heading()),
        (404, "There is no such page")
    );
    let eve = [
        ("email", "eve@example.com"),
        ("password", PASSWORD),
        ("first_name", "Eve"),
    ];
    let refused = browser.send("/admin/register", &eve).await;
    assert_eq!(refused.status, 403);
    let open = json!({ "public_registration": true });
    server.admin().await.patch("/settings", open).await.data();
    assert!(
        browser
            .load("/admin/login")
            .await
            .text
            .contains("admin/register")
    );

    let weak = [
        ("email", "eve@example.com"),
        ("password", "short"),
        ("first_name", "Eve"),
    ];
    let weak = browser.send("/admin/register", &weak).await;
    assert_eq!(
        weak.problems(),
        ["The password has to have at least 8 characters."]
    );
    assert!(weak.text.contains("value=\"Eve\""), "{}", weak.text);
    for entered in [&eve[..], &[("email", ADMIN), ("password", PASSWORD)]] {
        let done = browser.send("/admin/register", entered).await;
        assert_eq!(done.place(), "../admin/login?done=registered");
    }
    let mail = postbox.nth("eve@example.com", 1).await;
    let verified = browser.load(&path(&mail)).await;

    let place = verified.header("location");
    let place = place
        .strip_prefix("http://127.0.0.1:8055")
        .expect("our address");
    assert_eq!(
        (verified.status, place.starts_with("/admin/users/")),
        (302, true)
    );
    let page = browser.load(place).await;
    assert_eq!(
        (page.status, page.heading()),
        (200, "Your address is verified")
    );
    assert_eq!(
        server.login("eve@example.com", PASSWORD).await.outcome(),
        "200"
    );
    // People are told in words, programs as ever.
    let again = browser.load(&path(&mail)).await;
    assert_eq!((again.status, again.heading()), (400, DEAD));
    let program = server.stranger().get(&path(&mail)).await;
    assert_eq!(program.outcome(), "400 INVALID_PAYLOAD");
}

#[tokio::test]
async fn a_page_of_the_operators_own_still_wins() {
    let own = "https://app.example.com/reset";
    let (server, postbox, _) = started(Setup::new().set("auth.reset_urls", own)).await;

    let body = json!({ "email": ADMIN, "reset_url": own });
    server
        .stranger()
        .post("/auth/password/request", body)
        .await
        .done();

    assert_eq!(postbox.nth(ADMIN, 1).await.link(), own);
}
