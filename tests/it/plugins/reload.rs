//! Components are loaded again while the server serves.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use roster_tests::{Client, Database, Process, SECRET, Setup, TestServer, eventually, guest};
use serde_json::{Value as Json, json};

const GRANTED: &str =
    "timeout = '10s'\ncapabilities.fields = { read = ['*'], write = ['title', 'description'] }";

fn put(package: &str, file: &Path) {
    let new = file.with_extension("new");
    std::fs::copy(guest(package), &new).expect("a copy");
    std::fs::rename(&new, file).expect("in one piece");
}

fn setup(file: &Path, watch: &str) -> Setup {
    let section = format!("source = '{}'\n{GRANTED}", file.display());
    let setup = Setup::new().plugin("mine", &section);
    setup.set("plugin_host.watch", watch)
}

async fn start(file: &Path, watch: &str) -> TestServer {
    setup(file, watch).start().await
}

async fn loaded(server: &TestServer) -> Json {
    let plugins = server.admin().await.get("/server/plugins").await.data();
    let plugins = plugins.as_array().expect("a list").clone();
    let mine = plugins.into_iter().find(|plugin| plugin["name"] == "mine");
    mine.expect("the plugin")["plugin"].clone()
}

/// How many requests are sent meanwhile: 20,000 take minutes in a debug build.
fn requests() -> u64 {
    let given = std::env::var("ROSTER_TEST_REQUESTS").ok();
    given.map_or(2_000, |given| given.parse().expect("a number of requests"))
}

/// What a leak of compiled code in each of 50 reloads would exceed many times.
const SPARE: u64 = 24 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_and_nothing_is_left_behind_while_plugins_are_loaded_again_and_again() {
    const RELOADS: u64 = 50;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.wasm");
    put("roster-slug", &file);
    let process = setup(&file, "false").spawn().await;
    let admin = process.admin().await;
    let (sent, is_over) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (admin, sent, is_over) = (admin.clone(), Arc::clone(&sent), Arc::clone(&is_over));
        asking.spawn(async move {
            let mut seen = BTreeSet::new();
            while !is_over.load(Ordering::SeqCst) {
                let made = admin.post(
                    "/users?fields=title,description",
                    json!({ "first_name": "Ada" }),
                );
                let made = made.await.data();
                // Either version, whole.
                let title = made["title"].as_str().unwrap_or_default();
                let is_either = ["ada", "old 2"].contains(&title);
                assert!(is_either && made["description"].is_null(), "{made}");
                seen.insert(title.to_owned());
                sent.fetch_add(1, Ordering::SeqCst);
            }
            seen
        });
    }

    let mut early = 0;
    for turn in 1..=RELOADS {
        let enough = requests() * turn / RELOADS;
        let look = async || (sent.load(Ordering::SeqCst) >= enough).then_some(());
        eventually("requests", look).await;
        put(
            ["roster-slug", "roster-old-plugin"][usize::from(turn % 2 == 1)],
            &file,
        );
        process.signal("HUP");
        let reloads = || process.err().matches("\"plugins reloaded\"").count() as u64;
        eventually("a reload", async || (reloads() >= turn).then_some(())).await;
        if turn == 10 {
            early = process.resident();
        }
    }
    is_over.store(true, Ordering::SeqCst);

    for seen in asking.join_all().await {
        assert_eq!(seen.len(), 2, "{seen:?}");
    }
    let late = process.resident();
    eprintln!(
        "{} requests, {} KiB after 10 reloads, {} after {RELOADS}",
        sent.load(Ordering::SeqCst),
        early >> 10,
        late >> 10
    );
    assert!(late < early + SPARE, "{early} bytes grew to {late}");
    assert!(!process.err().contains("not reloaded"), "{}", process.err());
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

/// Changes the configuration file of a server.
fn rewrite(database: &Database, from: &str, to: &str) {
    let file = database.folder().join("roster.toml");
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(text.contains(from), "{text}");
    let new = file.with_extension("new");
    std::fs::write(&new, text.replace(from, to)).expect("a file");
    std::fs::rename(&new, &file).expect("in one piece");
}

const SLUG: &str = "config = { reserved = ['ada'] }
capabilities.fields = { read = ['first_name', 'title'], write = ['title'] }";

