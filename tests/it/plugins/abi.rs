//! Components built against an older version of the contract.

use roster_tests::{PASSWORD, Setup};
use serde_json::json;

#[tokio::test]
async fn a_component_of_the_first_version_still_works() {
    let section = "
        capabilities.fields = { read = ['title'], write = ['title'] }
        config = { greeting = 'hello' }
    ";
    let server = Setup::new()
        .guest("old", "roster-old-plugin", section)
        .set("mail.mailer", "old")
        .start()
        .await;
    let admin = server.admin().await;

    let made = admin
        .post("/users?fields=title", json!({ "title": "x" }))
        .await;
    let changed = admin
        .patch(
            "/users/me",
            json!({ "password": "another good one", "current_password": PASSWORD }),
        )
        .await;

    assert_eq!(made.data(), json!({ "title": "old 20" }));
    assert_eq!(changed.outcome(), "200");
    server.settled().await;
    assert_eq!(
        server
            .database()
            .count("deliveries", "state = 'dead'")
            .await,
        0
    );
}
