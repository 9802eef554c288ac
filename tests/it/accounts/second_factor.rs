use roster_tests::{Answer, Client, OneTime, PASSWORD, Postbox, Setup, Site, TestServer};
use serde_json::{Value as Json, json};

/// Sets a second factor up with the code of the step before; gives the codes of the secret.
async fn set_up(client: &Client) -> OneTime {
    let proposal = client
        .post("/users/me/tfa/generate", json!({ "password": PASSWORD }))
        .await
        .data();
    let secret = proposal["secret"].as_str().expect("a secret");
    let codes = OneTime::of(secret).await;
    let body = json!({ "secret": secret, "otp": codes.code(-1) });
    client.post("/users/me/tfa/enable", body).await.done();
    codes
}

async fn login(site: &Site, email: &str, otp: &str) -> Answer {
    let body = json!({ "email": email, "password": PASSWORD, "otp": otp });
    site.stranger().post("/auth/login", body).await
}

#[tokio::test]
async fn a_secret_is_given_out_against_the_password_and_enables_nothing() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let generate = async |body: Json| ada.post("/users/me/tfa/generate", body).await;

    assert_eq!(generate(json!({})).await.outcome(), "400 INVALID_PAYLOAD");
    let wrong = generate(json!({ "password": "wrong" })).await;
    assert_eq!(wrong.outcome(), "401 INVALID_CREDENTIALS");
    let proposal = generate(json!({ "password": PASSWORD })).await.data();

    let secret = proposal["secret"].as_str().expect("a secret");
    assert_eq!(secret.len(), 32, "160 bits");
    let url = proposal["otpauth_url"].as_str().expect("a URL");
    assert!(
        url.starts_with("otpauth://totp/") && url.contains(secret),
        "{url}"
    );
    assert!(url.contains("ada%40example.com"), "{url}");
    assert_eq!(proposal.as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(server.login(&ada.email, PASSWORD).await.outcome(), "200");
    let picture = generate(json!({ "password": PASSWORD, "qr": true }))
        .await
        .data();
    assert!(
        picture["qr"]
            .as_str()
            .is_some_and(|svg| svg.contains("<svg"))
    );
}

#[tokio::test]
async fn a_login_needs_the_password_and_then_a_code() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let codes = set_up(&ada).await;

    let without = server.login(&ada.email, PASSWORD).await;
    assert_eq!(without.outcome(), "401 INVALID_OTP");
    let wrong = login(&server, &ada.email, &codes.wrong()).await;
    assert_eq!(wrong.to_string(), without.to_string());
    let body = json!({ "email": ada.email, "password": "wrong", "otp": codes.code(0) });
    let answer = server.stranger().post("/auth/login", body).await;
    assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS");
    assert_eq!(
        login(&server, &ada.email, &codes.code(0)).await.outcome(),
        "200"
    );
    for offset in [-3, 3] {
        let far = login(&server, &ada.email, &codes.code(offset)).await;
        assert_eq!(far.outcome(), "401 INVALID_OTP", "{offset}");
    }
}

#[tokio::test]
async fn a_code_works_once_at_the_same_time_too() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let codes = set_up(&ada).await;

    let enabling = login(&server, &ada.email, &codes.code(-1)).await;
    assert_eq!(enabling.outcome(), "401 INVALID_OTP");
    let logins = (0..8).map(|_| {
        let (site, email, code) = ((*server).clone(), ada.email.clone(), codes.code(0));
        tokio::spawn(async move { login(&site, &email, &code).await.status })
    });
    let mut good = 0;
    for login in logins.collect::<Vec<_>>() {
        good += usize::from(login.await.expect("an answer") == 200);
    }

    assert_eq!(good, 1);
    assert_eq!(
        login(&server, &ada.email, &codes.code(-1)).await.outcome(),
        "401 INVALID_OTP"
    );
    assert_eq!(
        login(&server, &ada.email, &codes.code(1)).await.outcome(),
        "200"
    );
}

