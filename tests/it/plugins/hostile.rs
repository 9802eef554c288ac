//! A component that misbehaves: the write is refused or goes on without it, and everybody else is
//! served meanwhile.

use std::time::{Duration, Instant};

use roster_tests::{Client, Setup, TestServer};
use serde_json::json;

const PACKAGE: &str = "roster-hostile-plugin";

/// A server whose component misbehaves in this way, and its administrator, who was made before.
async fn with(mode: &str, section: &str) -> (TestServer, Client) {
    let first = TestServer::start().await;
    let admin = first.admin().await;
    let database = first.stop().await;
    let section = format!(
        "config = {{ mode = '{mode}' }}\n\
         capabilities.fields = {{ read = ['title'], write = ['title'] }}\n{section}"
    );
    let server = Setup::new().on(&database).guest("hostile", PACKAGE, &section).start().await;
    let admin = server.bearer(admin.token.expect("a token"));
    (server, admin)
}

/// Makes a user while the server is asked for other things; gives what came back, how long it took
/// and how often the others were served.
async fn create_among_others(admin: &Client) -> (String, Duration, u32) {
    let begun = Instant::now();
    let creating = {
        let admin = admin.clone();
        tokio::spawn(async move { admin.post("/users", json!({ "title": "x" })).await.outcome() })
    };
    let mut served = 0;
    while !creating.is_finished() {
        assert_eq!(admin.get("/users/me").await.outcome(), "200");
        served += 1;
    }
    (creating.await.expect("an answer"), begun.elapsed(), served)
}

#[tokio::test]
async fn an_endless_loop_is_cut_off_and_holds_up_nobody() {
    let (_server, admin) = with("loop", "").await;
    let (server, admin) = {
        // The guests of other tests have time; this one is not to have it.
        let database = std::sync::Arc::clone(_server.database());
        _server.stop().await;
        let section = "config = { mode = 'loop' }";
        let setup = Setup::new().on(&database).guest("hostile", PACKAGE, section);
        let server = setup.set("plugins.hostile.timeout", "300ms").start().await;
        let admin = server.bearer(admin.token.expect("a token"));
        (server, admin)
    };

    let (outcome, took, served) = create_among_others(&admin).await;

    assert_eq!(outcome, "500 PLUGIN_FAILED");
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert!(served > 3, "{served} other requests");
    assert_eq!(server.database().count("users", "title = 'x'").await, 0);
}
