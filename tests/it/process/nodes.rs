//! Several nodes over one PostgreSQL.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use roster_sdk::Event;
use roster_tests::{Client, Database, Recorder, Setup, TestServer, is_not_on_postgres};
use serde_json::json;
use tokio::task::JoinSet;

async fn node(database: &Arc<Database>) -> TestServer {
    Setup::new().on(database).start().await
}

/// The same user at another node.
fn at(server: &TestServer, client: &Client) -> Client {
    server.bearer(client.token.clone().expect("a token"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_together_make_one_administrator() {
    if is_not_on_postgres() {
        return;
    }
    let database = Arc::new(Database::fresh().await);

    let (one, two, three) = tokio::join!(node(&database), node(&database), node(&database));

    let made = [&one, &two, &three].map(|node| node.server().first_administrator().is_some());
    assert_eq!(made.into_iter().filter(|made| *made).count(), 1);
    assert_eq!(database.count("users", "1 = 1").await, 1);
    assert_eq!(database.count("roles", "1 = 1").await, 1);
    for node in [one, two, three] {
        node.admin().await;
    }
}

#[tokio::test]
async fn what_happens_to_a_user_at_one_node_counts_at_all_on_the_next_request() {
    if is_not_on_postgres() {
        return;
    }
    let database = Arc::new(Database::fresh().await);
    let (here, there) = (node(&database).await, node(&database).await);
    let admin = here.admin().await;
    let second = json!({
        "email": "second@example.com", "password": roster_tests::PASSWORD,
        "role": admin.get("/users/me?fields=role").await.data()["role"],
    });
    admin.post("/users", second).await.data();
    let second = there.sign_in("second@example.com").await;
    assert_eq!(second.get("/users").await.outcome(), "200");

    admin
        .patch(&second.path(), json!({ "role": null }))
        .await
        .data();
    assert_eq!(second.get("/users").await.outcome(), "403 FORBIDDEN");
    admin
        .patch(&second.path(), json!({ "status": "suspended" }))
        .await
        .data();
    assert_eq!(
        second.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );

    assert_eq!(at(&there, &admin).get("/users").await.outcome(), "200");
    here.logout(&admin.refresh_token).await.done();
    assert_eq!(
        at(&there, &admin).get("/users").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}

#[tokio::test]
async fn an_event_is_delivered_by_one_of_the_nodes() {
    if is_not_on_postgres() {
        return;
    }
    let database = Arc::new(Database::fresh().await);
    let recorder = Recorder::of(&[roster_sdk::Event::AfterCreate]);
    let here = Setup::new().on(&database).record(&recorder).start().await;
    let there = Setup::new().on(&database).record(&recorder).start().await;
    let admin = here.admin().await;
    here.settled().await;
    recorder.forget();

    for node in [&here, &there] {
        let admin = at(node, &admin);
        for _ in 0..20 {
            admin.post("/users", json!({})).await.data();
        }
    }

    here.settled().await;
    let mut ids: Vec<String> = recorder.calls().into_iter().map(|call| call.id).collect();
    ids.sort();
    assert_eq!(ids.len(), 40);
    ids.dedup();
    assert_eq!(ids.len(), 40);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a subscriber that takes its time, so that one node alone falls behind"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_share_the_queue_and_nothing_is_told_twice_or_out_of_order() {
    const ROUNDS: usize = 30;
    if is_not_on_postgres() {
        return;
    }
    let database = Arc::new(Database::fresh().await);
    let mut nodes = Vec::new();
    let told: Arc<Mutex<Vec<(usize, String, String)>>> = Arc::default();
    for node in 0..3 {
        let told = Arc::clone(&told);
        let recorder = Recorder::of(&[Event::AfterUpdate]).after(move |call| {
            std::thread::sleep(Duration::from_millis(2));
            let mut told = told.lock().expect("no panic");
            told.push((node, call.item.clone(), call.text("title").to_owned()));
            Ok(())
        });
        nodes.push(Setup::new().on(&database).record(&recorder).start().await);
    }
    let admin = nodes[0].admin().await;
    let mut users = Vec::new();
    for _ in 0..6 {
        let made = admin.post("/users?fields=id", json!({})).await.data();
        users.push(made["id"].as_str().expect("an id").to_owned());
    }
    nodes[0].settled().await;
    told.lock().expect("no panic").clear();

    for round in 0..ROUNDS {
        let mut writing = JoinSet::new();
        for (at, user) in users.iter().enumerate() {
            let client = self::at(&nodes[(round + at) % 3], &admin);
            let path = format!("/users/{user}?fields=id");
            writing.spawn(async move {
                client
                    .patch(&path, json!({ "title": round.to_string() }))
                    .await
                    .data()
            });
        }
        writing.join_all().await;
    }
    nodes[0].settled().await;

    let told = told.lock().expect("no panic").clone();
    let expected: Vec<String> = (0..ROUNDS).map(|round| round.to_string()).collect();
    for user in &users {
        let of_user = told.iter().filter(|(_, item, _)| item == user);
        let titles: Vec<String> = of_user.map(|(_, _, title)| title.clone()).collect();
        assert_eq!(titles, expected);
    }
    for node in 0..3 {
        let count = told.iter().filter(|(by, ..)| *by == node).count();
        assert!(count > 0, "node {node} told nobody");
    }
}
