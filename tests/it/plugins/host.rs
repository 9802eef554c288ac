//! What plugins ask of the server: the same answers, and the same refusals, in both builds.

use roster_sdk::Linked;
use roster_stock_plugin::Stock;
use roster_tests::{Client, Setup, TestServer, eventually};
use serde_json::{Value as Json, json};

const GRANTED: &str = "
capabilities.fields = { read = ['email', 'title'], write = ['description'] }
capabilities.store = true
capabilities.users = 'read'
capabilities.mail = true
";

/// The stock plugin natively and as a component.
fn both(section: &str) -> [Setup; 2] {
    let native = format!("source = 'builtin'\ntimeout = '10s'\n{section}");
    [
        Setup::new()
            .linked(Linked::hooks::<Stock>("stock"))
            .plugin("stock", &native),
        Setup::new().guest("stock", "roster-stock-plugin", section),
    ]
}

/// What the plugin answers when somebody with this title is made.
async fn told(admin: &Client, title: &str) -> String {
    let made = admin
        .post("/users?fields=description", json!({ "title": title }))
        .await;
    match made.status {
        200 => made.data()["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        _ => made.outcome(),
    }
}

async fn conversation(server: &TestServer, wishes: &[&str]) -> Vec<String> {
    let admin = server.admin().await;
    let mut answers = Vec::new();
    for wish in wishes {
        answers.push(format!("{wish}: {}", told(&admin, wish).await));
    }
    answers
}

#[tokio::test]
async fn a_plugin_gets_what_it_was_granted() {
    let wishes = [
        "count a",
        "count a",
        "count b",
        "read a",
        "read c",
        "claim d",
        "claim d",
        "twice e",
        "read e",
        "keys a",
        "keys ",
        "forget a",
        "forget a",
        "count a",
        "clock",
        "random",
        "user admin@example.com",
        "user nobody@example.com",
        "field status",
        "secret",
        "mail ada@example.com",
        "mail nowhere",
        "flood",
        "get http://127.0.0.1/",
    ];

    for setup in both(GRANTED) {
        let server = setup.start().await;
        let answers = conversation(&server, &wishes).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(answers.join("\n"), @r#"
            count a: 1
            count a: 2
            count b: 1
            read a: Some(Number(2))
            read c: None
            claim d: mine
            claim d: conflict: `d` does not have the expected version
            twice e: conflict: `e` does not have the expected version
            read e: Some(String("second"))
            keys a: ["a"]
            keys : ["a", "b", "d", "e"]
            forget a: true
            forget a: false
            count a: 1
            clock: 24 true
            random: 32 4096
            user admin@example.com: [Record({"email": String("admin@example.com"), "title": Null})]
            user nobody@example.com: []
            field status: denied: users: FORBIDDEN: You don't have permission to access field "status" in collection "directus_users" or it does not exist. Queried in root.
            secret: denied: users: FORBIDDEN: You don't have permission to access field "password" in collection "directus_users" or it does not exist. Queried in root.
            mail ada@example.com: sent
            mail nowhere: invalid: `nowhere` is no address
            flood: denied: more than 100 calls of the host in one call
            get http://127.0.0.1/: denied: `plugins.stock.capabilities.http` is not granted
            "#);
        }
    }
}

#[tokio::test]
async fn a_plugin_gets_nothing_that_was_not_granted() {
    let wishes = [
        "count a",
        "keys a",
        "forget a",
        "user admin@example.com",
        "mail ada@example.com",
        "get http://127.0.0.1/",
        "clock",
    ];
    let bare = "capabilities.fields = { read = ['title'], write = ['description'] }";

    for setup in both(bare) {
        let server = setup.start().await;
        let answers = conversation(&server, &wishes).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(answers.join("\n"), @r#"
            count a: denied: `plugins.stock.capabilities.store` is not granted
            keys a: denied: `plugins.stock.capabilities.store` is not granted
            forget a: denied: `plugins.stock.capabilities.store` is not granted
            user admin@example.com: denied: `plugins.stock.capabilities.users` is not granted
            mail ada@example.com: denied: `plugins.stock.capabilities.mail` is not granted
            get http://127.0.0.1/: denied: `plugins.stock.capabilities.http` is not granted
            clock: 24 true
            "#);
        }
    }
}

#[tokio::test]
async fn what_a_before_hook_writes_is_stored_with_the_record_or_not_at_all() {
    for setup in both(&format!("on_failure = 'skip'\n{GRANTED}")) {
        let server = setup.start().await;
        let admin = server.admin().await;

        assert_eq!(told(&admin, "refuse refused").await, "400 NO");
        assert_eq!(told(&admin, "fail failed").await, "");
        let taken = json!({ "title": "keep taken", "email": admin.email });
        assert_eq!(
            admin.post("/users", taken).await.outcome(),
            "400 RECORD_NOT_UNIQUE"
        );
        let some_bad = json!([{ "title": "keep first" }, { "title": "refuse second" }]);
        assert_eq!(admin.post("/users", some_bad).await.outcome(), "400 NO");
        assert_eq!(told(&admin, "keep kept").await, "kept");

        let keys = server.database().rows("SELECT key FROM plugin_store").await;
        assert_eq!(keys, [[Some("kept".to_owned())]]);
        assert_eq!(server.database().count("outbox", "kind = 'mail'").await, 0);
    }
}

#[tokio::test]
async fn the_items_of_a_batch_see_what_was_written_for_those_before_them() {
    for setup in both(GRANTED) {
        let server = setup.start().await;
        let admin = server.admin().await;

        let three = json!([{ "title": "count x" }, { "title": "count x" }, { "title": "count x" }]);
        let made = admin.post("/users?fields=description", three).await.data();

        let made = made.as_array().expect("a list");
        let mut counts: Vec<_> = made.iter().map(|one| one["description"].as_str()).collect();
        counts.sort_unstable();
        assert_eq!(counts, [Some("1"), Some("2"), Some("3")]);
        assert_eq!(told(&admin, "count x").await, "4");
    }
}

#[tokio::test]
async fn a_hook_sees_what_the_item_before_it_changes_of_the_same_record() {
    let section = format!("{GRANTED}config = {{ updates = true }}");
    for setup in both(&section) {
        let server = setup.start().await;
        let admin = server.admin().await;
        let made = admin.post("/users", json!({ "title": "a" })).await.data();
        let id = &made["id"];
        let body = json!([{ "id": id, "title": "b" }, { "id": id, "title": "c" }]);

        let fields = "/users?fields=title,description";
        let answer = admin.json(reqwest::Method::PATCH, fields, &body).await;

        let expected = json!([{ "title": "c", "description": "2: it was b" }]);
        assert_eq!(answer.data(), expected);
        assert_eq!(told(&admin, "count updates").await, "3");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_counts_every_record_though_many_are_made_at_once() {
    let [native, _] = both(GRANTED);
    let server = native.start().await;
    let admin = server.admin().await;

    let mut making = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let admin = admin.clone();
        making.spawn(async move {
            let mut made = 0_u64;
            for _ in 0..5 {
                let answer = admin.post("/users", json!({ "title": "count all" })).await;
                match answer.outcome().as_str() {
                    "200" => made += 1,
                    "409 CONFLICT" => {}
                    other => panic!("{other}"),
                }
            }
            made
        });
    }
    let made: u64 = making.join_all().await.into_iter().sum();

    let kept = server
        .database()
        .text("SELECT CAST(value AS TEXT) FROM plugin_store")
        .await;
    let counted: u64 = kept.parse().expect("a number");
    assert_eq!(counted, made);
    assert_eq!(
        server
            .database()
            .count("users", "title = 'count all'")
            .await,
        usize::try_from(made).expect("few")
    );
}

#[tokio::test]
async fn a_mail_of_a_plugin_goes_through_the_outbox() {
    for setup in both(GRANTED) {
        let upstream = roster_tests::Upstream::start(|_| (202, Vec::new(), String::new())).await;
        let section = format!(
            "timeout = '10s'\ncapabilities.http = ['{0}']\nconfig = {{ url = '{0}/send' }}",
            upstream.url()
        );
        let server = setup
            .plugin("http-mailer", &section)
            .set("mail.mailer", "http-mailer")
            .start()
            .await;
        let admin = server.admin().await;

        assert_eq!(told(&admin, "mail ada@example.com").await, "sent");

        let look = async || upstream.asked().pop();
        let asked = eventually("a mail", look).await;
        let body: Json = serde_json::from_str(&asked.body).expect("JSON");
        assert_eq!(
            (&body["to"], &body["subject"], &body["from"]),
            (
                &json!(["ada@example.com"]),
                &json!("Hello"),
                &json!("no-reply@example.com")
            )
        );
    }
}

#[tokio::test]
async fn an_after_hook_writes_at_once() {
    for setup in both(GRANTED) {
        let server = setup.start().await;
        let admin = server.admin().await;
        let made = admin
            .post("/users", json!({ "title": "gone" }))
            .await
            .data();
        let path = format!("/users/{}", made["id"].as_str().expect("an id"));

        admin.delete(&path).await.done();

        server.settled().await;
        let sql = "SELECT CAST(value AS TEXT) FROM plugin_store WHERE key = 'deleted'";
        assert_eq!(server.database().text(sql).await, "\"gone\"");
    }
}
