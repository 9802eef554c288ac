//! `kill -9` in the middle of many writes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use roster_tests::{ADMIN, Client, Random, Setup, eventually};
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
        .map(|line| words(line).expect("a whole line"));
    let (events, told): (BTreeSet<_>, BTreeSet<_>) =
        lines.map(|[event, user, _]| (event, user)).unzip();
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

/// What stands in a line of the journal: an event, a user, a title.
fn words(line: &str) -> Option<[String; 3]> {
    let words: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
    words.try_into().ok()
}

/// How often a server is killed.
fn kills() -> u64 {
    let given = std::env::var("ROSTER_TEST_KILLS").ok();
    given.map_or(50, |given| given.parse().expect("a number of kills"))
}

/// Gives one user one title after another until the server is gone; after each of them tries a
/// batch that is refused as a whole. Titles are numbers, those of the batches are `void`.
async fn retitle(
    user: Client,
    bystander: String,
    next: Arc<AtomicUsize>,
    changed: Arc<AtomicUsize>,
) {
    loop {
        let title = next.fetch_add(1, Ordering::SeqCst).to_string();
        let path = format!("/users/{}?fields=id", user.id);
        let Some(answer) = user.try_patch(&path, json!({ "title": title })).await else {
            return;
        };
        assert_eq!(answer.outcome(), "200");
        changed.fetch_add(1, Ordering::SeqCst);
        let refused = json!([
            { "id": user.id, "title": "void" },
            { "id": bystander, "email": ADMIN },
        ]);
        match user.try_patch("/users", refused).await {
            Some(answer) => assert_eq!(answer.outcome(), "400 RECORD_NOT_UNIQUE"),
            None => return,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is killed at some moment, whatever has happened by then"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_often_it_is_killed_each_event_is_told_in_order_and_none_is_made_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal");
    let setup = || {
        let section = format!(
            "config = {{ file = '{}', pause = 5 }}\ncapabilities.fields.read = ['title']",
            journal.display()
        );
        // Whoever is killed shortly after a commit has not told anybody of it.
        Setup::new()
            .plugin("journal", &section)
            .set("outbox.lease", "300ms")
    };
    let mut process = setup().spawn_as("custom").await;
    let admin = process.admin().await;
    let mut users = Vec::new();
    for _ in 0..5 {
        let made = admin.post("/users?fields=id", json!({})).await.data();
        users.push(made["id"].as_str().expect("an id").to_owned());
    }
    let bystander = users.pop().expect("a user");
    let (token, next) = (admin.token.expect("a token"), Arc::new(AtomicUsize::new(1)));
    let mut random = Random::of(7);

    for _ in 0..kills() {
        let changed = Arc::new(AtomicUsize::new(0));
        let mut clients = JoinSet::new();
        for id in &users {
            let mut user = process.bearer(token.clone());
            user.id.clone_from(id);
            let (next, changed) = (Arc::clone(&next), Arc::clone(&changed));
            clients.spawn(retitle(user, bystander.clone(), next, changed));
        }
        let enough = random.below(12) + 1;
        let look = async || (changed.load(Ordering::SeqCst) >= enough).then_some(());
        eventually("changes", look).await;
        tokio::time::sleep(Duration::from_millis(random.below(8) as u64)).await;
        let database = process.kill().await;
        clients.join_all().await;
        process = setup().on(&database).spawn_as("custom").await;
    }
    process.settled().await;

    let journal = std::fs::read_to_string(&journal).expect("a journal");
    let lines: Vec<[String; 3]> = journal.lines().filter_map(words).collect();
    assert_eq!(lines.len(), journal.lines().count(), "a line that is none");
    let admin = process.admin().await;
    let (mut repeated, mut told) = (0, 0);
    for user in &users {
        let path = format!(
            "/revisions?fields=data&sort=id&limit=-1&filter[collection]=directus_users&filter[item]={user}"
        );
        let revisions = admin.get(&path).await.data();
        let revisions = revisions.as_array().expect("a list");
        let committed: Vec<&str> = revisions
            .iter()
            .map(|row| row["data"]["title"].as_str().unwrap_or_default())
            .collect();
        let mut events: Vec<(&str, &str)> = lines
            .iter()
            .filter(|[_, item, _]| item == user)
            .map(|[event, _, title]| (event.as_str(), title.as_str()))
            .collect();
        let all = events.len();
        // Told again are those only that were told last.
        events.dedup();
        let titles: Vec<&str> = events.iter().map(|(_, title)| *title).collect();
        assert_eq!(titles, committed, "of {user}");
        (repeated, told) = (repeated + all - events.len(), told + events.len());
    }
    assert!(!journal.contains("void"), "of a write that was rolled back");
    assert!(
        told >= usize::try_from(kills()).expect("a number"),
        "{told} events only"
    );
    eprintln!("{} kills, {told} events, {repeated} told again", kills());
    process.signal("TERM");
    assert_eq!(process.finished().await.code, Some(0));
}
