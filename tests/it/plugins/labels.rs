//! One source, two builds, and fields that it looks after.

use insta::assert_snapshot;
use roster_sdk::Linked;
use roster_stock_plugin::Stock;
use roster_tests::{Setup, TestServer};
use serde_json::{Value as Json, json};

const FIELDS: &str = "/fields/directus_users";

const LABELS: &str = "
capabilities.fields = { read = ['field', 'type'], write = ['meta'] }
capabilities.store = true
config = { labels = true }
";

/// The stock plugin, natively and as a component.
fn both() -> [Setup; 2] {
    let native = format!("source = 'builtin'\ntimeout = '10s'\n{LABELS}");
    let linked = Setup::new().linked(Linked::hooks::<Stock>("stock"));
    [
        linked.plugin("stock", &native),
        Setup::new().guest("stock", "roster-stock-plugin", LABELS),
    ]
}

async fn kept(server: &TestServer, key: &str) -> Option<String> {
    let sql = format!("SELECT CAST(value AS TEXT) FROM plugin_store WHERE key = '{key}'");
    let rows = server.database().rows(&sql).await;
    rows.into_iter().flatten().flatten().next()
}

#[tokio::test]
async fn both_builds_label_and_refuse_fields_and_store_with_them_or_not_at_all() {
    for setup in both() {
        let server = setup.start().await;
        let admin = server.admin().await;
        let make = async |name: &str| {
            let body = json!({ "field": name, "type": "string", "meta": { "width": "half" } });
            admin.post(FIELDS, body).await
        };

        let mut answers = Vec::new();
        for name in ["first", "forbidden", "odd", "first", "9th", "second"] {
            let answer = make(name).await;
            answers.push(match answer.status {
                200 => answer.data()["meta"]["note"].to_string(),
                _ => answer.outcome(),
            });
        }

        insta::allow_duplicates! {
            assert_snapshot!(answers.join("\n"), @r#"
            "1: directus_users.first"
            403 NO
            400 ODD_NAME
            400 INVALID_PAYLOAD
            400 INVALID_PAYLOAD
            "2: directus_users.second"
            "#);
        }
        server.settled().await;
        assert_eq!(kept(&server, "fields").await.as_deref(), Some("2"));
        let told: Json = kept(&server, "made")
            .await
            .expect("a value")
            .parse()
            .expect("JSON");
        assert_eq!(told[0], "fields");
        assert_eq!(told[1], "directus_users.second");
        assert_eq!(told[2]["type"], "string");
        assert_eq!(told[2]["meta"]["note"], "2: directus_users.second");
        assert_eq!(told[2].get("schema"), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_that_meet_are_made_one_after_another_and_counted_once_each() {
    let [native, _] = both();
    let server = native.start().await;
    let admin = server.admin().await;

    let mut making = tokio::task::JoinSet::new();
    for name in ["a", "b", "c"] {
        let admin = admin.clone();
        making.spawn(async move {
            let body = json!({ "field": name, "type": "string" });
            admin.post(FIELDS, body).await.data()["meta"]["note"].clone()
        });
    }
    let mut notes: Vec<String> = making
        .join_all()
        .await
        .iter()
        .map(Json::to_string)
        .collect();
    notes.sort_unstable();

    let numbers: Vec<_> = notes.iter().map(|note| &note[1..2]).collect();
    assert_eq!(numbers, ["1", "2", "3"]);
    assert_eq!(kept(&server, "fields").await.as_deref(), Some("3"));
}
