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
        let lines = match kind {
            "hooks" => &[
                "users.create.before: ok",
                "answered 200, 1 calls of the plugin",
            ][..],
            "mailer" => &["mailer: ok", "answered 200, 0 calls of the plugin"],
            "policy" => &["policy: ok", "answered 200, "],
            _ => &["auth provider: ", "answered 200, 0 calls of the plugin"],
        };
        for line in lines {
            assert!(tested.out.contains(line), "{line}: {}", tested.out);
        }
    }
}

/// The commands of the tour in the README of the SDK.
fn tour() -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("sdk/README.md")).expect("a README");
    let (_, after) = readme
        .split_once("## From nothing to a running hook")
        .expect("the tour");
    let (_, block) = after.split_once("```console\n").expect("its commands");
    let (commands, _) = block.split_once("```").expect("their end");
    commands.lines().map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn the_tour_of_the_readme_works_as_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let sdk = root().join("sdk").display().to_string();
    let target = root().join("target/guests/scaffold").display().to_string();
    let commands = tour();
    assert_eq!(commands.len(), 4, "{commands:?}");

    let mut last = String::new();
    for command in &commands {
        // What differs is where the SDK is, and one target folder for all.
        let command = command
            .replace("../roster/sdk", &sdk)
            .replace("shout/target", &target);
        let mut words = command.split(' ');
        assert_eq!(words.next(), Some("roster"), "{command}");
        let words: Vec<&str> = words.collect();
        let done = roster(folder.path(), &words).await;
        assert_eq!(done.code, Some(0), "{command}: {}", done.err);
        if words[1] == "new" {
            let lock = folder.path().join("shout/Cargo.lock");
            std::fs::copy(root().join("Cargo.lock"), lock).expect("the same versions");
        }
        last = done.out;
    }

    for line in [
        "plugin: shout 0.1.0",
        "events: users.create.before",
        "The title of those who bring none.",
    ] {
        assert!(last.contains(line), "{line}: {last}");
    }
}

#[tokio::test]
async fn a_plugin_that_crashes_or_fails_does_not_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    let sdk = root().join("sdk").display().to_string();
    let made = roster(folder.path(), &["plugin", "new", "clumsy", "--sdk", &sdk]).await;
    assert_eq!(made.code, Some(0), "{}", made.err);
    let lock = folder.path().join("clumsy/Cargo.lock");
    std::fs::copy(root().join("Cargo.lock"), lock).expect("the same versions");
    let source = folder.path().join("clumsy/src/lib.rs");
    let code = std::fs::read_to_string(&source).expect("its source");
    let sets = "draft.set(\"title\", self.config.title.as_str());";
    assert!(code.contains(sets), "{code}");
    let changes = [
        (
            "std::hint::black_box(None::<u8>).expect(\"it panics\");",
            "`users.create.before` as a component: trap: ",
        ),
        (
            "draft.set(\"last_name\", \"x\");",
            "`users.create.before` changes `last_name`, which the manifest does not ask to write",
        ),
    ];
    for (instead, expected) in changes {
        let code = code
            .replace(sets, instead)
            .replace("Some(\"Hello\")", "draft.text(\"title\")");
        let code = code.replace(
            "testing::ready(plugin.before_create(&cx, &mut draft)).unwrap();",
            "let _ = (&cx, &mut draft);",
        );
        std::fs::write(&source, code).expect("its source");

        let tested = roster(folder.path(), &["plugin", "test", "clumsy"]).await;

        assert_eq!(tested.code, Some(1), "{}", tested.out);
        assert!(tested.err.contains(expected), "{}", tested.err);
    }
    let wrong = roster(
        folder.path(),
        &["plugin", "test", "clumsy", "--with", "{ no json"],
    )
    .await;
    assert!(wrong.err.contains("roster: `--with`: "), "{}", wrong.err);
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
        "exports: roster:plugin/config@1.1.0, roster:plugin/hooks@1.1.0, \
         roster:plugin/lifecycle@1.1.0, roster:plugin/preparation@1.1.0",
        "plugin: slug 0.1.0",
        "events: users.create.before",
        "asks to write: title",
        "The fields it is made of, in order.",
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
    assert_eq!(names, ["slug", "hours", "log", "password"]);
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
