//! Hooks on relations, and on fields that hold one.

use insta::assert_snapshot;
use roster_sdk::{Event, Rejection};
use roster_tests::{Client, Recorder, Setup, TestServer};
use serde_json::{Value as Json, json};

use super::fields::{FIELDS, before, told};

const BOSS: &str = "/fields/directus_users/boss";

/// A server with a field `boss` that leads to users, and what the recorder heard of it forgotten.
async fn with_boss(recorder: &Recorder) -> (TestServer, Client) {
    let server = Setup::new().record(recorder).start().await;
    let admin = server.admin().await;
    let body = json!({ "field": "boss", "type": "uuid", "meta": { "note": "who it is" } });
    admin.post(FIELDS, body).await.data();
    admin.post("/relations", relation("boss")).await.data();
    server.settled().await;
    recorder.forget();
    (server, admin)
}

fn relation(field: &str) -> Json {
    json!({ "collection": "directus_users", "field": field, "related_collection": "directus_users" })
}

#[tokio::test]
async fn a_relation_goes_with_its_field_and_may_hold_it_back() {
    let recorder = before(|call, _| {
        if call.event == Event::BeforeDelete && call.values["meta"]["one_field"] == "kept" {
            return Err(Rejection::new("KEPT", "It stays.").with_status(409).into());
        }
        Ok(())
    });
    let (server, admin) = with_boss(&recorder).await;
    let path = "/relations/directus_users/boss";
    admin
        .patch(path, json!({ "meta": { "one_field": "kept" } }))
        .await
        .data();
    assert_eq!(admin.delete(BOSS).await.outcome(), "409 KEPT");
    assert_eq!(admin.delete(path).await.outcome(), "409 KEPT");
    assert_eq!(admin.get(BOSS).await.outcome(), "200");
    admin
        .patch(path, json!({ "meta": { "one_field": null } }))
        .await
        .data();
    server.settled().await;
    recorder.forget();

    admin.delete(BOSS).await.done();

    server.settled().await;
    let calls = recorder.calls();
    assert_eq!(
        recorder.named(),
        [
            "relations.delete.before",
            "fields.delete.before",
            "relations.delete.after",
            "fields.delete.after"
        ]
    );
    assert!(calls.iter().all(|call| call.item == "directus_users.boss"));
    assert_eq!(calls[1].values, calls[3].values);
    assert_eq!(calls[3].values["meta"]["note"], "who it is");
    assert_eq!(calls[0].values, calls[2].values);
    assert_snapshot!(json!(calls[2].values), @r#"{"collection":"directus_users","field":"boss","meta":{"one_deselect_action":"nullify","one_field":null,"sort_field":null},"related_collection":"directus_users","schema":{"on_delete":"SET NULL"}}"#);
    assert_eq!(admin.get(BOSS).await.outcome(), "403 FORBIDDEN");
    let logged = "collection = 'directus_relations' AND action = 'delete'";
    assert_eq!(server.database().count("activity", logged).await, 1);
}

#[tokio::test]
async fn a_hook_changes_a_relation() {
    let recorder = before(|call, draft| {
        match (call.collection.as_str(), call.event) {
            ("relations", Event::BeforeCreate) => {
                draft.set("schema", json!({ "on_delete": "CASCADE" }));
            }
            ("relations", Event::BeforeUpdate) => {
                draft.set("meta", json!({ "sort_field": "none" }));
            }
            _ => {}
        }
        Ok(())
    });
    let (server, admin) = with_boss(&recorder).await;
    let path = "/relations/directus_users/boss";

    let stored = admin.get(path).await.data();
    let refused = admin
        .patch(path, json!({ "schema": { "on_delete": "SET NULL" } }))
        .await;

    assert_eq!(stored["schema"]["on_delete"], "CASCADE");
    assert_snapshot!(refused, @r#"
    400
    {"errors":[{"message":"Invalid payload. \"meta.sort_field\": there is no field \"none\".","extensions":{"reason":"\"meta.sort_field\": there is no field \"none\"","code":"INVALID_PAYLOAD"}}]}
    "#);
    assert_eq!(admin.get(path).await.data(), stored);
    assert_eq!(told(&server, &recorder).await, Vec::<String>::new());
}

/// A change that the database, or what is stored there, does not let through.
#[tokio::test]
async fn what_is_rolled_back_is_told_to_nobody() {
    let recorder = Recorder::new().watching(&["fields", "relations"]);
    let (server, admin) = with_boss(&recorder).await;
    admin
        .post(FIELDS, json!({ "field": "level", "type": "string" }))
        .await
        .data();
    admin
        .post("/users", json!([{ "level": "x" }, { "level": "x" }]))
        .await
        .data();
    server.settled().await;
    recorder.forget();
    let epoch = server
        .database()
        .rows("SELECT CAST(schema_epoch AS TEXT) FROM counters")
        .await;

    let level = "/fields/directus_users/level";
    let mut outcomes = Vec::new();
    for change in [
        json!({ "schema": { "is_unique": true } }),
        json!({ "schema": { "is_nullable": false } }),
        json!({ "type": "integer" }),
    ] {
        outcomes.push(admin.patch(level, change).await.outcome());
    }
    for schema in [
        json!({ "is_unique": true, "default_value": "same" }),
        json!({ "is_nullable": false }),
    ] {
        let body = json!({ "field": "made", "type": "string", "schema": schema });
        outcomes.push(admin.post(FIELDS, body).await.outcome());
    }
    let again = json!({ "field": "level", "type": "string" });
    outcomes.push(admin.post(FIELDS, again).await.outcome());
    outcomes.push(admin.post("/relations", relation("boss")).await.outcome());
    let lost = json!({ "boss": "00000000-0000-4000-8000-000000000000" });
    admin.delete("/relations/directus_users/boss").await.done();
    admin.patch("/users/me", lost).await.data();
    outcomes.push(admin.post("/relations", relation("boss")).await.outcome());

    assert_snapshot!(outcomes.join("\n"), @r"
    400 RECORD_NOT_UNIQUE
    400 CONTAINS_NULL_VALUES
    400 INVALID_PAYLOAD
    400 RECORD_NOT_UNIQUE
    400 CONTAINS_NULL_VALUES
    400 INVALID_PAYLOAD
    400 INVALID_PAYLOAD
    400 INVALID_FOREIGN_KEY
    ");
    let gone = ["relations.delete.after directus_users.boss"];
    assert_eq!(told(&server, &recorder).await, gone);
    let after = server
        .database()
        .rows("SELECT CAST(schema_epoch AS TEXT) FROM counters")
        .await;
    let number =
        |rows: &[Vec<Option<String>>]| rows[0][0].as_deref().and_then(|n| n.parse::<i64>().ok());
    assert_eq!(number(&after), number(&epoch).map(|epoch| epoch + 1));
}
