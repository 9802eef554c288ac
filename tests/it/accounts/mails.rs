use roster_tests::{ADMIN, OneTime, PASSWORD, Postbox, Setup};
use serde_json::json;

#[tokio::test]
async fn users_are_told_what_they_log_in_with_has_changed() {
    let postbox = Postbox::open().await;
    let server = Setup::new().mails(&postbox).start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    let change = async |body| admin.patch(&ada.path(), body).await.data();

    change(json!({ "password": "another-password-9" })).await;
    change(json!({ "token": "a-static-token-for-tests" })).await;
    change(json!({ "first_name": "Ada" })).await;
    change(json!({ "email": "lovelace@example.com" })).await;
    change(json!({ "provider": "github" })).await;

    let subjects = async |address: &str, count: usize| {
        postbox.nth(address, count).await;
        let mails = postbox.to(address);
        let subjects = mails.iter().map(|mail| mail.subject().to_owned());
        subjects.collect::<Vec<_>>()
    };
    let old = subjects("ada@example.com", 3).await;
    let expected = [
        "Your password was changed",
        "Your access tokens were changed",
        "Your e-mail address was changed",
    ];
    assert_eq!(old, expected);
    let new = subjects("lovelace@example.com", 2).await;
    assert_eq!(
        new,
        [
            "Your e-mail address was changed",
            "Your login provider was changed"
        ]
    );
}

#[tokio::test]
async fn users_are_told_of_second_factors_and_tokens() {
    let postbox = Postbox::open().await;
    let server = Setup::new().mails(&postbox).start().await;
    let ada = server.member("ada").await;
    let proposal = ada
        .post("/users/me/tfa/generate", json!({ "password": PASSWORD }))
        .await;
    let secret = proposal.data()["secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    let codes = OneTime::of(&secret).await;
    let enable = json!({ "secret": secret, "otp": codes.code(-1) });
    ada.post("/users/me/tfa/enable", enable).await.done();
    ada.post("/users/me/tokens", json!({ "name": "x" }))
        .await
        .data();
    let disable = json!({ "otp": codes.code(0) });
    ada.post("/users/me/tfa/disable", disable).await.done();

    postbox.nth(&ada.email, 3).await;

    let mails = postbox.to(&ada.email);
    let subjects: Vec<&str> = mails.iter().map(roster_tests::Mail::subject).collect();
    let expected = [
        "Your second factor was enabled",
        "Your access tokens were changed",
        "Your second factor was disabled",
    ];
    assert_eq!(subjects, expected);
}

#[tokio::test]
async fn a_mail_speaks_the_language_of_its_user_or_of_the_project() {
    let postbox = Postbox::open().await;
    let server = Setup::new().mails(&postbox).start().await;
    let admin = server.admin().await;
    let german = json!({ "language": "de-AT" });
    admin.patch("/users/me", german).await.data();
    let request = json!({ "email": ADMIN });
    let stranger = server.stranger();
    stranger
        .post("/auth/password/request", request.clone())
        .await
        .done();
    admin
        .patch("/users/me", json!({ "language": null }))
        .await
        .data();
    stranger
        .post("/auth/password/request", request.clone())
        .await
        .done();
    admin
        .patch("/settings", json!({ "default_language": "de-DE" }))
        .await
        .data();
    stranger
        .post("/auth/password/request", request)
        .await
        .done();

    for (nth, piece) in [(1, "Passwort"), (2, "new password"), (3, "Passwort")] {
        let mail = postbox.nth(ADMIN, nth).await;
        assert!(mail.text.contains(piece), "{nth}: {}", mail.text);
    }
}

#[tokio::test]
async fn templates_of_the_operator_take_the_place_of_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "Subject: {{ project_name }} asks\n\nHello, {{ url }}\n";
    std::fs::write(folder.path().join("password-reset.txt"), text).expect("a file");
    let postbox = Postbox::open().await;
    let path = folder.path().to_str().expect("text");
    let server = Setup::new()
        .mails(&postbox)
        .set("mail.templates", path)
        .start()
        .await;
    let request = json!({ "email": ADMIN });
    server
        .stranger()
        .post("/auth/password/request", request)
        .await
        .done();

    let mail = postbox.nth(ADMIN, 1).await;

    assert_eq!(mail.subject(), "Roster asks");
    assert!(mail.text.contains("Hello, http://"), "{}", mail.text);
}

#[tokio::test]
async fn a_template_that_is_broken_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("notice.txt"), "{{ broken").expect("a file");
    let path = folder.path().to_str().expect("text");

    let refusal = Setup::new().set("mail.templates", path).refusal().await;

    assert!(refusal.contains("notice.txt"), "{refusal}");
}
