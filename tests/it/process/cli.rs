use insta::assert_snapshot;
use roster_tests::{Database, Finished, PASSWORD, Process, SECRET, Setup};
use serde_json::json;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Runs a command on a database.
async fn on(database: &Database, arguments: &[&str]) -> Finished {
    let environment = [
        ("ROSTER__DATABASE__URL", database.url()),
        ("ROSTER__AUTH__SECRET", SECRET),
        ("ROSTER__AUTH__PASSWORD__MEMORY", "64KiB"),
        ("ROSTER__LOG__LEVEL", "off"),
    ];
    Process::run(database.folder(), arguments, &environment).await
}

#[tokio::test]
async fn unknown_keys_end_with_status_2_and_the_nearest_known_key() {
    let folder = folder();
    let file = "[server]\nbnd = '127.0.0.1:1'\n[databse]\nurl = 'x'\n";
    std::fs::write(folder.path().join("roster.toml"), file).expect("a file");
    let environment = [("ROSTER__AUTH__SECRT", "x")];

    for command in [&["serve"][..], &[], &["migrate"], &["config", "check"]] {
        let ended = Process::run(folder.path(), command, &environment).await;
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(2), ""),
            "{command:?}"
        );
        for line in [
            "key `server.bnd` in `roster.toml`: unknown key, the nearest known one is `server.bind`",
            "key `databse` in `roster.toml`: unknown key, the nearest known one is `database`",
            "`ROSTER__AUTH__SECRT`: unknown key, the nearest known one is `ROSTER__AUTH__SECRET`",
        ] {
            assert!(ended.err.contains(line), "{line} is not in\n{}", ended.err);
        }
    }
}