/// What becomes of a new user: the title, or the code that refuses them.
async fn made(admin: &Client) -> String {
    let made = admin
        .post("/users?fields=title", json!({ "first_name": "Ada" }))
        .await;
    match made.outcome().as_str() {
        "200" => made.data()["title"].as_str().unwrap_or("none").to_owned(),
        refused => refused.to_owned(),
    }
}

#[tokio::test]
async fn a_reload_takes_changed_sections_of_plugins_linked_ones_and_components_alike() {
    let component = Setup::new().guest("slug", "roster-slug", SLUG);
    let native = Setup::new().plugin("slug", SLUG);
    for setup in [native, component] {
        let server = setup.start().await;
        let admin = server.admin().await;
        assert_eq!(made(&admin).await, "400 SLUG_RESERVED");
        let reload = async || server.server().reload_plugins().await;
        let read = "read = ['first_name', 'title'], write = ['title']";

        rewrite(
            server.database(),
            "reserved = ['ada']",
            "reserved = ['root']",
        );
        assert_eq!(made(&admin).await, "400 SLUG_RESERVED");
        reload().await.expect("loads");
        assert_eq!(made(&admin).await, "ada");
        rewrite(server.database(), read, "read = [], write = []");
        reload().await.expect("loads");
        assert_eq!(made(&admin).await, "none");
        rewrite(
            server.database(),
            "reserved = ['root'] }",
            "reserved = ['root'] }\nenabled = false",
        );
        reload().await.expect("loads");
        let plugins = admin.get("/server/plugins").await.data();
        let names: Vec<&Json> = plugins
            .as_array()
            .expect("a list")
            .iter()
            .map(|p| &p["name"])
            .collect();
        assert_eq!(names, ["log", "password"], "{plugins}");
    }
}

#[tokio::test]
async fn sections_that_are_wrong_change_nothing() {
    let server = Setup::new().plugin("slug", SLUG).start().await;
    let admin = server.admin().await;
    let mistakes = [
        (
            "reserved = ['ada']",
            "reserved = ['ada'], form = 1",
            "key `plugins.slug.config.form`: unknown key",
        ),
        (
            "form = 1 }",
            "}\npriority = 'soon'",
            "key `plugins.slug.priority` in `",
        ),
        ("priority = 'soon'", "priority = = 1", "expected TOML, line"),
    ];
    for (from, to, expected) in mistakes {
        rewrite(server.database(), from, to);

        let error = server
            .server()
            .reload_plugins()
            .await
            .expect_err("it is wrong");

        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(made(&admin).await, "400 SLUG_RESERVED");
    }
}

#[tokio::test]
async fn every_way_to_ask_for_a_reload_reads_the_configuration_again() {
    let watching = Setup::new()
        .plugin("slug", SLUG)
        .set("plugin_host.watch", "true");
    let watching = watching.spawn().await;
    let asked = Setup::new().plugin("slug", SLUG).spawn().await;
    let (at_watching, at_asked) = (watching.admin().await, asked.admin().await);
    let change = |process: &Process, from: &str, to: &str| {
        rewrite(
            process.database(),
            &format!("reserved = ['{from}']"),
            &format!("reserved = ['{to}']"),
        );
    };
    let becomes = async |admin: &Client, expected: &str| {
        eventually(expected, async || {
            (made(admin).await == expected).then_some(())
        })
        .await;
    };

    change(&watching, "ada", "root");
    becomes(&at_watching, "ada").await;
    change(&asked, "ada", "root");
    asked.signal("HUP");
    becomes(&at_asked, "ada").await;
    change(&asked, "root", "ada");
    let database = asked.database();
    let environment = [
        ("ROSTER__DATABASE__URL", database.url()),
        ("ROSTER__AUTH__SECRET", SECRET),
        ("ROSTER__LOG__LEVEL", "off"),
    ];
    let told = Process::run(database.folder(), &["plugin", "reload"], &environment).await;
    assert_eq!(told.code, Some(0), "{}", told.err);
    becomes(&at_asked, "400 SLUG_RESERVED").await;

    rewrite(database, "login_stall = \"1ms\"", "login_stall = \"2ms\"");
    asked.signal("HUP");
    let waits = "only the sections of plugins were read again, others wait for a restart";
    eventually("a warning", async || {
        asked.err().contains(waits).then_some(())
    })
    .await;
}
