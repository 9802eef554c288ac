use std::time::{Duration, Instant};

use roster_tests::{Answer, Client, PASSWORD, Postbox, Recorder, Setup, TestServer};
use serde_json::{Value as Json, json};

async fn started(setup: Setup) -> (TestServer, Postbox, Client) {
    let postbox = Postbox::open().await;
    let server = setup.mails(&postbox).start().await;
    let admin = server.admin().await;
    let open = json!({ "public_registration": true });
    admin.patch("/settings", open).await.data();
    (server, postbox, admin)
}

async fn register(server: &TestServer, body: Json) -> Answer {
    server.stranger().post("/users/register", body).await
}

fn eve() -> Json {
    json!({ "email": "eve@example.com", "password": PASSWORD, "first_name": "Eve" })
}

async fn user(admin: &Client, email: &str) -> Json {
    let found = admin
        .filter(json!({ "email": { "_eq": email } }))
        .await
        .data();
    found[0].clone()
}

async fn verify(server: &TestServer, token: &str) -> Answer {
    let path = format!("/users/register/verify-email?token={token}");
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client");
    let url = format!("{}{path}", server.base());
    let response = client.get(url).send().await.expect("an answer");
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.expect("text"),
        bytes: Vec::new(),
    }
}

#[tokio::test]
async fn nobody_registers_unless_the_settings_say_so() {
    let server = TestServer::start().await;

    assert_eq!(register(&server, eve()).await.outcome(), "403 FORBIDDEN");

    assert_eq!(server.database().count("users", "1 = 1").await, 1);
}

#[tokio::test]
async fn a_link_in_a_mail_makes_a_registration_active_once() {
    let recorder = Recorder::new();
    let (server, postbox, admin) = started(Setup::new().lived_in().await.record(&recorder)).await;
    register(&server, eve()).await.done();
    let found = user(&admin, "eve@example.com").await;
    assert_eq!(
        (&found["status"], &found["first_name"]),
        (&json!("unverified"), &json!("Eve"))
    );
    assert!(
        recorder.events().contains(&"create.before"),
        "{:?}",
        recorder.events()
    );
    let outcome = server.login("eve@example.com", PASSWORD).await.outcome();
    assert_eq!(outcome, "401 INVALID_CREDENTIALS");
    let mail = postbox.nth("eve@example.com", 1).await;
    assert_eq!(
        mail.link(),
        "http://127.0.0.1:8055/users/register/verify-email"
    );

    let answer = verify(&server, &mail.token()).await;

    assert_eq!(answer.status, 302);
    let place = format!(
        "http://127.0.0.1:8055/admin/users/{}",
        found["id"].as_str().expect("an id")
    );
    assert_eq!(answer.header("location"), place);
    assert_eq!(
        server.login("eve@example.com", PASSWORD).await.outcome(),
        "200"
    );
    assert_eq!(
        verify(&server, &mail.token()).await.outcome(),
        "400 INVALID_PAYLOAD"
    );
    assert_eq!(
        verify(&server, "garbage").await.outcome(),
        "403 INVALID_TOKEN"
    );
    let nothing = verify(&server, "").await;
    assert_eq!(
        nothing.header("location"),
        "http://127.0.0.1:8055/admin/login"
    );
}

#[tokio::test]
async fn an_address_that_is_known_gets_the_same_answer_and_changes_nothing() {
    let (server, postbox, admin) = started(Setup::new()).await;
    let ada = server.member("ada").await;
    let body = json!({ "email": "ADA@example.com", "password": "stolen-password-9" });

    let known = register(&server, body).await;
    let new = register(&server, eve()).await;

    assert_eq!((known.status, &known.text), (new.status, &new.text));
    assert_eq!(server.login(&ada.email, PASSWORD).await.outcome(), "200");
    assert_eq!(
        admin.get("/users").await.data().as_array().map(Vec::len),
        Some(3)
    );
    postbox.nth("eve@example.com", 1).await;
    assert!(postbox.to(&ada.email).is_empty());
    // A password that is not fit is refused before anybody is looked up.
    for email in [ada.email.as_str(), "new@example.com"] {
        let weak = register(&server, json!({ "email": email, "password": "password1" })).await;
        assert_eq!(weak.outcome(), "400 FAILED_VALIDATION", "{email}");
    }
}

#[tokio::test]
async fn who_registers_again_gets_another_mail_and_keeps_the_first_password() {
    let (server, postbox, _) = started(Setup::new()).await;
    register(&server, eve()).await.done();
    let again = json!({ "email": "eve@example.com", "password": "another-password-9" });
    register(&server, again).await.done();
    let token = postbox.nth("eve@example.com", 2).await.token();

    assert_eq!(verify(&server, &token).await.status, 302);

    assert_eq!(
        server.login("eve@example.com", PASSWORD).await.outcome(),
        "200"
    );
}

#[tokio::test]
async fn a_registration_takes_its_time_on_every_path() {
    let setup = Setup::new().set("auth.register_stall", "300ms");
    let (server, _, _) = started(setup).await;

    for body in [
        json!({ "email": "admin@example.com", "password": PASSWORD }),
        eve(),
        eve(),
        json!({ "email": "new@example.com", "password": "short" }),
    ] {
        let begun = Instant::now();
        register(&server, body).await;
        assert!(begun.elapsed() >= Duration::from_millis(300));
    }
}

#[tokio::test]
async fn a_registration_brings_nothing_but_what_is_open() {
    let setup = Setup::new().set("users.register_fields", "location");
    let (server, _, admin) = started(setup).await;
    let role = admin.get("/users/me").await.data()["role"].clone();

    for (name, value) in [
        ("role", role),
        ("status", json!("active")),
        ("token", json!("a-static-token-for-tests")),
        ("provider", json!("github")),
        ("id", json!("00000000-0000-4000-8000-000000000000")),
    ] {
        let mut body = eve();
        body[name] = value;
        let answer = register(&server, body).await;
        assert_eq!(answer.outcome(), "400 INVALID_PAYLOAD", "{name}");
    }
    let mut body = eve();
    body["location"] = json!("Turin");
    register(&server, body).await.done();

    assert_eq!(user(&admin, "eve@example.com").await["location"], "Turin");
}

#[tokio::test]
async fn the_settings_say_who_may_register_and_as_what() {
    let (server, postbox, admin) = started(Setup::new()).await;
    let role = admin.get("/users/me").await.data()["role"].clone();
    let settings = json!({
        "public_registration_verify_email": false,
        "public_registration_role": role,
        "public_registration_email_filter": { "email": { "_ends_with": "@good.example.com" } },
    });
    admin.patch("/settings", settings).await.data();

    assert_eq!(register(&server, eve()).await.outcome(), "403 FORBIDDEN");
    let good = json!({ "email": "eve@good.example.com", "password": PASSWORD });
    register(&server, good).await.done();

    let found = user(&admin, "eve@good.example.com").await;
    assert_eq!(
        (&found["status"], &found["role"]),
        (&json!("active"), &role)
    );
    assert_eq!(
        server
            .login("eve@good.example.com", PASSWORD)
            .await
            .outcome(),
        "200"
    );
    server.settled().await;
    assert!(postbox.all().is_empty());
}