#[tokio::test]
async fn wrong_values_end_with_status_2_and_all_of_them_are_named() {
    let folder = folder();
    let arguments = [
        "--set",
        "server.bind=here",
        "--set",
        "auth.access_token_ttl=15",
    ];

    let ended = Process::run(folder.path(), &arguments, &[]).await;

    assert_eq!(ended.code, Some(2));
    assert_snapshot!(ended.err, @r#"
    roster: key `server.bind` in flag `--set`: expected an address and port, such as `127.0.0.1:8055` or `[::]:8055`, got `here`
    roster: key `auth.access_token_ttl` in flag `--set`: expected a duration longer than zero, such as `15m`, `500ms` or `30d`, got `15`
    "#);
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_ends_with_status_2() {
    let folder = folder();

    for arguments in [
        &["fly"][..],
        &["serve", "now"],
        &["--set", "x"],
        &["admin"],
        &["migrate", "down", "--steps", "0"],
    ] {
        let ended = Process::run(folder.path(), arguments, &[]).await;
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(!ended.err.is_empty(), "{arguments:?}");
    }
    let help = Process::run(folder.path(), &["--help"], &[]).await;
    assert_eq!(help.code, Some(0));
    assert!(help.out.contains("Usage: roster"), "{}", help.out);
}

#[tokio::test]
async fn a_good_configuration_is_said_to_be_good() {
    let folder = folder();

    let ended = Process::run(folder.path(), &["config", "check"], &[]).await;

    assert_eq!(
        (ended.code, ended.out.as_str(), ended.err.as_str()),
        (Some(0), "ok\n", "")
    );
}

#[tokio::test]
async fn migrations_go_up_and_down_and_say_where_they_stand() {
    let database = Database::fresh().await;
    let states = async |arguments: &[&str]| {
        let ended = on(&database, arguments).await;
        assert_eq!(
            (ended.code, ended.err.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
        let states = ended
            .out
            .lines()
            .map(|line| line.rsplit(' ').next().unwrap_or_default() == "applied");
        states.collect::<Vec<_>>()
    };

    let before = states(&["migrate", "status"]).await;
    let steps = before.len();
    assert!(
        steps >= 10 && before.iter().all(|applied| !applied),
        "{before:?}"
    );
    assert!(
        states(&["migrate"])
            .await
            .into_iter()
            .all(|applied| applied)
    );
    let down = states(&["migrate", "down", "--steps", "2"]).await;
    assert_eq!(down.iter().filter(|applied| **applied).count(), steps - 2);
    let all = states(&["migrate", "down", "--steps", "99"]).await;
    assert!(all.into_iter().all(|applied| !applied));
    assert!(
        states(&["migrate", "up"])
            .await
            .into_iter()
            .all(|applied| applied)
    );
}

#[tokio::test]
async fn administrators_are_made_and_get_new_passwords() {
    let database = std::sync::Arc::new(Database::fresh().await);
    let with = |email, password| ["--email", email, "--password", password];

    let made = on(
        &database,
        &[&["admin", "create"][..], &with("ada@example.com", PASSWORD)].concat(),
    )
    .await;
    let again = on(
        &database,
        &[&["admin", "create"][..], &with("ADA@example.com", PASSWORD)].concat(),
    )
    .await;
    let weak = on(
        &database,
        &[&["admin", "create"][..], &with("bob@example.com", "short")].concat(),
    )
    .await;
    let generated = on(
        &database,
        &["admin", "create", "--email", "eve@example.com"],
    )
    .await;
    let nobody = on(
        &database,
        &[
            &["admin", "passwd"][..],
            &with("nobody@example.com", PASSWORD),
        ]
        .concat(),
    )
    .await;
    let changed = on(
        &database,
        &[
            &["admin", "passwd"][..],
            &with("ada@example.com", "another secret"),
        ]
        .concat(),
    )
    .await;

    assert_eq!(
        (made.code, made.out.as_str()),
        (Some(0), "ada@example.com\n")
    );
    assert_eq!((again.code, again.out.as_str()), (Some(1), ""));
    assert_snapshot!(again.err, @r#"roster: failed: RECORD_NOT_UNIQUE: Value for field "email" in collection "directus_users" has to be unique."#);
    assert_eq!(weak.code, Some(1));
    assert!(!weak.err.contains("short"), "{}", weak.err);
    let (email, password) = generated
        .out
        .trim()
        .split_once(" with password ")
        .expect("a password");
    assert_eq!(
        (generated.code, email, password.len()),
        (Some(0), "eve@example.com", 43)
    );
    assert_eq!(nobody.code, Some(1));
    assert_snapshot!(nobody.err, @"roster: failed: UNPROCESSABLE_CONTENT: Can't process content. no user has the address `nobody@example.com`.");
    assert_eq!(
        (changed.code, changed.out.as_str()),
        (Some(0), "ada@example.com\n")
    );
    let server = Setup::new().on(&database).start().await;
    assert_eq!(server.server().first_administrator(), None);
    assert_eq!(
        server.login("ada@example.com", PASSWORD).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    for (email, password) in [("ada@example.com", "another secret"), (email, password)] {
        let tokens = server.login(email, password).await.data();
        let client = server.bearer(tokens["access_token"].as_str().expect("a token"));
        assert_eq!(client.post("/users", json!({})).await.outcome(), "200");
    }
}

#[tokio::test]
async fn an_administrator_on_the_command_line_meets_a_running_server() {
    let server = Setup::new().start().await;
    let admin = server.admin().await;

    let arguments = [
        "admin",
        "passwd",
        "--email",
        &admin.email,
        "--password",
        "another secret",
    ];
    let changed = on(server.database(), &arguments).await;

    assert_eq!(changed.code, Some(0), "{}", changed.err);
    assert_eq!(
        admin.get("/users/me").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
    assert_eq!(
        server.login(&admin.email, "another secret").await.outcome(),
        "200"
    );
}

#[tokio::test]
async fn a_mail_is_shown_as_it_would_be_sent() {
    let folder = folder();
    let preview = async |more: &[&str]| {
        let arguments = [&["mail", "preview"], more].concat();
        let ended = Process::run(folder.path(), &arguments, &[]).await;
        (ended.code, ended.out, ended.err)
    };

    let (code, out, _) = preview(&["password-reset"]).await;
    assert_eq!(code, Some(0));
    assert!(
        out.starts_with("Subject: Password Reset Request\n\n"),
        "{out}"
    );
    assert!(
        out.contains("https://users.example.com/page?token="),
        "{out}"
    );
    let (_, out, _) = preview(&["password-reset", "--language", "de-AT"]).await;
    assert!(out.starts_with("Subject: Passwort zurücksetzen\n"), "{out}");
    let (_, out, _) = preview(&["notice", "--html"]).await;
    assert!(out.starts_with("<!doctype html>"), "{out}");
    let (code, out, err) = preview(&["postcard"]).await;
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("user-invitation"), "{err}");
}

#[tokio::test]
async fn templates_of_the_operator_are_shown_and_their_mistakes_named() {
    let folder = folder();
    let templates = folder.path().join("mails");
    std::fs::create_dir(&templates).expect("a folder");
    let file = templates.join("password-reset.txt");
    let shown = async |text: &str| {
        std::fs::write(&file, text).expect("a file");
        let arguments = [
            "mail",
            "preview",
            "password-reset",
            "--set",
            "mail.templates=mails",
        ];
        Process::run(folder.path(), &arguments, &[]).await
    };

    let ours = shown("Subject: Hello {{ first_name }}\n\nGo to {{ url }}\n").await;
    assert_eq!(ours.code, Some(0), "{}", ours.err);
    assert!(
        ours.out.starts_with("Subject: Hello Ada\n\nGo to https://"),
        "{}",
        ours.out
    );
    let broken = shown("Subject: {{ broken\n").await;

    assert_eq!((broken.code, broken.out.as_str()), (Some(1), ""));
    assert!(broken.err.contains("password-reset.txt"), "{}", broken.err);
}
