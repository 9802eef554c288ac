use roster_sdk::testing::{self, FakeHost};
use roster_sdk::{
    Event, Failure, FieldError, HookError, Level, Login, Message, Principal, Record, Rejection,
    Value, json, serde_json,
};

use crate::{PATIENT, load};

const GUEST: &str = "roster-two-kinds-plugin";

fn title(title: &str) -> Record {
    testing::record(json!({ "title": title }))
}

#[tokio::test]
async fn one_component_can_be_of_several_kinds() {
    let host = FakeHost::new();

    let both = load(GUEST, json!({}), PATIENT, &host).await.unwrap();
    let one = load("roster-slug", json!({}), PATIENT, &host)
        .await
        .unwrap();

    assert!(both.hooks.is_some() && both.mailer.is_some());
    assert!(one.hooks.is_some() && one.mailer.is_none());
    assert_eq!(both.manifest.subscriptions.len(), Event::ALL.len());
}

#[tokio::test]
async fn a_hook_knows_the_whole_context_and_its_configuration() {
    let host = FakeHost::new();
    let plugin = load(GUEST, json!({ "colour": "red" }), PATIENT, &host)
        .await
        .unwrap();
    let mut cx = testing::context(Event::BeforeCreate, &host);
    cx.principal = Principal::User {
        id: "u".to_owned(),
        role: Some("r".to_owned()),
    };
    (cx.depth, cx.ip, cx.source) = (2, None, "cli".to_owned());
    let mut draft = testing::draft(json!({ "title": "x" }));

    plugin
        .hooks
        .unwrap()
        .before_create(&cx, &mut draft)
        .await
        .unwrap();

    let told: Value = serde_json::from_str(draft.text("description").unwrap()).unwrap();
    assert_eq!(
        told,
        json!({
            "id": cx.id,
            "event": "create.before",
            "collection": "users",
            "item": cx.item,
            "source": "cli",
            "principal": { "kind": "user", "id": "u", "role": "r" },
            "ip": null,
            "user_agent": "test",
            "time": "2026-01-02T03:04:05.678Z",
            "depth": 2,
            "config": { "colour": "red" },
        })
    );
}

#[tokio::test]
async fn every_way_a_before_hook_may_end_arrives() {
    let host = FakeHost::new();
    let hooks = load(GUEST, json!({}), PATIENT, &host)
        .await
        .unwrap()
        .hooks
        .unwrap();
    let cx = |event| testing::context(event, &host);
    let mut draft = testing::draft(json!({ "title": "new" }));
    let mut bad = testing::draft(json!({ "title": "bad" }));

    hooks
        .before_update(&cx(Event::BeforeUpdate), &title("old"), &mut draft)
        .await
        .unwrap();
    hooks
        .before_create(&cx(Event::BeforeCreate), &mut bad)
        .await
        .unwrap();
    let kept = hooks
        .before_delete(&cx(Event::BeforeDelete), &title("king"))
        .await;
    let login = Login {
        provider: "ldap".to_owned(),
        mode: "json".to_owned(),
        ..Login::default()
    };
    let failed = hooks.before_login(&cx(Event::BeforeLogin), &login).await;

    assert_eq!(draft.text("description"), Some("old became new"));
    let issue = |field: &str, code: &str, message: &str| FieldError {
        field: field.to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
    };
    let issues = vec![
        issue("title", "TITLE_BAD", "This title is bad."),
        issue("email", "EMAIL_BAD", "So is this address."),
    ];
    assert_eq!(bad.into_parts(), (serde_json::Map::new(), issues));
    let rejection = Rejection::new("STAYS", "king stays.").with_status(409);
    assert_eq!(kept, Err(HookError::Rejected(rejection)));
    assert_eq!(failed, Err(HookError::Failed(Failure::new("ldap json"))));
}

#[tokio::test]
async fn after_hooks_are_told_what_happened() {
    let host = FakeHost::new();
    let hooks = load(GUEST, json!({}), PATIENT, &host)
        .await
        .unwrap()
        .hooks
        .unwrap();
    let cx = |event| testing::context(event, &host);
    let changed = ["title".to_owned(), "email".to_owned()];

    let created = hooks
        .after_create(&cx(Event::AfterCreate), &title("Ada"))
        .await;
    hooks
        .after_update(&cx(Event::AfterUpdate), &title("Ada"), &changed)
        .await
        .unwrap();
    hooks
        .after_delete(&cx(Event::AfterDelete), &title("Ada"))
        .await
        .unwrap();
    hooks
        .after_login(&cx(Event::AfterLogin), &Login::default())
        .await
        .unwrap();

    assert_eq!(created, Err(Failure::new("cannot tell Ada")));
    assert_eq!(host.lines(), [(Level::Warn, "Ada: title,email".to_owned())]);
}

#[tokio::test]
async fn a_mailer_sends_or_says_why_not() {
    let host = FakeHost::new();
    let mailer = load(GUEST, json!({}), PATIENT, &host)
        .await
        .unwrap()
        .mailer
        .unwrap();
    let cx = testing::context(Event::AfterCreate, &host);
    let message = Message {
        to: vec!["ada@example.com".to_owned()],
        subject: "Welcome".to_owned(),
        ..Message::default()
    };

    let sent = mailer.send(&cx, &message).await;
    let unsent = mailer.send(&cx, &Message::default()).await;

    assert_eq!(
        (sent, unsent),
        (Ok(()), Err(Failure::new("nobody to send to")))
    );
    assert_eq!(
        host.lines(),
        [(Level::Info, "Welcome to ada@example.com".to_owned())]
    );
}
