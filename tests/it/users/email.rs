use insta::assert_snapshot;
use roster_tests::{PASSWORD, Setup, TestServer};
use serde_json::json;

#[tokio::test]
async fn an_address_is_kept_as_sent_and_compared_without_case() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let body = json!({ "email": "Ada@Example.COM", "password": PASSWORD });
    let made = admin.post("/users?fields=email", body).await;
    let again = admin
        .post("/users", json!({ "email": "aDA@eXAMPLE.com" }))
        .await;

    assert_eq!(made.data(), json!({ "email": "Ada@Example.COM" }));
    assert_snapshot!(again, @r#"
    400
    {"errors":[{"message":"Value for field \"email\" in collection \"directus_users\" has to be unique.","extensions":{"collection":"directus_users","field":"email","value":"aDA@eXAMPLE.com","code":"RECORD_NOT_UNIQUE"}}]}
    "#);
    assert_eq!(
        server.login("ADA@example.com", PASSWORD).await.outcome(),
        "200"
    );
}

#[tokio::test]
async fn addresses_that_only_look_alike_are_different_users() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let user = |email: &str, password: &str| json!({ "email": email, "password": password });

    // The third has a Cyrillic `а`.
    let alike = [
        "ada@example.com",
        "adá@example.com",
        "\u{430}da@example.com",
    ];
    for (number, email) in alike.into_iter().enumerate() {
        let password = format!("{PASSWORD} {number}");
        assert_eq!(
            admin.post("/users", user(email, &password)).await.outcome(),
            "200",
            "{email}"
        );
    }

    let other = format!("{PASSWORD} 1");
    assert_eq!(
        server.login(alike[0], &other).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(server.login(alike[1], &other).await.outcome(), "200");
}

#[tokio::test]
async fn spellings_of_one_address_are_one_user() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    // Full-width letters, a ligature and a decomposed accent.
    for (first, second) in [
        ("ada@example.com", "ａｄａ@example.com"),
        ("fish@example.com", "ﬁsh@example.com"),
        ("andré@example.com", "andre\u{301}@example.com"),
    ] {
        admin.post("/users", json!({ "email": first })).await.data();
        let again = admin.post("/users", json!({ "email": second })).await;
        assert_eq!(again.status, 400, "{second}: {again}");
    }
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    for email in [
        "nonsense",
        "foo@localhost",
        " a@b.co",
        "a@b.co ",
        "a@@b.co",
        "@b.co",
        "a@",
        "a@b..co",
        "a b@c.co",
        "a@1.22",
        "a@b.co\r\nBcc: x@y.zz",
        "\"a\"@b.co",
        "",
    ] {
        let made = admin.post("/users", json!({ "email": email })).await;
        let changed = admin.patch(&admin.path(), json!({ "email": email })).await;
        assert_eq!(made.outcome(), "400 FAILED_VALIDATION", "{email}");
        assert_eq!(changed.outcome(), "400 FAILED_VALIDATION", "{email}");
    }
    assert_snapshot!(admin.post("/users", json!({ "email": null })).await, @r#"
    400
    {"errors":[{"message":"Validation failed for field \"email\". Value has to be a valid email address.","extensions":{"field":"email","path":[],"type":"email","code":"FAILED_VALIDATION"}}]}
    "#);
}

#[tokio::test]
async fn the_case_of_ones_own_address_can_change() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;

    let path = format!("{}?fields=email", ada.path());
    let answer = admin
        .patch(&path, json!({ "email": "ADA@example.com" }))
        .await;

    assert_eq!(answer.data(), json!({ "email": "ADA@example.com" }));
    assert_eq!(
        server.login("ada@EXAMPLE.com", PASSWORD).await.outcome(),
        "200"
    );
}

#[tokio::test]
async fn an_address_of_another_cannot_be_taken() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;
    server.member("bob").await;

    let answer = admin
        .patch(&ada.path(), json!({ "email": "BOB@example.com" }))
        .await;

    assert_snapshot!(answer, @r#"
    400
    {"errors":[{"message":"Value for field \"email\" in collection \"directus_users\" has to be unique.","extensions":{"collection":"directus_users","field":"email","value":"BOB@example.com","code":"RECORD_NOT_UNIQUE"}}]}
    "#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_given_out_once_however_many_ask() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let asking = (0..8).map(|_| {
        let admin = admin.clone();
        tokio::spawn(async move {
            admin
                .post("/users", json!({ "email": "ada@example.com" }))
                .await
        })
    });
    let asking: Vec<_> = asking.collect();
    let mut outcomes = Vec::new();
    for one in asking {
        outcomes.push(one.await.expect("an answer").outcome());
    }

    outcomes.sort();
    assert_eq!(outcomes[0], "200");
    assert!(
        outcomes[1..]
            .iter()
            .all(|outcome| outcome == "400 RECORD_NOT_UNIQUE"),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn the_mail_about_a_new_address_is_wiped_once_it_is_sent() {
    let server = Setup::new().set("outbox.retain", "true").start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;

    admin
        .patch(&ada.path(), json!({ "email": "new@example.com" }))
        .await
        .data();

    server.settled().await;
    assert_eq!(server.database().count("outbox", "kind = 'mail'").await, 0);
    assert_eq!(
        server
            .database()
            .count("deliveries", "state = 'dead'")
            .await,
        0
    );
}
