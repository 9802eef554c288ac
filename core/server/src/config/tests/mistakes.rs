//! What is said of wrong configurations, and what is not.

use std::path::PathBuf;

use super::{mistakes, read};
use crate::config::{Sources, load};

#[test]
fn all_mistakes_are_reported_at_once() {
    let file = r#"
        [server]
        bind = "localhost"
        cors_origins = ["https://app.example.com", "*"]
        trusted_proxies = ["10.0.0.0/8", "10.0.0.0/40"]
        pages = "of"
        [auth]
        secret = "short"
        access_token_ttl = 15
        [auth.cookies]
        secure = "yes"
        [admin]
        email = "admin@example.com"
        [rate_limit]
        login = "10"
        [plugins.slug]
        memory = "64MB"
        source = "bultin"
        [plugins.slug.capabilities]
        users = "write"
    "#;
    let environment = [
        ("ROSTER__LOG__LEVEL", "inof"),
        ("ROSTER__QUERY__MAX_LIMIT", "many"),
    ];
    let flags = [("auth.password.min_length", "0")];

    let found = mistakes(file, &environment, &flags);

    assert_eq!(
        found,
        [
            "key `server.bind` in `etc/roster.toml`: expected an address and port, such as \
             `127.0.0.1:8055` or `[::]:8055`, got the string `localhost`",
            "key `server.trusted_proxies` in `etc/roster.toml`: expected addresses or networks, \
             such as `10.0.0.0/8` or `::1`, got `10.0.0.0/40`",
            "key `server.cors_origins` in `etc/roster.toml`: expected origins such as \
             `https://app.example.com`, with neither path nor `*`, got `*`",
            "key `server.pages` in `etc/roster.toml`: expected `true` or `false`, got the string \
             `of`",
            "key `auth.secret` in `etc/roster.toml`: expected at least 32 bytes that are not all \
             the same, got a value that is not shown here",
            "key `auth.access_token_ttl` in `etc/roster.toml`: expected a duration longer than \
             zero, such as `15m`, `500ms` or `30d`, got the number `15`",
            "key `auth.cookies.secure` in `etc/roster.toml`: expected `\"auto\"`, `true` or \
             `false`, got the string `yes`",
            "key `auth.password.min_length` in flag `--set`: expected a whole number from 1 to \
             1024, got `0`",
            "key `admin.password`: expected a password beside `admin.email`, got none",
            "key `query.max_limit` in variable `ROSTER__QUERY__MAX_LIMIT`: expected a whole \
             number above zero, or -1 for none, got `many`",
            "key `rate_limit.login` in `etc/roster.toml`: expected a rate such as `10/1m`, or `0` \
             for none, got the string `10`",
            "key `log.level` in variable `ROSTER__LOG__LEVEL`: expected `off`, `error`, `warn`, \
             `info`, `debug`, `trace`, or levels of targets as in `info,roster_storage=debug`, \
             got `inof`",
            "key `plugins.slug.source` in `etc/roster.toml`: expected `builtin`, `builtin:NAME` \
             or the path of a `.wasm` file, got the string `bultin`",
            "key `plugins.slug.memory` in `etc/roster.toml`: expected a size with its unit, such \
             as `512KiB`, `1MiB` or `2GiB`, got the string `64MB`",
            "key `plugins.slug.capabilities.users` in `etc/roster.toml`: expected `none` or \
             `read`, got the string `write`",
        ]
    );
}

