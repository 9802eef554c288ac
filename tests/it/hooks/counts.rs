//! Which hooks fire for which request, and that no others do.

use roster_sdk::Principal;
use roster_tests::{ADMIN, PASSWORD, Recorder, Setup, TestServer};
use serde_json::json;

/// A server with a recorder that has forgotten how the server began.
async fn recorded() -> (TestServer, Recorder) {
    let recorder = Recorder::new();
    let server = Setup::new().record(&recorder).start().await;
    server.settled().await;
    recorder.forget();
    (server, recorder)
}

#[tokio::test]
async fn the_first_administrator_is_an_event_of_the_system() {
    let recorder = Recorder::new();
    let server = Setup::new().record(&recorder).start().await;
    server.settled().await;

    assert_eq!(recorder.events(), ["create.before", "create.after"]);
    for call in recorder.calls() {
        let system = Principal::System {
            reason: "bootstrap".to_owned(),
        };
        assert_eq!(
            (call.source.as_str(), call.principal.clone()),
            ("bootstrap", system)
        );
        assert_eq!(call.text("email"), ADMIN);
    }
}

#[tokio::test]
async fn each_write_has_a_before_and_an_after() {
    let (server, recorder) = recorded().await;
    let admin = server.admin().await;
    server.settled().await;
    assert_eq!(recorder.events(), ["login.before", "login.after"]);
    recorder.forget();

    let made = admin.post("/users", json!({ "title": "a" })).await.data();
    let path = format!("/users/{}", made["id"].as_str().expect("an id"));
    admin.patch(&path, json!({ "title": "b" })).await.data();
    admin.delete(&path).await.done();

    server.settled().await;
    let (before, after): (Vec<_>, Vec<_>) = recorder
        .calls()
        .into_iter()
        .partition(|call| call.event.as_str().ends_with("before"));
    let names = |calls: &[roster_tests::Call]| {
        calls
            .iter()
            .map(|call| call.event.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names(&before), "create.before update.before delete.before");
    assert_eq!(names(&after), "create.after update.after delete.after");
    for call in before.iter().chain(&after) {
        assert_eq!(json!(call.item), made["id"]);
        assert_eq!(call.source, "rest");
        assert!(matches!(&call.principal, Principal::User { id, .. } if *id == admin.id));
    }
    assert_eq!(
        (before[1].text("title"), before[1].stored["title"].as_str()),
        ("b", Some("a"))
    );
    assert_eq!(
        (after[1].text("title"), after[1].changed.as_slice()),
        ("b", &["title".to_owned()][..])
    );
    assert_eq!(
        (before[2].text("title"), after[2].text("title")),
        ("b", "b")
    );
}

#[tokio::test]
async fn reading_is_no_event_and_neither_is_what_keeps_a_session() {
    let (server, recorder) = recorded().await;
    let admin = server.admin().await;
    server.settled().await;
    recorder.forget();

    admin.get("/users").await.data();
    admin.get("/users/me").await.data();
    admin.get("/server/info").await.data();
    server.refresh(&admin.refresh_token).await.data();
    server.logout(&admin.refresh_token).await.done();

    server.settled().await;
    assert!(recorder.events().is_empty(), "{:?}", recorder.events());
}

#[tokio::test]
async fn a_login_is_an_event_once_the_password_is_proved() {
    let (server, recorder) = recorded().await;

    server.login(ADMIN, "wrong").await;
    server.login("nobody@example.com", PASSWORD).await;
    server.settled().await;
    let failed = "login_failed.after";
    assert_eq!(recorder.events(), [failed, failed]);
    recorder.forget();
    server.login(ADMIN, PASSWORD).await.data();

    server.settled().await;
    assert_eq!(recorder.events(), ["login.before", "login.after"]);
    let calls = recorder.calls();
    assert_eq!(calls[0].text("email"), ADMIN);
    assert!(
        matches!(calls[0].principal, Principal::Public),
        "{:?}",
        calls[0].principal
    );
    assert_eq!(calls[0].values.get("password"), None);
}

#[tokio::test]
async fn what_is_refused_has_no_after() {
    let (server, recorder) = recorded().await;
    let ada = server.member("ada").await;
    let admin = server.admin().await;
    server.settled().await;
    recorder.forget();

    admin.post("/users", json!({ "email": ADMIN })).await;
    admin.post("/users", json!({ "role": ada.id })).await;
    admin.post("/users", json!({ "status": "asleep" })).await;
    admin.patch(&admin.path(), json!({ "role": null })).await;
    admin.delete(&admin.path()).await;

    server.settled().await;
    let before = "create.before create.before create.before update.before delete.before";
    assert_eq!(recorder.events().join(" "), before);
}

#[tokio::test]
async fn what_is_not_permitted_or_not_understood_reaches_no_hook() {
    let (server, recorder) = recorded().await;
    let ada = server.member("ada").await;
    let admin = server.admin().await;
    server.settled().await;
    recorder.forget();

    for client in [&ada, &server.stranger()] {
        client.post("/users", json!({ "title": "x" })).await;
        client.patch(&admin.path(), json!({ "title": "x" })).await;
        client.delete(&admin.path()).await;
    }
    admin.post("/users", json!({ "title": 1 })).await;
    admin.post("/users", json!({ "nope": 1 })).await;
    admin.patch("/users/7", json!({})).await;
    admin.post("/users?fields=nope", json!({})).await;

    server.settled().await;
    assert!(recorder.events().is_empty(), "{:?}", recorder.events());
}

#[tokio::test]
async fn nothing_is_written_down_for_events_nobody_asked_for() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let admin = server.admin().await;

    admin
        .patch(&ada.path(), json!({ "title": "x" }))
        .await
        .data();

    assert_eq!(server.database().count("outbox", "1 = 1").await, 0);
    assert_eq!(server.database().count("deliveries", "1 = 1").await, 0);
}

#[tokio::test]
async fn events_are_kept_where_the_operator_wants_them() {
    let server = Setup::new().set("outbox.retain", "true").start().await;
    let ada = server.member("ada").await;
    let admin = server.admin().await;

    admin.delete(&ada.path()).await.done();

    let sql = "SELECT DISTINCT event FROM outbox ORDER BY event";
    let events: Vec<String> = server
        .database()
        .rows(sql)
        .await
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    assert_eq!(events, ["create.after", "delete.after", "login.after"]);
}

#[tokio::test]
async fn what_was_delivered_is_removed() {
    let (server, recorder) = recorded().await;
    let admin = server.admin().await;

    admin.post("/users", json!({})).await.data();

    server.settled().await;
    assert_eq!(recorder.events().len(), 4);
    assert_eq!(server.database().count("outbox", "1 = 1").await, 0);
}

#[tokio::test]
async fn an_event_of_the_command_line_is_an_event_too() {
    let recorder = Recorder::new();
    let server = Setup::new().record(&recorder).start().await;
    server.settled().await;
    recorder.forget();

    let secret = roster_engine::Secret::new(PASSWORD);
    let made = server
        .server()
        .engine()
        .create_administrator("second@example.com", &secret)
        .await;

    made.expect("an administrator");
    server.settled().await;
    assert_eq!(recorder.events(), ["create.before", "create.after"]);
    assert!(recorder.calls().iter().all(|call| call.source == "cli"));
    assert_eq!(
        server.login("second@example.com", PASSWORD).await.outcome(),
        "200"
    );
}
