use std::time::{Duration, Instant};

use roster_tests::{Answer, Client, PASSWORD, Postbox, Setup, TestServer, eventually};
use serde_json::json;

const NEW: &str = "another-password-9";

async fn started() -> (TestServer, Postbox) {
    let postbox = Postbox::open().await;
    let server = Setup::new()
        .mails(&postbox)
        .set("auth.reset_urls", "https://app.example.com/reset")
        .start()
        .await;
    (server, postbox)
}

async fn request(server: &TestServer, email: &str) {
    let body = json!({ "email": email });
    let answer = server.stranger().post("/auth/password/request", body).await;
    answer.done();
}

async fn reset(server: &TestServer, token: &str, password: &str) -> Answer {
    let body = json!({ "token": token, "password": password });
    server.stranger().post("/auth/password/reset", body).await
}

#[tokio::test]
async fn a_mailed_token_sets_a_password_once_and_ends_every_session() {
    let (server, postbox) = started().await;
    let ada = server.member("ada").await;
    request(&server, "ADA@example.com").await;
    let mail = postbox.nth("ada@example.com", 1).await;
    assert_eq!(mail.subject(), "Password Reset Request");
    assert_eq!(mail.link(), "http://127.0.0.1:8055/admin/reset-password");

    reset(&server, &mail.token(), NEW).await.done();

    assert_eq!(
        server.login(&ada.email, PASSWORD).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(server.login(&ada.email, NEW).await.outcome(), "200");
    assert_eq!(
        ada.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    let again = reset(&server, &mail.token(), "a-third-password-9").await;
    assert_eq!(again.outcome(), "403 FORBIDDEN");
    let notice = postbox.nth("ada@example.com", 2).await;
    assert_eq!(notice.subject(), "Your password was changed");
}

#[tokio::test]
async fn of_two_uses_at_a_time_one_gets_through() {
    let (server, postbox) = started().await;
    server.member("ada").await;
    request(&server, "ada@example.com").await;
    let token = postbox.nth("ada@example.com", 1).await.token();

    let tries = (0..6).map(|n| {
        let (stranger, token) = (server.stranger(), token.clone());
        let body = json!({ "token": token, "password": format!("another-password-{n}") });
        tokio::spawn(async move { stranger.post("/auth/password/reset", body).await.status })
    });
    let mut done = 0;
    for one in tries.collect::<Vec<_>>() {
        done += usize::from(one.await.expect("an answer") == 204);
    }

    assert_eq!(done, 1);
}

#[tokio::test]
async fn a_token_dies_with_the_others_and_with_the_password_it_was_for() {
    let (server, postbox) = started().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    request(&server, &ada.email).await;
    request(&server, &ada.email).await;
    let first = postbox.nth(&ada.email, 1).await.token();
    let second = postbox.nth(&ada.email, 2).await.token();
    reset(&server, &second, NEW).await.done();
    assert_eq!(reset(&server, &first, NEW).await.outcome(), "403 FORBIDDEN");

    request(&server, &ada.email).await;
    let third = postbox.nth(&ada.email, 4).await.token();
    let body = json!({ "password": PASSWORD });
    admin.patch(&ada.path(), body).await.data();

    assert_eq!(reset(&server, &third, NEW).await.outcome(), "403 FORBIDDEN");
}

#[tokio::test]
async fn a_password_that_is_refused_leaves_the_token_as_it_was() {
    let (server, postbox) = started().await;
    let ada = server.member("ada").await;
    request(&server, &ada.email).await;
    let token = postbox.nth(&ada.email, 1).await.token();

    for bad in ["short", "password123", "ada@example.com"] {
        let refused = reset(&server, &token, bad).await;
        assert_eq!(refused.outcome(), "400 FAILED_VALIDATION", "{bad}");
        assert!(!refused.text.contains(bad));
    }

    reset(&server, &token, NEW).await.done();
}

#[tokio::test]
async fn only_those_who_log_in_with_a_password_get_a_mail_and_nobody_can_tell() {
    let (server, postbox) = started().await;
    let admin = server.admin().await;
    for (name, more) in [
        ("invited", json!({ "status": "invited" })),
        ("unverified", json!({ "status": "unverified" })),
        ("suspended", json!({ "status": "suspended" })),
        ("archived", json!({ "status": "archived" })),
        ("sso", json!({ "provider": "github" })),
    ] {
        let mut user = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
        user.as_object_mut()
            .expect("one")
            .extend(more.as_object().expect("one").clone());
        admin.post("/users", user).await.data();
        request(&server, &format!("{name}@example.com")).await;
    }
    request(&server, "nobody@example.com").await;
    request(&server, "no address").await;
    request(&server, "admin@example.com").await;

    postbox.nth("admin@example.com", 1).await;
    assert_eq!(postbox.all().len(), 1);
}

#[tokio::test]
async fn a_request_takes_its_time_whoever_it_is_for() {
    let postbox = Postbox::open().await;
    let setup = Setup::new().mails(&postbox);
    let server = setup.set("auth.login_stall", "300ms").start().await;

    for email in ["admin@example.com", "nobody@example.com"] {
        let begun = Instant::now();
        request(&server, email).await;
        assert!(begun.elapsed() >= Duration::from_millis(300), "{email}");
    }
}

#[tokio::test]
async fn a_link_leads_to_listed_pages_alone() {
    let (server, postbox) = started().await;
    let ask = async |email: &str, url: &str| {
        let body = json!({ "email": email, "reset_url": url });
        server.stranger().post("/auth/password/request", body).await
    };

    for evil in [
        "https://evil.example/reset",
        "https://app.example.com.evil.example/reset",
        "https://app.example.com@evil.example/reset",
        "//app.example.com/reset",
        "javascript:alert(1)",
    ] {
        // Whether somebody is known does not show in it.
        let known = ask("admin@example.com", evil).await;
        let unknown = ask("nobody@example.com", evil).await;
        assert_eq!(known.outcome(), "400 INVALID_PAYLOAD", "{evil}");
        assert_eq!(known.to_string(), unknown.to_string());
    }
    ask("admin@example.com", "https://app.example.com/reset?a=b#c")
        .await
        .done();

    let mail = postbox.nth("admin@example.com", 1).await;
    assert_eq!(mail.link(), "https://app.example.com/reset");
    assert!(mail.text.contains("?a=b&token="), "{}", mail.text);
    assert_eq!(postbox.all().len(), 1);
}

#[tokio::test]
async fn tokens_of_other_kinds_and_late_ones_reset_nothing() {
    let postbox = Postbox::open().await;
    let setup = Setup::new().mails(&postbox);
    let server = setup.set("auth.reset_token_ttl", "1s").start().await;
    let admin: Client = server.admin().await;
    request(&server, "admin@example.com").await;
    let token = postbox.nth("admin@example.com", 1).await.token();

    let access = admin.token.clone().expect("a token");
    assert_eq!(
        reset(&server, &access, NEW).await.outcome(),
        "403 FORBIDDEN"
    );
    assert_eq!(
        reset(&server, "garbage", NEW).await.outcome(),
        "403 INVALID_TOKEN"
    );
    let bearer = server.bearer(token.clone());
    assert_eq!(bearer.get("/users/me").await.outcome(), "403 INVALID_TOKEN");
    let late = async || {
        let outcome = reset(&server, &token, "short").await.outcome();
        (outcome == "401 TOKEN_EXPIRED").then_some(())
    };
    eventually("the end of the token", late).await;
}

#[tokio::test]
async fn a_mailed_token_is_nowhere_in_the_database() {
    // Nobody listens there, so that the mail stays in the outbox.
    let server = Setup::new()
        .plugin(
            "smtp",
            "source = \"builtin\"\nconfig = { url = \"smtp://127.0.0.1:1?tls=none\" }",
        )
        .set("mail.mailer", "smtp")
        .start()
        .await;
    request(&server, "admin@example.com").await;

    let everything = server.database().everything().await;

    assert_eq!(server.database().count("outbox", "kind = 'mail'").await, 1);
    assert_eq!(
        server
            .database()
            .count("mail_tokens", "used_at IS NULL")
            .await,
        1
    );
    assert!(!everything.contains("token=") && !everything.contains("reset-password?"));
}
