use std::sync::Arc;

use roster_sdk::testing::{self, FakeHost};
use roster_sdk::{Event, Instance, Linked, Value, json};
use roster_slug::Slug;

use crate::{PATIENT, load};

/// The slug plugin twice: linked, and as a component.
async fn both(config: Value) -> [Instance; 2] {
    let host = FakeHost::new();
    let linked = Linked::hooks::<Slug>("slug");
    let native = linked
        .start(config.clone(), Arc::clone(&host) as _)
        .await
        .unwrap();
    [
        native,
        load("roster-slug", config, PATIENT, &host).await.unwrap(),
    ]
}

#[tokio::test]
async fn native_and_component_answer_alike() {
    let host = FakeHost::new();
    let cx = testing::context(Event::BeforeCreate, &host);
    let configs = [
        json!({}),
        json!({ "field": "description", "from": ["last_name"], "reserved": ["Lovelace"] }),
    ];
    let drafts = [
        json!({}),
        json!({ "first_name": "Ada", "last_name": "Lovelace" }),
        json!({ "first_name": "Łucja", "last_name": "O’Brien-Nguyễn" }),
        json!({ "title": "mine", "first_name": "Ada" }),
        json!({ "title": null, "first_name": 7 }),
        json!({ "title": "ADMIN" }),
        json!({ "first_name": "Root", "tags": ["a", { "b": 1.5 }] }),
    ];

    for config in configs {
        let [native, component] = both(config.clone()).await;
        assert_eq!(native.manifest, component.manifest);
        let (native, component) = (native.hooks.unwrap(), component.hooks.unwrap());
        for draft in &drafts {
            let (mut ours, mut theirs) =
                (testing::draft(draft.clone()), testing::draft(draft.clone()));

            let answers = (
                native.before_create(&cx, &mut ours).await,
                component.before_create(&cx, &mut theirs).await,
            );

            assert_eq!(answers.0, answers.1, "of {draft} with {config}");
            assert_eq!(ours, theirs, "of {draft} with {config}");
        }
    }
}

#[tokio::test]
async fn native_and_component_refuse_a_wrong_configuration_alike() {
    let host = FakeHost::new();
    let config = json!({ "feild": "title" });

    let linked = Linked::hooks::<Slug>("slug");
    let native = linked
        .start(config.clone(), Arc::clone(&host) as _)
        .await
        .err()
        .unwrap();
    let component = load("roster-slug", config, PATIENT, &host)
        .await
        .err()
        .unwrap()
        .to_string();

    assert!(
        component.ends_with(&format!("does not start: {native}")),
        "{component}"
    );
}
