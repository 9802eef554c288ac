//! One component of two kinds: hooks and mailer.

use insta::assert_snapshot;
use roster_tests::{PASSWORD, Process, Setup, eventually};
use serde_json::{Value as Json, json};

/// It fails at every login, as nobody is signed in then.
const SECTION: &str = "
on_failure = 'skip'
capabilities.fields = { read = ['*'], write = ['description'] }
config = { greeting = 'hello' }
";

fn setup() -> Setup {
    let setup = Setup::new().guest("two", "roster-two-kinds-plugin", SECTION);
    setup
        .set("mail.mailer", "two")
        .set("outbox.max_attempts", "2")
}

#[tokio::test]
async fn a_component_is_told_all_there_is_to_know_about_a_call() {
    let server = setup().start().await;
    let admin = server.admin().await;

    let made = admin
        .post("/users", json!({ "title": "good" }))
        .await
        .data();

    let told: Json = made["description"]
        .as_str()
        .expect("text")
        .parse()
        .expect("JSON");
    assert_eq!(told["event"], "create.before");
    assert_eq!(told["collection"], "users");
    assert_eq!(told["item"], made["id"]);
    assert_eq!(told["source"], "rest");
    assert_eq!(told["principal"]["kind"], "user");
    assert_eq!(told["principal"]["id"], json!(admin.id));
    assert_eq!(
        (&told["ip"], &told["depth"]),
        (&json!("127.0.0.1"), &json!(0))
    );
    assert_eq!(told["config"], json!({ "greeting": "hello" }));
    assert_eq!(told["time"].as_str().map(str::len), Some(24));
}

#[tokio::test]
async fn its_hooks_change_report_and_refuse() {
    let server = setup().start().await;
    let admin = server.admin().await;

    let bad = admin.post("/users", json!({ "title": "bad" })).await;
    let made = admin
        .post("/users", json!({ "title": "good" }))
        .await
        .data();
    let path = format!("/users/{}", made["id"].as_str().expect("an id"));
    let changed = admin
        .patch(
            &format!("{path}?fields=description"),
            json!({ "title": "better" }),
        )
        .await;
    let removed = admin.delete(&path).await;

    assert_snapshot!(bad, @r#"
    400
    {"errors":[{"message":"This title is bad.","extensions":{"field":"title","path":[],"code":"TITLE_BAD"}},
    {"message":"So is this address.","extensions":{"field":"email","path":[],"code":"EMAIL_BAD"}}]}
    "#);
    assert_eq!(
        changed.data(),
        json!({ "description": "good became better" })
    );
    assert_snapshot!(removed, @r#"
    409
    {"errors":[{"message":"better stays.","extensions":{"code":"STAYS"}}]}
    "#);
}

#[tokio::test]
async fn its_failed_after_events_are_given_up_at_last() {
    let server = setup().start().await;
    let admin = server.admin().await;

    admin
        .post("/users", json!({ "title": "good" }))
        .await
        .data();

    server.settled().await;
    let sql = "SELECT DISTINCT last_error FROM deliveries WHERE state = 'dead' ORDER BY last_error";
    let errors: Vec<_> = server
        .database()
        .rows(sql)
        .await
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    assert_eq!(errors, ["cannot tell ", "cannot tell good"]);
}

/// Waits for a line of the log that has all of these words; gives it.
async fn logged(process: &Process, words: &[&str]) -> String {
    let look = async || {
        let log = process.err();
        log.lines()
            .find(|line| words.iter().all(|word| line.contains(word)))
            .map(str::to_owned)
    };
    eventually("a line of the log", look).await
}

#[tokio::test]
async fn its_mailer_sends_what_the_server_has_to_say() {
    let process = setup().spawn().await;
    let admin = process.admin().await;
    let ada = process.member("ada").await;

    admin
        .patch(&ada.path(), json!({ "email": "new@example.com" }))
        .await
        .data();

    let line = logged(&process, &["plugin log", "e-mail address was changed"]).await;
    assert!(
        line.contains("to ada@example.com") && line.contains("\"plugin\":\"two\""),
        "{line}"
    );
    let own = json!({ "password": "another secret", "current_password": PASSWORD });
    admin.patch("/users/me", own).await.data();
    let line = logged(&process, &["plugin log", "password was changed"]).await;
    assert!(line.contains("to admin@example.com"), "{line}");
}
