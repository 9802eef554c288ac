use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use roster_tests::{Client, TestServer};
use serde_json::{Value as Json, json};

async fn act_as(admin: &Client, user: &Client, body: Json) -> roster_tests::Answer {
    let path = format!("{}/impersonate", user.path());
    admin.post(&path, body).await
}

fn claims(token: &str) -> Json {
    let payload = token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("bytes")).expect("JSON")
}

#[tokio::test]
async fn an_administrator_acts_as_another_for_a_time_and_a_reason() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);

    let given = act_as(&admin, &ada, json!({ "reason": "ticket 7", "minutes": 5 }))
        .await
        .data();

    assert_eq!(given["expires"], 300_000);
    let token = given["access_token"].as_str().expect("a token");
    let claims = claims(token);
    assert_eq!(claims["act"]["sub"], admin.id);
    assert_eq!(claims["id"], ada.id);
    let acting = server.bearer(token);
    assert_eq!(
        acting.get("/users/me").await.data(),
        json!({ "id": ada.id })
    );
    let entry = format!(
        "action = 'impersonate' AND detail = 'ticket 7' AND item = '{}'",
        ada.id
    );
    assert_eq!(server.database().count("activity", &entry).await, 1);
    let sessions = ada.get("/users/me/sessions").await.data();
    assert_eq!(
        (&sessions[0]["mode"], &sessions[0]["reason"]),
        (&json!("impersonation"), &json!("ticket 7"))
    );
    assert_eq!(sessions[0]["actor"], admin.id);
}

#[tokio::test]
async fn who_acts_as_another_changes_nothing_they_log_in_with() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    let given = act_as(&admin, &ada, json!({ "reason": "ticket 7" }))
        .await
        .data();
    let acting = server.bearer(given["access_token"].as_str().expect("a token"));

    for (path, body) in [
        (
            "/users/me/tfa/generate",
            json!({ "password": roster_tests::PASSWORD }),
        ),
        ("/users/me/tfa/enable", json!({ "secret": "x", "otp": "1" })),
        ("/users/me/tokens", json!({ "name": "x" })),
        ("/users/me/tfa/recovery-codes", json!({ "password": "x" })),
    ] {
        let answer = acting.post(path, body).await;
        assert_eq!(answer.outcome(), "403 FORBIDDEN", "{path}");
    }
    for means in ["password", "email", "token", "status", "provider"] {
        let answer = acting.patch("/users/me", json!({ means: "x" })).await;
        assert_eq!(answer.outcome(), "403 FORBIDDEN", "{means}");
        let many = json!({ "keys": [ada.id], "data": { means: "x" } });
        assert_eq!(
            acting.patch("/users", many).await.outcome(),
            "403 FORBIDDEN"
        );
    }
    assert_eq!(
        acting.delete("/users/me/sessions").await.outcome(),
        "403 FORBIDDEN"
    );
}

#[tokio::test]
async fn it_ends_with_the_session_and_with_the_rights_of_who_acts() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    let role = admin.get("/users/me").await.data()["role"].clone();
    let second =
        json!({ "email": "bob@example.com", "password": roster_tests::PASSWORD, "role": role });
    admin.post("/users", second).await.data();
    let bob = server.sign_in("bob@example.com").await;
    let given = act_as(&bob, &ada, json!({ "reason": "ticket 7" }))
        .await
        .data();
    let acting = server.bearer(given["access_token"].as_str().expect("a token"));
    assert_eq!(acting.get("/users/me").await.outcome(), "200");

    admin
        .patch(&bob.path(), json!({ "role": null }))
        .await
        .data();

    assert_eq!(
        acting.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}

#[tokio::test]
async fn nobody_else_acts_as_another() {
    let server = TestServer::start().await;
    let (admin, ada, bob) = (
        server.admin().await,
        server.member("ada").await,
        server.member("bob").await,
    );
    let reason = json!({ "reason": "ticket 7" });
    assert_eq!(
        act_as(&bob, &ada, reason.clone()).await.outcome(),
        "403 FORBIDDEN"
    );
    let nobody = act_as(&server.stranger(), &ada, reason.clone()).await;
    assert_eq!(nobody.outcome(), "401 INVALID_CREDENTIALS");
    assert_eq!(
        act_as(&admin, &ada, json!({})).await.outcome(),
        "400 INVALID_PAYLOAD"
    );
    let long = json!({ "reason": "x", "minutes": 61 });
    assert_eq!(
        act_as(&admin, &ada, long).await.outcome(),
        "400 INVALID_PAYLOAD"
    );
    assert_eq!(
        act_as(&admin, &admin, reason.clone()).await.outcome(),
        "403 FORBIDDEN"
    );

    // Neither with a static token, nor while acting as somebody.
    let fixed = json!({ "token": "a-static-token-for-tests" });
    admin.patch("/users/me", fixed).await.data();
    let fixed = server.bearer("a-static-token-for-tests");
    assert_eq!(
        act_as(&fixed, &ada, reason.clone()).await.outcome(),
        "403 FORBIDDEN"
    );
    admin
        .patch(&ada.path(), json!({ "status": "suspended" }))
        .await
        .data();
    assert_eq!(
        act_as(&admin, &ada, reason).await.outcome(),
        "403 FORBIDDEN"
    );
}
