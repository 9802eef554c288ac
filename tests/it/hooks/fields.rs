//! Hooks on fields: they see, change and refuse what is said of them, and are told of what came of
//! it.

use insta::assert_snapshot;
use roster_sdk::{Draft, Event, HookError, Rejection};
use roster_tests::{Call, Recorder, Setup, TestServer};
use serde_json::{Value as Json, json};

pub(super) const FIELDS: &str = "/fields/directus_users";

/// A hook before everything that is done to fields and relations.
pub(super) fn before(
    act: impl Fn(&Call, &mut Draft) -> Result<(), HookError> + Send + Sync + 'static,
) -> Recorder {
    Recorder::new()
        .watching(&["fields", "relations"])
        .before(act)
}

/// What the recorder was told, with the items, in order.
pub(super) async fn told(server: &TestServer, recorder: &Recorder) -> Vec<String> {
    server.settled().await;
    let calls = recorder.calls();
    let after = calls.iter().filter(|call| call.event.is_after());
    let told =
        after.map(|call| format!("{}.{} {}", call.collection, call.event.as_str(), call.item));
    told.collect()
}

#[tokio::test]
async fn a_refused_field_is_not_there_and_nobody_is_told() {
    let recorder = before(|call, draft| match call.text("field") {
        "secret_plan" => Err(Rejection::new("NO_SECRETS", "Names tell.")
            .with_status(422)
            .into()),
        "odd" => {
            draft.error("field", "ODD_NAME", "This name is odd.");
            draft.error("type", "ODD_TYPE", "So is this type.");
            Ok(())
        }
        _ => Ok(()),
    });
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;
    let make = async |name: &str| {
        let body = json!({ "field": name, "type": "string" });
        admin.post(FIELDS, body).await
    };

    assert_snapshot!(make("secret_plan").await, @r#"
    422
    {"errors":[{"message":"Names tell.","extensions":{"code":"NO_SECRETS"}}]}
    "#);
    assert_snapshot!(make("odd").await, @r#"
    400
    {"errors":[{"message":"This name is odd.","extensions":{"field":"field","path":[],"code":"ODD_NAME"}},
    {"message":"So is this type.","extensions":{"field":"type","path":[],"code":"ODD_TYPE"}}]}
    "#);

    assert_eq!(told(&server, &recorder).await, Vec::<String>::new());
    let database = server.database();
    assert_eq!(database.count("fields", "1 = 1").await, 0);
    assert_eq!(
        database
            .count("activity", "collection = 'directus_fields'")
            .await,
        0
    );
    assert_eq!(database.count("outbox", "collection = 'fields'").await, 0);
    // The column is not there either: its name is free.
    assert_eq!(
        admin.get("/users?fields=odd").await.outcome(),
        "403 FORBIDDEN"
    );
    assert_eq!(make("plan").await.outcome(), "200");
}

#[tokio::test]
async fn a_hook_changes_what_is_said_and_is_told_what_came_of_it() {
    let recorder = before(|call, draft| {
        if call.collection == "fields" && call.event != Event::BeforeDelete {
            let mut meta = call
                .values
                .get("meta")
                .cloned()
                .unwrap_or_else(|| json!({}));
            meta["note"] = json!(format!("{} {}", call.event.as_str(), call.item));
            draft.set("meta", meta);
        }
        Ok(())
    });
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;

    let body = json!({ "field": "level", "type": "integer", "meta": { "width": "half" } });
    let made = admin.post(FIELDS, body).await.data();
    let path = "/fields/users/level";
    let body = json!({ "schema": { "default_value": 3 } });
    let changed = admin.patch(path, body).await.data();

    assert_eq!(made["meta"]["note"], "create.before directus_users.level");
    assert_eq!(
        (&made["meta"]["width"], &made["meta"]["sort"]),
        (&json!("half"), &json!(1))
    );
    assert_eq!(
        changed["meta"]["note"],
        "update.before directus_users.level"
    );
    assert_eq!(changed["meta"]["width"], "half");
    assert_eq!(admin.get(path).await.data(), changed);
    let both = [
        "fields.create.after directus_users.level",
        "fields.update.after directus_users.level",
    ];
    assert_eq!(told(&server, &recorder).await, both);
    let calls = recorder.calls();
    let find = |event| {
        calls
            .iter()
            .find(|call| call.event == event)
            .expect("a call")
    };
    let (created, updated) = (find(Event::AfterCreate), find(Event::AfterUpdate));
    assert_snapshot!(json!(find(Event::BeforeCreate).values), @r#"{"collection":"directus_users","field":"level","meta":{"width":"half"},"type":"integer"}"#);
    assert_snapshot!(json!(created.values), @r#"{"collection":"directus_users","field":"level","meta":{"conditions":null,"display":null,"display_options":null,"group":null,"hidden":false,"interface":null,"note":"create.before directus_users.level","options":null,"readonly":false,"required":false,"searchable":true,"sort":1,"special":null,"translations":null,"validation":null,"validation_message":null,"width":"half"},"schema":{},"type":"integer"}"#);
    assert_snapshot!(json!(find(Event::BeforeUpdate).values), @r#"{"schema":{"default_value":3}}"#);
    assert_eq!(find(Event::BeforeUpdate).stored, created.values);
    assert_eq!(updated.changed, ["meta", "schema"]);
    assert_eq!(updated.values["meta"]["note"], changed["meta"]["note"]);
    assert_eq!(updated.values["schema"]["default_value"], 3);
    let revisions = "collection = 'directus_fields' AND item = 'directus_users.level'";
    assert_eq!(server.database().count("revisions", revisions).await, 2);
}

#[tokio::test]
async fn what_a_hook_says_is_checked_like_what_a_caller_says() {
    let recorder = before(|call, draft| {
        match call.text("field") {
            "of_no_type" => draft.set("type", "nonsense"),
            "wide" => draft.set("meta", json!({ "width": 7 })),
            "short" => draft.set("schema", json!({ "max_length": 0 })),
            "a_number" => draft.set("meta", 7),
            "renamed" => draft.set("field", "other"),
            "moved" => draft.set("collection", "directus_roles"),
            "unknown" => draft.set("colour", "red"),
            "integer" => draft.set("type", "integer"),
            _ => {}
        }
        Ok(())
    });
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;
    let mut answers = Vec::new();
    for name in [
        "of_no_type",
        "wide",
        "short",
        "a_number",
        "renamed",
        "moved",
        "unknown",
        "integer",
    ] {
        let body = json!({ "field": name, "type": "string" });
        let answer = admin.post(FIELDS, body).await;
        let said = match answer.status {
            200 => answer.data()["type"].to_string(),
            _ => answer.json()["errors"][0]["message"].to_string(),
        };
        answers.push(format!("{name}: {} {said}", answer.outcome()));
    }

    assert_snapshot!(answers.join("\n"), @r#"
    of_no_type: 400 INVALID_PAYLOAD "Invalid payload. \"type\" must be one of [bigInteger, boolean, date, dateTime, decimal, float, integer, json, string, text, time, timestamp, uuid, hash, csv, alias]."
    wide: 400 INVALID_PAYLOAD "Invalid payload. \"meta.width\" cannot be 7."
    short: 400 INVALID_PAYLOAD "Invalid payload. \"schema.max_length\" cannot be 0."
    a_number: 500 PLUGIN_FAILED "A plugin could not do its work."
    renamed: 500 PLUGIN_FAILED "A plugin could not do its work."
    moved: 500 PLUGIN_FAILED "A plugin could not do its work."
    unknown: 500 PLUGIN_FAILED "A plugin could not do its work."
    integer: 200 "integer"
    "#);
    // What a caller gets wrong is refused before any hook is asked.
    server.settled().await;
    recorder.forget();
    for body in [
        json!({ "field": "x", "type": "nonsense" }),
        json!({ "type": "string" }),
        json!([]),
    ] {
        assert_eq!(
            admin.post(FIELDS, body).await.outcome(),
            "400 INVALID_PAYLOAD"
        );
    }
    let path = "/fields/directus_users/integer";
    let body = json!({ "type": "alias" });
    assert_eq!(
        admin.patch(path, body).await.outcome(),
        "400 INVALID_PAYLOAD"
    );
    server.settled().await;
    assert_eq!(recorder.named(), Vec::<String>::new());
}

#[tokio::test]
async fn a_hook_sees_and_changes_what_it_was_granted() {
    let note = |_: &Call, draft: &mut Draft| {
        draft.set("meta", json!({ "note": "mine" }));
        Ok(())
    };
    let events = [Event::BeforeCreate, Event::AfterCreate];
    for (grants, outcome, shown, written) in [
        ("", "500 PLUGIN_FAILED", "", Json::Null),
        ("on_failure = 'skip'", "200", "", Json::Null),
        (
            "capabilities.fields = { read = ['type', 'note'] }\non_failure = 'skip'",
            "200",
            "type",
            Json::Null,
        ),
        (
            "capabilities.fields = { read = ['field'], write = ['meta'] }",
            "200",
            "field",
            json!("mine"),
        ),
    ] {
        let recorder = Recorder::of(&events).watching(&["fields"]).before(note);
        let server = Setup::new()
            .record_as("recorder", &recorder, grants)
            .start()
            .await;
        let admin = server.admin().await;

        let made = admin
            .post(FIELDS, json!({ "field": "x", "type": "string" }))
            .await;

        assert_eq!(made.outcome(), outcome, "{grants}");
        if made.status == 200 {
            assert_eq!(made.data()["meta"]["note"], written, "{grants}");
        }
        let keys = recorder.calls()[0]
            .values
            .keys()
            .cloned()
            .collect::<Vec<_>>();
        assert_eq!(keys.join(" "), shown, "{grants}");
    }
}

#[tokio::test]
async fn hooks_run_in_their_order_and_see_what_came_before() {
    let sign = |name: &'static str| {
        let events = [Event::BeforeUpdate];
        Recorder::of(&events)
            .watching(&["directus_fields"])
            .before(move |call, draft| {
                let before = call.values["meta"]["note"].as_str().unwrap_or_default();
                draft.set("meta", json!({ "note": format!("{before} {name}") }));
                Ok(())
            })
    };
    let all = "capabilities.fields = { read = ['*'], write = ['*'] }";
    let (first, second) = (sign("first"), sign("second"));
    let setup = Setup::new()
        .record_as("a", &second, &format!("{all}\npriority = 2"))
        .record_as("b", &first, &format!("{all}\npriority = 1"));
    let server = setup.start().await;
    let admin = server.admin().await;
    admin
        .post(
            FIELDS,
            json!({ "field": "x", "type": "string", "meta": {} }),
        )
        .await
        .data();

    let body = json!({ "meta": { "note": "caller" } });
    let changed = admin.patch("/fields/directus_users/x", body).await.data();

    assert_eq!(changed["meta"]["note"], "caller first second");
}

#[tokio::test]
async fn a_list_of_fields_is_one_call_for_each() {
    let recorder = before(|call, _| match call.item.as_str() {
        "directus_users.b" => Err(Rejection::new("NOT_B", "Not this one.").into()),
        _ => Ok(()),
    });
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;
    for name in ["a", "c"] {
        admin
            .post(FIELDS, json!({ "field": name, "type": "string" }))
            .await
            .data();
    }
    let change = |names: &[&str]| {
        let one = |name: &&str| json!({ "field": name, "meta": { "note": "n" } });
        Json::Array(names.iter().map(one).collect())
    };
    server.settled().await;
    recorder.forget();

    admin.patch(FIELDS, change(&["a", "c"])).await.data();

    let both = [
        "fields.update.after directus_users.a",
        "fields.update.after directus_users.c",
    ];
    assert_eq!(told(&server, &recorder).await, both);
    let before = recorder
        .calls()
        .iter()
        .filter(|call| !call.event.is_after())
        .count();
    assert_eq!(before, 2);
}

#[tokio::test]
async fn a_plugin_that_subscribes_to_what_has_no_hooks_does_not_start() {
    let recorder = Recorder::of(&[Event::AfterCreate]).watching(&["users", "sessions"]);

    let refusal = Setup::new().record(&recorder).refusal().await;

    assert_snapshot!(refusal, @"cannot load the plugins: plugin `recorder`: it subscribes to `create.after` of the collection `sessions`, expected one of `users`, `roles`, `policies`, `access`, `permissions`, `settings`, `fields`, `relations`");
}