#[test]
fn unknown_keys_are_named_with_the_nearest_known_one() {
    let file = r#"
        "server.bind" = "127.0.0.1:1"
        [server]
        max_depth = 3
        [databse]
        url = "sqlite://a.db"
        [auth.password]
        min_lenght = 9
        [plugins.slug]
        capabilites = {}
        [plugins.slug.capabilities]
        field.read = ["title"]
        [plugins.slug.config]
        anything = "goes"
    "#;
    let environment = [
        ("ROSTER__AUTH__ACCES_TOKEN_TTL", "15m"),
        ("ROSTER__AUTH", "x"),
        ("ROSTER_TEST_DATABASE", "sqlite"),
    ];

    let mut found = mistakes(file, &environment, &[("log.levl", "info")]);

    found.sort();
    assert_eq!(
        found,
        [
            "key `\"server.bind\"` in `etc/roster.toml`: unknown key, the nearest known one is \
             `server.bind`",
            "key `auth.acces_token_ttl` in variable `ROSTER__AUTH__ACCES_TOKEN_TTL`: unknown key, \
             the nearest known one is `ROSTER__AUTH__ACCESS_TOKEN_TTL`",
            "key `auth.password.min_lenght` in `etc/roster.toml`: unknown key, the nearest known \
             one is `auth.password.min_length`",
            "key `auth` in variable `ROSTER__AUTH`: expected one of its keys, this names a whole \
             section",
            "key `databse` in `etc/roster.toml`: unknown key, the nearest known one is `database`",
            "key `log.levl` in flag `--set`: unknown key, the nearest known one is `log.level`",
            "key `plugins.slug.capabilites` in `etc/roster.toml`: unknown key, the nearest known \
             one is `plugins.slug.capabilities`",
            "key `plugins.slug.capabilities.field` in `etc/roster.toml`: unknown key, the nearest \
             known one is `plugins.slug.capabilities.fields`",
            "key `server.max_depth` in `etc/roster.toml`: unknown key, the nearest known one is \
             `graphql.max_depth`",
        ]
    );
}

#[test]
fn postgres_needs_a_strong_secret_and_sqlite_takes_none_or_a_strong_one() {
    let postgres = "[database]\nurl = \"postgres://roster:hunter2@db.internal/roster\"\n";
    let with = |base: &str, secret: &str| format!("{base}[auth]\nsecret = \"{secret}\"");

    assert_eq!(
        mistakes(postgres, &[], &[]),
        [
            "key `auth.secret`: expected a secret of at least 32 bytes beside a PostgreSQL \
          database, got none"
        ]
    );
    for weak in [String::new(), "x".repeat(31), "x".repeat(64)] {
        assert_eq!(
            mistakes(&with(postgres, &weak), &[], &[]).len(),
            1,
            "{weak}"
        );
        assert_eq!(mistakes(&with("", &weak), &[], &[]).len(), 1, "{weak}");
    }
    let strong = with(postgres, "0123456789abcdef0123456789abcdef");
    assert!(read(&strong, &[], &[]).is_ok());
}

#[test]
fn secrets_are_never_printed() {
    let file = r#"
        [database]
        url = "postgres://roster:hunter2@db.internal/roster?password=hunter2"
        [auth]
        secret = "hunter2-hunter2-hunter2-hunter2-hunter2"
        previous_secrets = ["hunter2-hunter2-hunter2-hunter2-hunter3"]
        [admin]
        email = "admin@example.com"
        password = "hunter2"
        [plugins.smtp.config]
        url = "smtp://u:hunter2@mail"
    "#;
    let wrong = r#"
        [database]
        url = "mysql://roster:hunter2@db"
        [auth]
        secret = "hunter2"
        previous_secrets = ["hunter2"]
        [admin]
        password = ["hunter2"]
        [plugins.smtp]
        config = "hunter2"
    "#;

    let config = read(file, &[], &[]).expect("valid");
    let found = mistakes(wrong, &[], &[]);

    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(format!("{config:?}").contains("postgres://db.internal/roster"));
    assert_eq!(found.len(), 5);
    assert!(!found.join("\n").contains("hunter2"));
    assert!(!mistakes("[auth]\nsecret = \"hunter2", &[], &[])[0].contains("hunter2"));
}

#[test]
fn a_file_that_cannot_be_read_is_the_only_mistake() {
    let named = Sources {
        file: Some(PathBuf::from("no/such.toml")),
        ..Sources::default()
    };

    let missing = load(named).expect_err("the named file is missing");
    let broken = mistakes("[server]\nbind = \n", &[("ROSTER__NOPE", "1")], &[]);

    assert_eq!(missing.len(), 1);
    assert!(
        missing[0]
            .to_string()
            .starts_with("file `no/such.toml`: cannot be read: ")
    );
    assert_eq!(broken.len(), 1);
    assert!(broken[0].starts_with("file `etc/roster.toml`: expected TOML, line 2 is none: "));
}
