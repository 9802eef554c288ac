use insta::assert_snapshot;
use roster_tests::{Client, PASSWORD, TestServer};
use serde_json::json;

/// A second administrator, signed in.
async fn second(server: &TestServer, admin: &Client) -> Client {
    let role = admin.get("/users/me?fields=role").await.data()["role"].clone();
    let body = json!({ "email": "second@example.com", "password": PASSWORD, "role": role });
    admin.post("/users", body).await.data();
    server.sign_in("second@example.com").await
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    assert_snapshot!(admin.delete(&admin.path()).await, @r#"
    422
    {"errors":[{"message":"Can't process content. Cannot remove the last admin user from the system.","extensions":{"reason":"Cannot remove the last admin user from the system","code":"UNPROCESSABLE_CONTENT"}}]}
    "#);
    assert_snapshot!(admin.patch("/users/me", json!({ "role": null })).await, @r#"
    422
    {"errors":[{"message":"Can't process content. Cannot remove the last admin user from the system.","extensions":{"reason":"Cannot remove the last admin user from the system","code":"UNPROCESSABLE_CONTENT"}}]}
    "#);
    for status in ["draft", "invited", "unverified", "suspended", "archived"] {
        let answer = admin.patch("/users/me", json!({ "status": status })).await;
        assert_eq!(answer.outcome(), "422 UNPROCESSABLE_CONTENT", "{status}");
    }
    assert_eq!(admin.get("/users/me").await.outcome(), "200");
}

#[tokio::test]
async fn one_of_two_administrators_may_go() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let second = second(&server, &admin).await;

    second.delete(&admin.path()).await.done();

    assert_eq!(
        second.delete(&second.path()).await.outcome(),
        "422 UNPROCESSABLE_CONTENT"
    );
}

#[tokio::test]
async fn an_administrator_who_is_not_active_does_not_count() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let second = second(&server, &admin).await;
    admin
        .patch(&second.path(), json!({ "status": "suspended" }))
        .await
        .data();

    let answer = admin.delete(&admin.path()).await;

    assert_eq!(answer.outcome(), "422 UNPROCESSABLE_CONTENT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_administrators_cannot_remove_each_other_at_the_same_time() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let second = second(&server, &admin).await;
    let role = admin.get("/users/me?fields=role").await.data()["role"].clone();
    let role = role.as_str().expect("a role");
    let restore =
        format!("UPDATE users SET role = '{role}', roster_generation = roster_generation + 1");

    for _ in 0..10 {
        let demote = |who: &Client, whom: &Client| {
            let (who, path) = (who.clone(), whom.path());
            tokio::spawn(async move { who.patch(&path, json!({ "role": null })).await })
        };
        let (one, other) = (demote(&admin, &second), demote(&second, &admin));
        let one = one.await.expect("an answer");
        let other = other.await.expect("an answer");

        assert_ne!((one.status, other.status), (200, 200));
        let left = server.database().count("users", "role IS NOT NULL").await;
        assert!(left >= 1, "{one} {other}");
        server.database().execute(&restore).await;
    }
}
