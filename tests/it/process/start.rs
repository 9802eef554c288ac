//! What a start makes, once, and what it needs.

use std::os::unix::fs::PermissionsExt;

use roster_tests::{Database, Kind, Process, SECRET, Setup, TestServer, kind};

/// What `first administrator: …` tells: the address and the password.
fn first(out: &str) -> Option<(String, String)> {
    let line = out
        .lines()
        .find_map(|line| line.strip_prefix("first administrator: "))?;
    let (email, rest) = line.split_once(" with password ")?;
    Some((email.to_owned(), rest.split(' ').next()?.to_owned()))
}

/// Nothing but what cannot be done without.
fn minimal() -> Setup {
    let setup = Setup::bare()
        .set("auth.password.memory", "64KiB")
        .set("auth.password.iterations", "1");
    match kind() {
        Kind::Sqlite => setup,
        Kind::Postgres => setup.set("auth.secret", SECRET),
    }
}

#[tokio::test]
async fn the_first_administrator_is_made_once_and_shown_once() {
    let process = minimal().spawn().await;
    let said = async || first(&process.out());
    let (email, password) = roster_tests::eventually("the first administrator", said).await;
    let tokens = process.login(&email, &password).await.data();
    assert_eq!(email, "admin@example.com");
    process.signal("TERM");
    let database = std::sync::Arc::clone(process.database());
    assert_eq!(process.finished().await.code, Some(0));

    let again = minimal().on(&database).spawn().await;

    let client = again.bearer(tokens["access_token"].as_str().expect("a token"));
    assert_eq!(client.get("/users/me").await.outcome(), "200");
    assert_eq!(again.login(&email, &password).await.outcome(), "200");
    again.signal("TERM");
    let ended = again.finished().await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""));
    assert_eq!(database.count("users", "1 = 1").await, 1);
    assert!(!ended.err.contains(&password));
}

#[tokio::test]
async fn a_configured_administrator_is_made_once_and_their_password_is_not_shown() {
    let process = Setup::new().spawn().await;
    process.admin().await;
    process.signal("TERM");
    let database = std::sync::Arc::clone(process.database());
    let ended = process.finished().await;
    assert_eq!(ended.out, "first administrator: admin@example.com");

    let server = Setup::new()
        .on(&database)
        .set("admin.email", "other@example.com")
        .start()
        .await;

    assert_eq!(server.server().first_administrator(), None);
    assert_eq!(database.count("users", "1 = 1").await, 1);
    server.admin().await;
}

#[tokio::test]
async fn a_configured_administrator_that_is_not_fit_stops_the_start() {
    let refusal = Setup::new().set("admin.password", "short").refusal().await;

    assert!(
        refusal.starts_with("cannot make the first administrator: FAILED_VALIDATION: "),
        "{refusal}"
    );
    assert!(!refusal.contains("short"), "{refusal}");
}

#[tokio::test]
async fn a_fresh_folder_is_all_that_a_start_needs() {
    if kind() == Kind::Postgres {
        return;
    }
    let database = Database::fresh().await;
    let (folder, port) = (database.folder(), "server.bind=127.0.0.1:0");

    let ended = Process::run(folder, &["migrate", "--set", port], &[]).await;
    let made = Process::run(
        folder,
        &["admin", "create", "--email", "a@b.co", "--set", port],
        &[],
    )
    .await;

    assert_eq!(
        (ended.code, made.code),
        (Some(0), Some(0)),
        "{} {}",
        ended.err,
        made.err
    );
    let secret = folder.join("data/roster.secret");
    let file = std::fs::metadata(&secret).expect("a secret");
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    assert_eq!(
        std::fs::read_to_string(&secret).expect("text").trim().len(),
        43
    );
    assert!(folder.join("data/roster.db").is_file());
}

#[tokio::test]
async fn a_secret_that_was_made_is_kept() {
    if kind() == Kind::Postgres {
        return;
    }
    let usual = || Setup::new().set("auth.previous_secrets", "");
    let server = minimal().set("admin.email", "admin@example.com");
    let server = server
        .set("admin.password", roster_tests::PASSWORD)
        .start()
        .await;
    let admin = server.admin().await;
    let file = server.database().folder().join("roster.secret");
    let first = std::fs::read_to_string(&file).expect("a secret");

    let server = server.restart().await;

    assert_eq!(std::fs::read_to_string(&file).expect("a secret"), first);
    let client = server.bearer(admin.token.clone().expect("a token"));
    assert_eq!(client.get("/users/me").await.outcome(), "200");
    let database = server.stop().await;
    let other = usual().on(&database).start().await;
    let client = other.bearer(admin.token.expect("a token"));
    assert_eq!(client.get("/users/me").await.outcome(), "403 INVALID_TOKEN");
}

#[tokio::test]
async fn postgres_without_a_secret_does_not_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = "database.url=postgres://postgres@127.0.0.1:1/nowhere";

    let ended = Process::run(folder.path(), &["--set", url], &[]).await;

    assert_eq!(ended.code, Some(2));
    assert!(
        ended.err.contains("key `auth.secret`: expected a secret"),
        "{}",
        ended.err
    );
}

#[tokio::test]
async fn a_database_that_does_not_answer_ends_with_status_1_and_a_clear_word() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = format!("auth.secret={SECRET}");
    let url = "database.url=postgres://roster:hunter2@127.0.0.1:1/nowhere";

    let ended = Process::run(folder.path(), &["--set", url, "--set", &secret], &[]).await;

    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
    assert!(
        ended.err.contains("cannot open the database"),
        "{}",
        ended.err
    );
    assert!(!ended.err.contains("hunter2"), "{}", ended.err);
}

#[tokio::test]
async fn a_file_that_is_no_database_ends_with_status_1_and_a_clear_word() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("roster.db"),
        "this is no database, ".repeat(100),
    )
    .expect("a file");

    let url = "database.url=sqlite://roster.db";
    let ended = Process::run(folder.path(), &["--set", url], &[]).await;

    assert_eq!(ended.code, Some(1));
    assert!(
        ended.err.contains("file is not a database"),
        "{}",
        ended.err
    );
}

#[tokio::test]
async fn a_port_in_use_ends_with_status_1_and_is_named() {
    let server = TestServer::start().await;
    let taken = server.socket().to_owned();

    let refusal = Setup::new().set("server.bind", &taken).refusal().await;

    assert!(
        refusal.starts_with(&format!("cannot listen on {taken}: ")),
        "{refusal}"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let bind = format!("server.bind={taken}");
    let ended = Process::run(folder.path(), &["--set", &bind], &[]).await;
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.err.contains(&format!("cannot listen on {taken}: ")),
        "{}",
        ended.err
    );
}
