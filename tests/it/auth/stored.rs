//! What the database keeps of secrets.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use roster_tests::{Kind, PASSWORD, Setup, TestServer, kind};
use serde_json::json;
use sha2::{Digest, Sha256};

const TOKEN: &str = "a-static-token-for-tests";

#[tokio::test]
async fn a_password_is_kept_as_argon2id_with_its_parameters() {
    let defaults = Setup::new()
        .set("auth.password.memory", "19MiB")
        .set("auth.password.iterations", "2")
        .start()
        .await;

    let stored = defaults.database().text("SELECT password FROM users").await;

    assert!(
        stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{stored}"
    );
}

#[tokio::test]
async fn a_static_token_is_kept_under_a_key_of_the_server() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin
        .patch("/users/me", json!({ "token": TOKEN }))
        .await
        .data();

    let stored = server.database().text("SELECT token FROM users").await;

    assert_eq!(URL_SAFE_NO_PAD.decode(&stored).expect("bytes").len(), 32);
    let plain_hash = URL_SAFE_NO_PAD.encode(Sha256::digest(TOKEN));
    assert_ne!(stored, plain_hash);
    let database = server.stop().await;
    let other = Setup::new()
        .on(&database)
        .set("auth.secret", "another secret, for another server");
    let other = other.start().await;
    assert_eq!(
        other.bearer(TOKEN).get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}

#[tokio::test]
async fn a_session_secret_is_kept_as_its_hash() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let stored = match kind() {
        Kind::Sqlite => "SELECT hex(secret_hash) FROM sessions",
        Kind::Postgres => "SELECT encode(secret_hash, 'hex') FROM sessions",
    };
    let stored = server.database().text(stored).await.to_lowercase();

    let token = URL_SAFE_NO_PAD.decode(&admin.refresh_token).expect("bytes");
    let hash = Sha256::digest(&token[24..]);
    let hash: Vec<String> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(stored, hash.concat());
}

#[tokio::test]
async fn two_users_with_one_password_have_different_hashes() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin
        .post("/users", json!({ "password": PASSWORD }))
        .await
        .data();

    let hashes = server
        .database()
        .rows("SELECT DISTINCT password FROM users")
        .await;

    assert_eq!(hashes.len(), 2);
}
