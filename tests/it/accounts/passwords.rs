use roster_tests::{Client, Setup, TestServer};
use serde_json::json;

async fn change(admin: &Client, id: &str, password: &str) -> String {
    let body = json!({ "password": password });
    admin.patch(&format!("/users/{id}"), body).await.outcome()
}

#[tokio::test]
async fn common_passwords_and_words_around_the_user_are_refused() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada.lovelace").await);
    let name = json!({ "project_name": "Analytical Engines" });
    admin.patch("/settings", name).await.data();

    for bad in [
        "password1",
        "P@ssw0rd!",
        "qwertyuiop",
        "iloveyou2024",
        "aaaaaaaaaa",
        "12345678",
        "lovelace1815",
        "ada.lovelace@example.com",
        "analytical!",
        "roster2026!",
    ] {
        assert_eq!(
            change(&admin, &ada.id, bad).await,
            "400 FAILED_VALIDATION",
            "{bad}"
        );
    }

    assert_eq!(change(&admin, &ada.id, "the engine weaves").await, "200");
}

#[tokio::test]
async fn the_list_can_be_turned_off_and_the_least_length_raised() {
    let server = Setup::new()
        .set("auth.password.reject_common", "false")
        .set("auth.password.min_length", "15")
        .set("admin.password", "a-longer-password-9")
        .lived_in()
        .await
        .start()
        .await;
    let admin = server.admin().await;

    assert_eq!(
        change(&admin, &admin.id, "passwordpass").await,
        "400 FAILED_VALIDATION"
    );
    let user = json!({ "password": "passwordpassword" });
    assert_eq!(admin.post("/users", user).await.outcome(), "200");
}

#[tokio::test]
async fn passwords_that_predate_the_list_still_log_in() {
    let lax = Setup::new()
        .set("auth.password.reject_common", "false")
        .start()
        .await;
    let user = json!({ "email": "ada@example.com", "password": "password1" });
    lax.admin().await.post("/users", user).await.data();
    let database = lax.stop().await;

    let server = Setup::new().on(&database).start().await;

    assert_eq!(
        server.login("ada@example.com", "password1").await.outcome(),
        "200"
    );
}

#[tokio::test]
async fn a_hash_that_somebody_sends_is_computed_only_if_it_costs_no_more_than_hashes_do() {
    let server = TestServer::start().await;
    let member = server.member("ada").await;
    let hash = member.post("/utils/hash/generate", json!({ "string": "right" }));
    let hash = hash.await.data();
    let verify = async |string: &str, hash: &str| {
        let body = json!({ "string": string, "hash": hash });
        member.post("/utils/hash/verify", body).await
    };
    let ours = hash.as_str().expect("a hash");
    let rest = format!("p=1${}${}", "A".repeat(22), "A".repeat(43));

    assert_eq!(verify("right", ours).await.data(), json!(true));
    assert_eq!(verify("wrong", ours).await.data(), json!(false));
    let elsewhere = format!("$argon2id$v=19$m=65536,t=3,{rest}");
    assert_eq!(verify("right", &elsewhere).await.data(), json!(false));
    for costs in ["m=4294967295,t=1", "m=1048576,t=1", "m=64,t=4294967295"] {
        let answer = verify("right", &format!("$argon2id$v=19${costs},{rest}")).await;
        assert_eq!(answer.outcome(), "400 INVALID_PAYLOAD", "{costs}");
        let expected = format!("has the costs {costs}, expected at most m=65536,t=4");
        assert!(answer.text.contains(&expected), "{}", answer.text);
    }
    let other = format!("$scrypt${}${}", "A".repeat(22), "A".repeat(43));
    for malformed in [
        &other,
        "$argon2id$x",
        "$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA",
        "x",
    ] {
        let answer = verify("right", malformed).await;
        assert_eq!(answer.outcome(), "400 INVALID_PAYLOAD", "{malformed}");
    }
}
