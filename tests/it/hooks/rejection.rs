use insta::assert_snapshot;
use roster_sdk::{Event, Rejection};
use roster_tests::{ADMIN, Call, PASSWORD, Recorder, Setup};
use serde_json::json;

/// Whether a call is about somebody the tests made, so that the server itself can start.
fn is_about(call: &Call, title: &str) -> bool {
    call.text("title") == title
}

#[tokio::test]
async fn a_rejection_has_the_code_the_message_and_the_status_of_the_plugin() {
    let recorder = Recorder::of(&[Event::BeforeCreate]).before(|call, _| {
        if is_about(call, "teapot") {
            return Err(Rejection::new("TEA_POT", "I'm a \"teapot\".")
                .with_status(418)
                .into());
        }
        Ok(())
    });
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;

    let answer = admin.post("/users", json!({ "title": "teapot" })).await;

    assert_snapshot!(answer, @r#"
    418
    {"errors":[{"message":"I'm a \"teapot\".","extensions":{"code":"TEA_POT"}}]}
    "#);
    assert_eq!(
        server.database().count("users", "title = 'teapot'").await,
        0
    );
}

#[tokio::test]
async fn problems_with_fields_are_collected_from_all_plugins() {
    let find = |code: &'static str| {
        Recorder::of(&[Event::BeforeCreate]).before(move |call, draft| {
            if is_about(call, "bad") {
                draft.error("title", code, format!("{code} says no."));
            }
            Ok(())
        })
    };
    let all = "capabilities.fields.read = ['*']";
    let (first, second) = (find("FIRST"), find("SECOND"));
    let setup = Setup::new()
        .record_as("first", &first, all)
        .record_as("second", &second, all);
    let server = setup.start().await;
    let admin = server.admin().await;

    let answer = admin.post("/users", json!({ "title": "bad" })).await;

    assert_snapshot!(answer, @r#"
    400
    {"errors":[{"message":"FIRST says no.","extensions":{"field":"title","path":[],"code":"FIRST"}},
    {"message":"SECOND says no.","extensions":{"field":"title","path":[],"code":"SECOND"}}]}
    "#);
    assert_eq!((first.calls().len(), second.calls().len()), (2, 2));
}

#[tokio::test]
async fn an_update_and_a_removal_can_be_refused() {
    let events = [Event::BeforeUpdate, Event::BeforeDelete];
    let recorder = Recorder::of(&events).before(|call, _| {
        Err(Rejection::new("STAYS", call.event.as_str())
            .with_status(409)
            .into())
    });
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;

    assert_snapshot!(admin.patch(&ada.path(), json!({ "title": "x" })).await, @r#"
    409
    {"errors":[{"message":"update.before","extensions":{"code":"STAYS"}}]}
    "#);
    assert_snapshot!(admin.delete(&ada.path()).await, @r#"
    409
    {"errors":[{"message":"delete.before","extensions":{"code":"STAYS"}}]}
    "#);
    let title = format!("{}?fields=title", ada.path());
    assert_eq!(admin.get(&title).await.data(), json!({ "title": null }));
}

#[tokio::test]
async fn a_login_can_be_refused_and_leaves_no_session() {
    let recorder = Recorder::of(&[Event::BeforeLogin, Event::AfterLogin]).before(|_, _| {
        Err(Rejection::new("OUT_OF_HOURS", "Come back later.")
            .with_status(403)
            .into())
    });
    let server = Setup::new().record(&recorder).start().await;

    let answer = server.login(ADMIN, PASSWORD).await;

    assert_snapshot!(answer, @r#"
    403
    {"errors":[{"message":"Come back later.","extensions":{"code":"OUT_OF_HOURS"}}]}
    "#);
    server.settled().await;
    assert_eq!(recorder.events(), ["login.before"]);
    assert_eq!(server.database().count("sessions", "1 = 1").await, 0);
    assert_eq!(
        server
            .database()
            .count("activity", "action = 'login'")
            .await,
        0
    );
    assert_eq!(
        server.login(ADMIN, "wrong").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(recorder.calls().len(), 1);
}

#[tokio::test]
async fn what_a_hook_writes_is_validated_like_everything_else() {
    let recorder = Recorder::of(&[Event::BeforeCreate]).before(|call, draft| {
        match call.text("title") {
            "long" => draft.set("title", "x".repeat(51)),
            "status" => draft.set("status", "asleep"),
            "address" => draft.set("email", "admin@example.com"),
            _ => {}
        }
        Ok(())
    });
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;
    let make = async |title: &str| {
        admin
            .post("/users", json!({ "title": title }))
            .await
            .outcome()
    };

    assert_eq!(make("long").await, "400 VALUE_TOO_LONG");
    assert_eq!(make("status").await, "400 FAILED_VALIDATION");
    assert_eq!(make("address").await, "400 RECORD_NOT_UNIQUE");
    assert_eq!(make("good").await, "200");
}
