use roster_sdk::testing::{self, FakeHost};
use roster_sdk::{Event, HookError, Hooks, Map, Plugin, Rejection, Subscription, Value, json};

use super::Slug;

/// What a hook with this configuration makes of a draft with these fields.
fn created(config: Value, fields: Value) -> Result<Map<String, Value>, HookError> {
    let host = FakeHost::new();
    let slug: Slug = testing::start(config, &host).expect("a configuration it starts with");
    let cx = testing::context(Event::BeforeCreate, &host);
    let mut draft = testing::draft(fields);
    testing::ready(slug.before_create(&cx, &mut draft))?;
    Ok(draft.into_parts().0)
}

fn reserved(word: &str) -> HookError {
    Rejection::new("SLUG_RESERVED", format!("\"{word}\" is reserved.")).into()
}

fn fields(fields: &Value) -> Map<String, Value> {
    fields.as_object().cloned().unwrap_or_default()
}

#[test]
fn a_new_user_gets_a_slug_of_their_name() {
    let patch = created(
        json!({}),
        json!({ "first_name": "Ada", "last_name": "Lovelace" }),
    );

    assert_eq!(patch, Ok(fields(&json!({ "title": "ada-lovelace" }))));
}

#[test]
fn what_the_caller_chose_stays_be_it_null() {
    let chosen = created(
        json!({}),
        json!({ "title": "Countess", "first_name": "Ada" }),
    );
    let null = created(json!({}), json!({ "title": null, "first_name": "Ada" }));

    assert_eq!((chosen, null), (Ok(Map::new()), Ok(Map::new())));
}

#[test]
fn a_user_without_a_name_gets_no_slug() {
    assert_eq!(
        created(json!({}), json!({ "email": "ada@example.com" })),
        Ok(Map::new())
    );
}

#[test]
fn a_reserved_slug_is_refused_whoever_made_it() {
    let made = created(json!({}), json!({ "first_name": "Admin" }));
    let chosen = created(json!({}), json!({ "title": "ROOT", "first_name": "Ada" }));

    assert_eq!(
        (made, chosen),
        (Err(reserved("admin")), Err(reserved("root")))
    );
}

#[test]
fn the_configuration_names_the_fields_and_the_reserved_words() {
    let config = json!({ "field": "handle", "from": ["email"], "reserved": ["Ada at home"] });

    let patch = created(config.clone(), json!({ "email": "ada", "title": "x" }));
    let refused = created(config, json!({ "email": "ada at home" }));

    assert_eq!(patch, Ok(fields(&json!({ "handle": "ada" }))));
    assert_eq!(refused, Err(reserved("ada-at-home")));
}

#[test]
fn the_manifest_follows_the_configuration() {
    let config = json!({ "field": "handle", "from": ["email"] });
    let slug: Slug = testing::start(config, &FakeHost::new()).expect("it starts");

    let manifest = slug.manifest();

    let on = Subscription {
        collection: "users".to_owned(),
        event: Event::BeforeCreate,
    };
    assert_eq!(manifest.subscriptions, [on]);
    assert_eq!(manifest.reads, ["email", "handle"]);
    assert_eq!(manifest.writes, ["handle"]);
}

#[test]
fn a_wrong_configuration_is_named() {
    let refusal = |config| {
        testing::start::<Slug>(config, &FakeHost::new())
            .expect_err("it must not start")
            .0
    };

    let unknown = refusal(json!({ "feild": "title" }));
    let same = refusal(json!({ "field": "first_name" }));

    let expected = "config: unknown field `feild`, expected one of `field`, `from`, `reserved`";
    assert_eq!(unknown, expected);
    assert_eq!(same, "`from` has to differ from `field`, got `first_name`");
}
