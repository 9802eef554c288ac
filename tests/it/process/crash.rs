//! `kill -9` in the middle of many writes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use roster_tests::{Client, Setup, eventually};
use serde_json::json;
use tokio::task::JoinSet;

/// How many users are to be made, by how many at a time, and after how many the server is killed.
const CREATES: usize = 1_000;
const CLIENTS: usize = 8;
const KILLED_AFTER: usize = 400;

/// Makes users until there are enough or the server is gone; gives the ids that were acknowledged.
async fn create(admin: Client, next: Arc<AtomicUsize>, acknowledged: Arc<Mutex<BTreeSet<String>>>) {
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        if number >= CREATES {
            return;
        }
        let body = json!({ "email": format!("user{number}@example.com") });
        let Some(answer) = admin.try_post("/users?fields=id", body).await else {
            return;
        };
        let id = answer.data()["id"].as_str().expect("an id").to_owned();
        acknowledged.lock().expect("no panic").insert(id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_user_and_no_event_is_lost_and_none_is_made_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal");
    let setup = || {
        let section = format!("config = {{ file = '{}' }}", journal.display());
        Setup::new()
            .plugin("journal", &section)
            .set("outbox.lease", "1s")
    };
    let process = setup().spawn_as("custom").await;
    let admin = process.admin().await;

    let (next, acknowledged) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(Mutex::new(BTreeSet::new())),
    );
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(create(
            admin.clone(),
            Arc::clone(&next),
            Arc::clone(&acknowledged),
        ));
    }
    let count = || acknowledged.lock().expect("no panic").len();
    eventually("users", async || (count() >= KILLED_AFTER).then_some(())).await;
    let database = process.kill().await;
    clients.join_all().await;
    assert!(count() < CREATES, "the server was killed too late");

    let process = setup().on(&database).spawn_as("custom").await;
    process.settled().await;

    let ids = database.rows("SELECT CAST(id AS TEXT) FROM users").await;
    let users: BTreeSet<String> = ids.into_iter().flatten().flatten().collect();
    let journal = std::fs::read_to_string(&journal).expect("a journal");
    let lines = journal
        .lines()
        .map(|line| line.split_once(' ').expect("two ids"));
    let (events, told): (BTreeSet<_>, BTreeSet<_>) = lines
        .map(|(event, user)| (event.to_owned(), user.to_owned()))
        .unzip();
    let acknowledged = acknowledged.lock().expect("no panic").clone();
    assert_eq!(
        acknowledged.difference(&users).count(),
        0,
        "acknowledged users are missing"
    );
    assert_eq!(
        users.difference(&told).count(),
        0,
        "users nobody was told of"
    );
    assert_eq!(
        told.difference(&users).count(),
        0,
        "events of users who are not there"
    );
    assert_eq!(events.len(), users.len(), "an event whose id changed");
    process.signal("TERM");
    assert_eq!(process.finished().await.code, Some(0));
}
