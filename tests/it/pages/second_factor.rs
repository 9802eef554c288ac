use roster_tests::{ADMIN, Client, OneTime, PASSWORD, TestServer};
use serde_json::json;

use super::{Browser, Page, between};

const NOT_RIGHT: &str = "This code is not right. A code changes every 30 seconds and works once.";

/// Sets a second factor up by the pages; gives its codes and the recovery codes.
async fn set_up(browser: &Browser) -> (OneTime, Vec<String>) {
    let asked = browser
        .send("/admin/tfa-setup", &[("password", PASSWORD)])
        .await;
    assert_eq!((asked.status, asked.heading()), (200, "Scan the code"));
    let secret = asked.hidden("secret");
    let codes = OneTime::of(&secret).await;
    let form = [("secret", secret.as_str()), ("otp", &codes.code(-1))];
    let shown = browser.send("/admin/tfa-confirm", &form).await;
    assert_eq!(
        (shown.status, shown.heading()),
        (200, "Your recovery codes")
    );
    let recovery = shown.text.split("<li><code>").skip(1);
    let recovery = recovery.map(|rest| rest.split('<').next().unwrap_or_default().to_owned());
    (codes, recovery.collect())
}

async fn started() -> (TestServer, Client, Browser) {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let browser = Browser::signed_in(&server, &ada.email).await;
    (server, ada, browser)
}

#[tokio::test]
async fn a_second_factor_is_set_up_and_asked_for_on_a_page_of_its_own() {
    let (server, ada, browser) = started().await;
    let (codes, recovery) = set_up(&browser).await;
    assert_eq!(recovery.len(), 10);
    let other = Browser::of(&server);
    let entered = [("email", ada.email.as_str()), ("password", PASSWORD)];

    let page = other.send("/admin/login", &entered).await;

    assert_eq!((page.status, page.heading()), (200, "Enter your code"));
    assert!(page.problems().is_empty());
    assert!(!page.text.contains(PASSWORD), "{}", page.text);
    assert_eq!(other.cookie(), "");
    let held = page.hidden("held");
    let wrong = other
        .send("/admin/login", &[("held", &held), ("otp", &codes.wrong())])
        .await;
    assert_eq!((wrong.status, wrong.problems()), (401, vec![NOT_RIGHT]));
    let held = wrong.hidden("held");
    let form = [("held", held.as_str()), ("otp", &codes.code(0))];
    assert_eq!(
        other.send("/admin/login", &form).await.place(),
        "../admin/account"
    );
    let again = Browser::of(&server).send("/admin/login", &form).await;
    assert_eq!((again.status, again.problems()), (401, vec![NOT_RIGHT]));
    let form = [("held", held.as_str()), ("otp", &recovery[3])];
    let third = Browser::of(&server);
    assert_eq!(
        third.send("/admin/login", &form).await.place(),
        "../admin/account"
    );
    assert_eq!(third.send("/admin/login", &form).await.status, 401);
}

#[tokio::test]
async fn what_is_held_between_the_pages_proves_nothing_and_cannot_be_made_up() {
    let (server, ada, browser) = started().await;
    let (codes, _) = set_up(&browser).await;
    let entered = [("email", ada.email.as_str()), ("password", PASSWORD)];
    let page = Browser::of(&server).send("/admin/login", &entered).await;
    let held = page.hidden("held");
    let stranger = Browser::of(&server);

    for made_up in ["x", "v1.", "v1.AAAA", &held[..held.len() - 2]] {
        let form = [("held", made_up), ("otp", &codes.code(0))];
        let answer = stranger.send("/admin/login", &form).await;
        assert_eq!(
            (answer.status, answer.heading()),
            (401, "Log in"),
            "{made_up}"
        );
        assert_eq!(answer.problems(), ["That took too long. Log in again."]);
    }
    // It is judged anew: a password that was changed meanwhile is not right any more.
    let body = json!({ "password": "another-password-9" });
    server.admin().await.patch(&ada.path(), body).await.data();
    let form = [("held", held.as_str()), ("otp", &codes.code(0))];
    let answer = stranger.send("/admin/login", &form).await;

    assert_eq!((answer.status, answer.heading()), (401, "Log in"));
    assert_eq!(stranger.cookie(), "");
}

