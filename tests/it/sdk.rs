//! The real `@directus/sdk` as the client, against hooks that are linked and that are components.

use std::process::Stdio;

use insta::assert_json_snapshot;
use roster_tests::{ADMIN, PASSWORD, Setup, is_missing, root};
use serde_json::Value as Json;
use tokio::process::Command;

/// What a slug needs to fill the title from the name.
const GRANTS: &str = "capabilities.fields.read = ['first_name', 'last_name', 'title']
capabilities.fields.write = ['title']";

/// Installs the SDK where it is not installed yet. Whether there is one.
async fn has_sdk() -> bool {
    let suite = root().join("tests/conformance");
    if suite.join("node_modules/@directus/sdk").is_dir() {
        return true;
    }
    let mut npm = Command::new("npm");
    npm.current_dir(suite)
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    npm.stdin(Stdio::null())
        .status()
        .await
        .is_ok_and(|status| status.success())
}

/// What the SDK tells of a server; nothing where there is no Node.
async fn story(setup: Setup) -> Option<Json> {
    let node = Command::new("node").arg("--version").output().await;
    if node.is_err() || !has_sdk().await {
        is_missing("Node with npm");
        return None;
    }
    let server = setup.start().await;
    let script = root().join("tests/sdk/story.mjs");
    let mut node = Command::new("node");
    node.arg(script)
        .arg(server.base())
        .args([ADMIN, PASSWORD])
        .kill_on_drop(true);
    let told = node.stdin(Stdio::null()).output().await.expect("a story");
    let errors = String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success(), "{errors}");
    Some(serde_json::from_slice(&told.stdout).expect("a line of JSON"))
}

#[tokio::test]
async fn the_sdk_tells_one_users_whole_story_natively_and_with_a_component() {
    let native = Setup::new().plugin("slug", &format!("source = \"builtin\"\n{GRANTS}"));
    let component = Setup::new().guest("slug", "roster-slug", GRANTS);

    let Some(told) = story(native).await else {
        return;
    };
    let again = story(component).await;

    assert_eq!(again.as_ref(), Some(&told));
    assert_json_snapshot!(told, @r#"
    {
      "ended": "INVALID_CREDENTIALS",
      "found": [
        "Hopper"
      ],
      "gone": "FORBIDDEN",
      "hers": [
        "id"
      ],
      "masked": "**********",
      "may_not": "FORBIDDEN",
      "me": "admin@example.com",
      "refreshed": true,
      "reserved": "SLUG_RESERVED",
      "slug": "grace-hopper",
      "taken": "RECORD_NOT_UNIQUE",
      "updated": "Arlington"
    }
    "#);
}
