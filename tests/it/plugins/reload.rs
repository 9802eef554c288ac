//! Components are loaded again while the server serves.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use roster_tests::{Setup, TestServer, eventually, guest};
use serde_json::{Value as Json, json};

const GRANTED: &str =
    "timeout = '10s'\ncapabilities.fields = { read = ['*'], write = ['title', 'description'] }";

fn put(package: &str, file: &Path) {
    let new = file.with_extension("new");
    std::fs::copy(guest(package), &new).expect("a copy");
    std::fs::rename(&new, file).expect("in one piece");
}

async fn start(file: &Path, watch: &str) -> TestServer {
    let section = format!("source = '{}'\n{GRANTED}", file.display());
    Setup::new()
        .plugin("mine", &section)
        .set("plugin_host.watch", watch)
        .start()
        .await
}

async fn loaded(server: &TestServer) -> Json {
    let plugins = server.admin().await.get("/server/plugins").await.data();
    let plugins = plugins.as_array().expect("a list").clone();
    let mine = plugins.into_iter().find(|plugin| plugin["name"] == "mine");
    mine.expect("the plugin")["plugin"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_plugins_are_loaded_again_and_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.wasm");
    put("roster-slug", &file);
    let server = start(&file, "false").await;
    let admin = server.admin().await;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (admin, is_over) = (admin.clone(), Arc::clone(&is_over));
        asking.spawn(async move {
            let mut count = 0_u32;
            while !is_over.load(Ordering::SeqCst) {
                let made = admin.post(
                    "/users?fields=title,description",
                    json!({ "first_name": "Ada" }),
                );
                let made = made.await.data();
                // Either version, whole.
                let by_slug = made["title"] == "ada" && made["description"].is_null();
                let by_old = made["title"] == "old 2" && made["description"].is_null();
                assert!(by_slug || by_old, "{made}");
                count += 1;
            }
            count
        });
    }

    for turn in 0..50 {
        let package = ["roster-old-plugin", "roster-slug"][turn % 2];
        put(package, &file);
        server.server().reload_plugins().await.expect("loads");
    }
    is_over.store(true, Ordering::SeqCst);

    let counts = asking.join_all().await;
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    assert_eq!(loaded(&server).await, "slug");
}

#[tokio::test]
async fn a_file_that_cannot_be_loaded_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.wasm");
    put("roster-slug", &file);
    let server = start(&file, "false").await;

    std::fs::write(&file, "broken").expect("a file");
    let error = server
        .server()
        .reload_plugins()
        .await
        .expect_err("it is broken");

    let expected = format!("plugin `mine`: `{}`: not a WASM component", file.display());
    assert!(error.to_string().contains(&expected), "{error}");
    assert_eq!(loaded(&server).await, "slug");
    let admin = server.admin().await;
    let made = admin
        .post("/users?fields=title", json!({ "first_name": "Ada" }))
        .await;
    assert_eq!(made.data(), json!({ "title": "ada" }));
}

#[tokio::test]
async fn a_changed_file_is_noticed_and_so_is_the_wish_of_an_administrator() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.wasm");
    put("roster-slug", &file);
    let watching = start(&file, "true").await;
    let asked = start(&file, "false").await;

    put("roster-old-plugin", &file);

    let is_old = async |server: &TestServer| (loaded(server).await == "old").then_some(());
    eventually("the new version", async || is_old(&watching).await).await;
    assert_eq!(loaded(&asked).await, "slug");
    let admin = asked.admin().await;
    admin.post("/server/plugins/reload", json!({})).await.done();
    eventually("the new version", async || is_old(&asked).await).await;
}
