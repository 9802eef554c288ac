//! Mails that wait while nobody takes them, through `kill -9`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use roster_tests::{Client, Postbox, Setup};
use serde_json::json;
use tokio::time::{Instant, interval};

/// How many are queued unless `ROSTER_TEST_MAILS` says something else.
const MAILS: usize = 600;
/// How many are queued by one request.
const AT_ONCE: usize = 100;
/// How often the server is killed while it sends.
const KILLS: usize = 3;
/// How many deliveries may be under way when it is.
const UNDER_WAY: usize = 32;
/// How many mails are sent in a second at least.
const SLOWEST: usize = 20;

fn mails() -> usize {
    let given = std::env::var("ROSTER_TEST_MAILS");
    given.map_or(MAILS, |text| text.parse().expect("a number"))
}

fn setup() -> Setup {
    Setup::new()
        .set("outbox.lease", "2s")
        .set("outbox.backoff", "100ms")
        .set("outbox.max_backoff", "1s")
        .set("outbox.max_attempts", "100000")
}

/// A mail server that is not there.
fn dead() -> Setup {
    let section = "source = 'builtin'\nconfig = { url = 'smtp://127.0.0.1:1?tls=none' }";
    setup().plugin("smtp", section).set("mail.mailer", "smtp")
}

/// Invites users until somebody does not answer; gives whom it was said to.
async fn invite(admin: &Client, role: &str, numbers: std::ops::Range<usize>) -> BTreeSet<String> {
    let all: Vec<String> = numbers.map(|n| format!("user{n}@example.com")).collect();
    let mut invited = BTreeSet::new();
    for part in all.chunks(AT_ONCE) {
        let body = json!({ "email": part, "role": role });
        let Some(answer) = admin.try_post("/users/invite", body).await else {
            break;
        };
        assert_eq!(answer.status, 204, "{}", answer.outcome());
        invited.extend(part.iter().cloned());
    }
    invited
}

async fn until(postbox: &Postbox, count: usize) {
    let limit = Duration::from_secs(60 + u64::try_from(count / SLOWEST).expect("a number"));
    let end = Instant::now() + limit;
    let mut turns = interval(Duration::from_millis(20));
    while postbox.count() < count {
        let came = postbox.count();
        assert!(Instant::now() < end, "{came} of {count} mails came");
        turns.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_mail_is_lost_and_none_comes_again_under_another_id() {
    let wanted = mails();
    let process = dead().spawn().await;
    let admin = process.admin().await;
    let role = admin.post("/roles", json!({ "name": "r" })).await.data();
    let role = role["id"].as_str().expect("an id");

    let mut invited = invite(&admin, role, 0..wanted / 2).await;
    let database = process.kill().await;
    let process = dead().on(&database).spawn().await;
    let admin = process.admin().await;
    invited.extend(invite(&admin, role, wanted / 2..wanted).await);
    let database = process.kill().await;
    assert_eq!(invited.len(), wanted);

    let postbox = Postbox::open().await;
    let mut process = setup().mails(&postbox).on(&database).spawn().await;
    for kill in 1..=KILLS {
        until(&postbox, kill * wanted / (KILLS + 1)).await;
        let database = process.kill().await;
        process = setup().mails(&postbox).on(&database).spawn().await;
    }
    until(&postbox, wanted).await;
    process.settled().await;

    let mut came: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mail in postbox.all() {
        let id = mail.headers["message-id"].clone();
        came.entry(mail.to).or_default().push(id);
    }
    let missing: Vec<&String> = invited
        .iter()
        .filter(|to| !came.contains_key(*to))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let strangers = came.keys().filter(|to| !invited.contains(*to)).count();
    assert_eq!(strangers, 0);
    let again: usize = came.values().map(|ids| ids.len() - 1).sum();
    assert!(again <= KILLS * UNDER_WAY, "{again} mails came again");
    for (to, ids) in &came {
        assert!(ids.iter().all(|id| *id == ids[0]), "{to}: {ids:?}");
    }
    let ids: BTreeSet<&String> = came.values().flatten().collect();
    assert_eq!(ids.len(), wanted, "every mail has an id of its own");
    process.signal("TERM");
    assert_eq!(process.finished().await.code, Some(0));
}