#[tokio::test]
async fn a_secret_is_kept_encrypted_and_is_read_with_a_previous_key() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let proposal = ada
        .post("/users/me/tfa/generate", json!({ "password": PASSWORD }))
        .await;
    let secret = proposal.data()["secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    let codes = OneTime::of(&secret).await;
    let wrong = json!({ "secret": secret, "otp": codes.wrong() });
    assert_eq!(
        ada.post("/users/me/tfa/enable", wrong).await.outcome(),
        "400 INVALID_PAYLOAD"
    );
    let right = json!({ "secret": secret, "otp": codes.code(-1) });
    ada.post("/users/me/tfa/enable", right).await.done();

    let everything = server.database().everything().await;
    assert!(!everything.contains(&secret));
    let shown = server.admin().await.get(&ada.path()).await.data();
    assert_eq!(shown["tfa_secret"], "**********");
    let database = server.stop().await;
    let rotated = Setup::new()
        .on(&database)
        .set("auth.secret", "another secret, for the time after this")
        .set("auth.previous_secrets", roster_tests::SECRET)
        .start()
        .await;
    assert_eq!(
        login(&rotated, &ada.email, &codes.code(0)).await.outcome(),
        "200"
    );
}

#[tokio::test]
async fn only_the_secret_that_was_given_out_last_can_be_enabled() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let own = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    let codes = OneTime::of(own).await;
    let body = json!({ "secret": own, "otp": codes.code(0) });

    let before = ada.post("/users/me/tfa/enable", body.clone()).await;
    ada.post("/users/me/tfa/generate", json!({ "password": PASSWORD }))
        .await
        .data();
    let after = ada.post("/users/me/tfa/enable", body).await;

    assert_eq!(before.outcome(), "400 INVALID_PAYLOAD");
    assert_eq!(after.outcome(), "400 INVALID_PAYLOAD");
    assert_eq!(server.login(&ada.email, PASSWORD).await.outcome(), "200");
}

#[tokio::test]
async fn wrong_codes_lock_a_user_out_and_starting_again_does_not_help() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    let codes = set_up(&ada).await;
    let setting = json!({ "auth_login_attempts": 3 });
    admin.patch("/settings", setting).await.data();

    for _ in 0..3 {
        // The right password without a code is how clients begin: it neither counts nor clears.
        server.login(&ada.email, PASSWORD).await;
        login(&server, &ada.email, &codes.wrong()).await;
    }
    let late = login(&server, &ada.email, &codes.code(0)).await;

    assert_eq!(late.outcome(), "401 INVALID_CREDENTIALS");
    assert_eq!(admin.get(&ada.path()).await.data()["status"], "suspended");
}

#[tokio::test]
async fn a_second_factor_is_disabled_with_a_code() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let disable = async |otp: &str| {
        ada.post("/users/me/tfa/disable", json!({ "otp": otp }))
            .await
    };
    assert_eq!(disable("123456").await.outcome(), "400 INVALID_PAYLOAD");
    let codes = set_up(&ada).await;

    assert_eq!(
        disable(&codes.wrong()).await.outcome(),
        "400 INVALID_PAYLOAD"
    );
    assert_eq!(
        server.login(&ada.email, PASSWORD).await.outcome(),
        "401 INVALID_OTP"
    );
    disable(&codes.code(0)).await.done();

    assert_eq!(server.login(&ada.email, PASSWORD).await.outcome(), "200");
}

