//! `roster plugin` and `roster outbox` on the command line.

use std::path::Path;
use std::time::Duration;

use roster_sdk::Event;
use roster_tests::{Finished, Process, Recorder, SECRET, Setup, guest, root};
use serde_json::json;

async fn roster(folder: &Path, arguments: &[&str]) -> Finished {
    // One target folder for all, so that the SDK is built once.
    let target = root().join("target/guests/scaffold");
    let target = target.to_str().expect("text").to_owned();
    let environment = [
        ("CARGO_TARGET_DIR", target.as_str()),
        ("CARGO_NET_OFFLINE", "true"),
    ];
    let building = Duration::from_mins(5);
    Process::run_within(building, folder, arguments, &environment).await
}

#[tokio::test]
async fn a_new_plugin_of_every_kind_passes_its_test_and_starts_as_a_component() {
    let folder = tempfile::tempdir().expect("a folder");
    let sdk = root().join("sdk");
    let sdk = sdk.to_str().expect("text");

    for kind in ["hooks", "mailer", "policy", "auth"] {
        let name = format!("my-{kind}");
        let arguments = ["plugin", "new", &name, "--kind", kind, "--sdk", sdk];
        let made = roster(folder.path(), &arguments).await;
        assert_eq!(made.code, Some(0), "{}", made.err);
        let lock = folder.path().join(&name).join("Cargo.lock");
        std::fs::copy(root().join("Cargo.lock"), lock).expect("the same versions");

        let tested = roster(folder.path(), &["plugin", "test", &name]).await;

        assert_eq!(tested.code, Some(0), "{}", tested.err);
        let expected = format!("{name} 0.1.0: starts as a component");
        assert!(tested.out.contains(&expected), "{}", tested.out);
    }
}

#[tokio::test]
async fn a_component_can_be_looked_into() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = guest("roster-slug");
    let file = file.to_str().expect("text");

    let seen = roster(folder.path(), &["plugin", "inspect", file]).await;
    let missing = roster(folder.path(), &["plugin", "inspect", "none.wasm"]).await;

    assert_eq!(seen.code, Some(0), "{}", seen.err);
    for line in [
        "exports: roster:plugin/lifecycle@1.1.0, roster:plugin/hooks@1.1.0",
        "plugin: slug 0.1.0",
        "events: users.create.before",
        "asks to write: title",
    ] {
        assert!(seen.out.contains(line), "{}", seen.out);
    }
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.err.contains("`none.wasm`: no such file"),
        "{}",
        missing.err
    );
}

#[tokio::test]
async fn plugins_are_listed_in_their_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = "[plugins.slug]\npriority = 7\n[plugins.hours]\nsource = 'builtin:business-hours'\n";
    std::fs::write(folder.path().join("roster.toml"), file).expect("a file");

    let listed = roster(folder.path(), &["--set", "log.level=off", "plugin", "list"]).await;

    assert_eq!(listed.code, Some(0), "{}", listed.err);
    let names: Vec<&str> = listed
        .out
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(names, ["slug", "hours", "log"]);
    assert!(
        listed
            .out
            .contains("hours business-hours 0.1.0 [policy] priority 100 from builtin")
    );
}

#[tokio::test]
async fn the_outbox_is_listed_and_told_again_beside_a_running_server() {
    let recorder = Recorder::of(&[Event::AfterUpdate]);
    let setup = Setup::new().record(&recorder).set("outbox.retain", "true");
    let server = setup.start().await;
    let admin = server.admin().await;
    admin
        .patch("/users/me", json!({ "title": "x" }))
        .await
        .data();
    server.settled().await;
    let database = server.database();
    let environment = [
        ("ROSTER__DATABASE__URL", database.url()),
        ("ROSTER__AUTH__SECRET", SECRET),
        ("ROSTER__LOG__LEVEL", "off"),
    ];
    let run = async |arguments: &[&str]| {
        let ended = Process::run(database.folder(), arguments, &environment).await;
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        ended.out
    };

    let listed = run(&["outbox", "list", "--state", "done"]).await;
    let id = recorder.calls()[0].id.clone();
    let retried = run(&["outbox", "retry"]).await;
    recorder.forget();
    let replayed = run(&["outbox", "replay", "--event", &id, "--to", "recorder"]).await;

    assert!(
        listed.contains(&format!("to recorder, attempts 1, event {id}")),
        "{listed}"
    );
    assert_eq!(
        (retried.as_str(), replayed.as_str()),
        ("0 deliveries\n", "1 deliveries\n")
    );
    server.settled().await;
    assert_eq!(recorder.calls()[0].id, id);
}
