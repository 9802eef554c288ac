//! Several nodes over one PostgreSQL.

use std::sync::Arc;

use roster_tests::{Client, Database, Recorder, Setup, TestServer, is_not_on_postgres};
use serde_json::json;

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
