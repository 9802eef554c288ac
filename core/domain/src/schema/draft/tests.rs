use serde_json::json;

use super::*;

fn parse(stage: Stage, body: &Json) -> Result<Draft> {
    Draft::parse(&Arc::new(Schema::users()), stage, body)
}

fn codes(error: &Error) -> Vec<(String, String)> {
    let fields = error.problems().iter().map(|problem| {
        let field = problem
            .extensions
            .get("field")
            .and_then(Json::as_str)
            .unwrap_or("-");
        (problem.code.as_str().into_owned(), field.to_owned())
    });
    fields.collect()
}

#[test]
fn wrong_types_are_reported_all_at_once_and_name_what_was_expected() {
    let body = json!({"email": 1, "tags": ["fine"], "role": "x", "last_access": "yesterday", "first_name": null});

    let error = parse(Stage::Create, &body).expect_err("refused");

    let mut fields: Vec<String> = codes(&error).into_iter().map(|(_, field)| field).collect();
    fields.sort();
    assert_eq!(fields, ["email", "last_access", "role"]);
    let email = error
        .problems()
        .iter()
        .find(|p| p.extensions["field"] == "email")
        .expect("one");
    assert!(
        email.message.contains("expected a string, got an integer"),
        "{}",
        email.message
    );
}

#[test]
fn a_body_has_to_be_an_object() {
    for body in [json!([]), json!("text"), json!(1), json!(null)] {
        let error = parse(Stage::Create, &body).expect_err("refused");
        assert_eq!(error.code(), &crate::Code::InvalidPayload, "{body}");
    }
}

#[test]
fn a_masked_secret_that_comes_back_changes_nothing() {
    let draft = parse(
        Stage::Update,
        &json!({"password": MASK, "token": MASK, "title": MASK}),
    )
    .expect("parsed");

    assert_eq!(draft.names().collect::<Vec<_>>(), ["title"]);
}

#[test]
fn the_id_of_an_update_is_ignored_and_that_of_a_create_is_kept() {
    let id = "01a1ff98-e00b-74dd-bea9-686deeac3cc5";

    assert!(
        parse(Stage::Update, &json!({ "id": id }))
            .expect("parsed")
            .get("id")
            .is_none()
    );
    assert!(
        parse(Stage::Create, &json!({ "id": id }))
            .expect("parsed")
            .get("id")
            .is_some()
    );
}

#[test]
fn defaults_apply_when_a_record_is_made_and_not_when_it_is_changed() {
    let made = parse(Stage::Create, &json!({}))
        .expect("parsed")
        .validate(&Model::built_in(), [])
        .expect("valid");
    let changed = parse(Stage::Update, &json!({"title": "x"}))
        .expect("parsed")
        .validate(&Model::built_in(), [])
        .expect("valid");

    assert_eq!(made.get("status"), Some(&Value::from("active")));
    assert_eq!(made.get("email_notifications"), Some(&Value::Boolean(true)));
    assert_eq!(changed.names().collect::<Vec<_>>(), ["title"]);
}

#[test]
fn values_are_checked_against_their_fields() {
    let cases = [
        (json!({"email": "nonsense"}), "FAILED_VALIDATION", "email"),
        (json!({"email": null}), "FAILED_VALIDATION", "email"),
        (json!({"status": null}), "FAILED_VALIDATION", "status"),
        (json!({"status": "happy"}), "FAILED_VALIDATION", "status"),
        (json!({"provider": null}), "FAILED_VALIDATION", "provider"),
        (
            json!({"first_name": "x".repeat(51)}),
            "VALUE_TOO_LONG",
            "first_name",
        ),
        (
            json!({"first_name": "ü".repeat(51)}),
            "VALUE_TOO_LONG",
            "first_name",
        ),
    ];

    for (body, code, field) in cases {
        let error = parse(Stage::Create, &body)
            .expect("parsed")
            .validate(&Model::built_in(), [])
            .expect_err("refused");
        assert_eq!(
            codes(&error),
            [(code.to_owned(), field.to_owned())],
            "{body}"
        );
    }
    let longest = json!({"first_name": "ü".repeat(50)});
    assert!(
        parse(Stage::Create, &longest)
            .expect("parsed")
            .validate(&Model::built_in(), [])
            .is_ok()
    );
}

#[test]
fn text_that_one_database_cannot_hold_is_refused_for_both() {
    for body in [
        json!({"title": "a\u{0}b"}),
        json!({"tags": ["a\u{0}"]}),
        json!({"tags": {"a\u{0}": 1}}),
    ] {
        assert!(parse(Stage::Create, &body).is_err(), "{body}");
    }
}

#[test]
fn plain_secrets_do_not_reach_storage() {
    let draft = parse(Stage::Create, &json!({"password": "secret", "title": "x"})).expect("parsed");
    let mut valid = draft.validate(&Model::built_in(), []).expect("valid");

    assert_eq!(valid.plain("password"), Some("secret"));
    assert!(valid.stored().is_err());

    valid.seal("password", "a hash".to_owned());
    assert!(valid.stored().is_ok());
    assert_eq!(valid.plain("password"), None);
    assert_eq!(valid.to_json()["password"], MASK);
}

#[test]
fn a_plugins_patch_is_held_to_the_same_rules() {
    let mut draft = parse(Stage::Create, &json!({})).expect("parsed");
    let patch = |json: Json| json.as_object().expect("an object").clone();

    assert!(draft.patch(&patch(json!({"title": "x"}))).is_ok());
    assert!(draft.patch(&patch(json!({"title": 1}))).is_err());
    assert!(draft.patch(&patch(json!({"nope": 1}))).is_err());
    assert!(draft.patch(&patch(json!({"policies": []}))).is_err());
}