#[tokio::test]
async fn setting_up_takes_the_password_and_a_code() {
    let (_server, _, browser) = started().await;

    let wrong = browser
        .send("/admin/tfa-setup", &[("password", "wrong")])
        .await;
    assert_eq!(
        (wrong.status, wrong.heading()),
        (401, "Set up a second factor")
    );
    assert_eq!(wrong.problems(), ["The password is not right."]);
    assert!(
        wrong.text.contains("aria-invalid=\"true\""),
        "{}",
        wrong.text
    );
    let page = browser
        .send("/admin/tfa-setup", &[("password", PASSWORD)])
        .await;
    let secret = page.hidden("secret");
    assert_eq!(
        between(&page.text, "<code id=\"secret\">", "</code>"),
        secret
    );
    assert!(
        page.text.contains("src=\"data:image/svg+xml;base64,PD94"),
        "{}",
        page.text
    );
    let codes = OneTime::of(&secret).await;
    let form = [("secret", secret.as_str()), ("otp", &codes.wrong())];
    let wrong = browser.send("/admin/tfa-confirm", &form).await;
    assert_eq!((wrong.status, wrong.problems()), (400, vec![NOT_RIGHT]));
    assert_eq!(wrong.hidden("secret"), secret);
    let long = "A".repeat(3_000);
    let form = [("secret", long.as_str()), ("otp", "123456")];
    assert_eq!(browser.send("/admin/tfa-confirm", &form).await.status, 400);
    let page = browser.load("/admin/account").await;

    assert!(
        page.text.contains("Set up a second factor"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn recovery_codes_are_made_anew_and_it_is_turned_off_with_a_code() {
    let (server, ada, browser) = started().await;
    let (codes, old) = set_up(&browser).await;
    assert_eq!(
        browser.load("/admin/tfa-setup").await.place(),
        "../admin/account"
    );

    let wrong = browser
        .send("/admin/recovery-codes", &[("password", "wrong")])
        .await;
    assert_eq!(
        (wrong.status, wrong.problems()),
        (401, vec!["The password is not right."])
    );
    let new = browser
        .send("/admin/recovery-codes", &[("password", PASSWORD)])
        .await;
    assert_eq!(new.heading(), "Your recovery codes");
    let new = between(&new.text, "<li><code>", "</code>").to_owned();
    let off = async |otp: &str| browser.send("/admin/tfa-disable", &[("otp", otp)]).await;
    for wrong in [codes.wrong(), old[0].clone(), String::new()] {
        let answer = off(&wrong).await;
        assert_eq!(
            (answer.status, answer.problems()),
            (400, vec![NOT_RIGHT]),
            "{wrong}"
        );
    }

    assert_eq!(off(&new).await.place(), "../admin/account?done=tfa-off");

    let page = browser.load("/admin/account?done=tfa-off").await;
    assert!(
        page.text.contains("The second factor is turned off."),
        "{}",
        page.text
    );
    assert_eq!(server.login(&ada.email, PASSWORD).await.outcome(), "200");
}

#[tokio::test]
async fn who_has_to_set_one_up_is_led_there_and_nowhere_else() {
    let server = TestServer::start().await;
    let database = server.database();
    for sql in [
        "UPDATE policies SET enforce_tfa = true WHERE admin_access",
        "UPDATE counters SET rules_epoch = rules_epoch + 1",
    ] {
        database.execute(sql).await;
    }
    let browser = Browser::signed_in(&server, ADMIN).await;

    assert_eq!(
        browser.load("/admin/account").await.place(),
        "../admin/tfa-setup"
    );
    let page = browser.load("/admin/tfa-setup").await;
    assert!(page.text.contains("Set it up to go on."), "{}", page.text);
    set_up(&browser).await;

    let page = browser.load("/admin/account").await;
    assert_eq!(page.heading(), "You are logged in");
}