#[tokio::test]
async fn administrators_disable_the_second_factor_of_others_and_nobody_else_does() {
    let server = TestServer::start().await;
    let (admin, ada, bob) = (
        server.admin().await,
        server.member("ada").await,
        server.member("bob").await,
    );
    set_up(&ada).await;
    let path = format!("{}/tfa/disable", ada.path());

    assert_eq!(bob.post(&path, json!({})).await.outcome(), "403 FORBIDDEN");
    let stranger = server.stranger();
    assert_eq!(
        stranger.post(&path, json!({})).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(
        server.login(&ada.email, PASSWORD).await.outcome(),
        "401 INVALID_OTP"
    );
    admin.post(&path, json!({})).await.done();
    admin.post(&path, json!({})).await.done();

    assert_eq!(server.login(&ada.email, PASSWORD).await.outcome(), "200");
}

#[tokio::test]
async fn each_of_ten_recovery_codes_works_once() {
    let postbox = Postbox::open().await;
    let server = Setup::new().mails(&postbox).start().await;
    let ada = server.member("ada").await;
    let make = async |body: Json| ada.post("/users/me/tfa/recovery-codes", body).await;
    let password = json!({ "password": PASSWORD });
    assert_eq!(
        make(password.clone()).await.outcome(),
        "400 INVALID_PAYLOAD"
    );
    set_up(&ada).await;
    assert_eq!(make(json!({})).await.outcome(), "400 INVALID_PAYLOAD");
    assert_eq!(
        make(json!({ "password": "no" })).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    let first = make(password.clone()).await.data()["codes"].clone();

    let codes = make(password).await.data()["codes"].clone();

    let codes: Vec<&str> = codes
        .as_array()
        .expect("codes")
        .iter()
        .filter_map(Json::as_str)
        .collect();
    assert_eq!(codes.len(), 10);
    let void = first[0].as_str().expect("a code");
    assert_eq!(
        login(&server, &ada.email, void).await.outcome(),
        "401 INVALID_OTP"
    );
    assert_eq!(login(&server, &ada.email, codes[0]).await.outcome(), "200");
    assert_eq!(
        login(&server, &ada.email, codes[0]).await.outcome(),
        "401 INVALID_OTP"
    );
    let as_written = codes[1].to_lowercase().replace('-', " ");
    assert_eq!(
        login(&server, &ada.email, &as_written).await.outcome(),
        "200"
    );
    let everything = server.database().everything().await;
    assert!(!everything.contains(&codes[2].replace('-', "")));
    assert!(!everything.contains(codes[2]));
    let used = "action = 'recovery_code_used'";
    assert_eq!(server.database().count("activity", used).await, 2);
    let mail = postbox.nth(&ada.email, 3).await;
    assert_eq!(mail.subject(), "Your recovery code was used");
}

#[tokio::test]
async fn a_reset_by_mail_keeps_the_second_factor() {
    let postbox = Postbox::open().await;
    let server = Setup::new().mails(&postbox).start().await;
    let ada = server.member("ada").await;
    let codes = set_up(&ada).await;
    let stranger = server.stranger();
    stranger
        .post("/auth/password/request", json!({ "email": ada.email }))
        .await
        .done();
    let token = postbox.nth(&ada.email, 2).await.token();
    let body = json!({ "token": token, "password": PASSWORD });

    stranger.post("/auth/password/reset", body).await.done();

    assert_eq!(
        server.login(&ada.email, PASSWORD).await.outcome(),
        "401 INVALID_OTP"
    );
    assert_eq!(
        login(&server, &ada.email, &codes.code(0)).await.outcome(),
        "200"
    );
}

#[tokio::test]
async fn those_who_have_to_have_a_second_factor_may_do_nothing_before() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin
        .patch("/users/me", json!({ "token": "a-static-token-for-tests" }))
        .await
        .data();
    let database = server.database();
    database
        .execute("UPDATE policies SET enforce_tfa = true WHERE admin_access")
        .await;
    database
        .execute("UPDATE counters SET rules_epoch = rules_epoch + 1")
        .await;

    // Also for those who are signed in already, and for what they log in to next.
    assert_eq!(admin.get("/users").await.outcome(), "403 FORBIDDEN");
    let fresh = server.admin().await;
    assert_eq!(fresh.get("/users").await.outcome(), "403 FORBIDDEN");
    let token = fresh
        .post("/users/me/tokens", json!({ "name": "around" }))
        .await
        .data();
    let around = server.bearer(token["token"].as_str().expect("a token"));
    assert_eq!(around.get("/users").await.outcome(), "403 FORBIDDEN");
    // Static tokens are for programs, which have no second factor.
    let program = server.bearer("a-static-token-for-tests");
    assert_eq!(program.get("/users").await.outcome(), "200");

    set_up(&fresh).await;

    assert_eq!(fresh.get("/users").await.outcome(), "200");
    assert_eq!(around.get("/users").await.outcome(), "200");
}
