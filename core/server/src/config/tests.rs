//! The configuration as a whole, from its sources to its types.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::layers::{self, Layer};
use super::*;

/// What `load` does, with the text of the file at hand.
fn read(
    file: &str,
    environment: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Config, Vec<String>> {
    let owned = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let mut mistakes = Vec::new();
    let path = Path::new("etc/roster.toml");
    let layers = Layer::file(path, file, &mut mistakes).map(|file| {
        let known = layers::plugin_names(std::slice::from_ref(&file));
        let environment = Layer::environment(owned(environment), &known, &mut mistakes);
        let flags = Layer::flags(owned(flags), &mut mistakes);
        vec![file, environment, flags]
    });
    let config = match layers {
        Ok(layers) => compose(layers, mistakes, Path::new("etc")),
        Err(mistake) => Err(vec![mistake]),
    };
    config.map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
}

fn mistakes(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Vec<String> {
    read(file, environment, flags).expect_err("the configuration is wrong")
}

#[test]
fn nothing_given_gives_the_defaults() {
    let config = read("", &[], &[]).expect("the defaults are valid");

    assert_eq!(config.server.bind.to_string(), "127.0.0.1:8055");
    assert_eq!(config.server.max_body.bytes(), 1 << 20);
    assert_eq!(config.server.shutdown_timeout, Duration::from_secs(30));
    assert_eq!(
        config.database.url,
        DatabaseUrl::Sqlite(PathBuf::from("data/roster.db"))
    );
    assert_eq!(config.auth.secret, None);
    assert_eq!(config.auth.lockout, Lockout::Suspend);
    assert_eq!(config.auth.session_max_age, Duration::from_hours(720));
    assert_eq!(config.auth.cookies.secure, CookieSecure::Auto);
    assert_eq!(config.auth.password.memory.bytes(), 19 << 20);
    assert!(config.auth.password.max_concurrent >= 1);
    assert_eq!(config.admin, None);
    assert_eq!(
        (config.query.default_limit, config.query.max_limit),
        (Some(100), None)
    );
    let login = Some(Rate {
        count: 10,
        per: Duration::from_mins(1),
    });
    assert_eq!(
        (config.rate_limit.login, config.rate_limit.api),
        (login, None)
    );
    assert_eq!(config.outbox.max_attempts, 10);
    assert_eq!(config.mail.templates, None);
    assert!(config.plugins.is_empty());
}

#[test]
fn every_key_of_the_table_can_be_written_in_the_file() {
    let mut file = String::new();
    for doc in reference().iter().filter(|doc| !doc.default.is_empty()) {
        let (section, key) = match doc.key.split_once(".capabilities.") {
            Some((plugin, key)) => (format!("{plugin}.capabilities"), key),
            None => doc
                .key
                .rsplit_once('.')
                .map(|(a, b)| (a.to_owned(), b))
                .expect("a section"),
        };
        let section = section.replace("<name>", "slug");
        let header = format!("[{section}]\n");
        let start = match file.find(&header) {
            Some(at) => at + header.len(),
            None => {
                file.push_str(&header);
                file.len()
            }
        };
        if key == "config" {
            continue;
        }
        file.insert_str(start, &format!("{key} = {}\n", doc.default));
    }

    let config = read(&file, &[], &[]).expect("the defaults are valid when written out");

    let plugin = &config.plugins["slug"];
    assert_eq!(plugin.source, PluginSource::Builtin(None));
    assert_eq!((plugin.enabled, plugin.priority), (true, 100));
    assert_eq!(plugin.on_failure, OnFailure::Reject);
    assert_eq!(plugin.timeout, Duration::from_millis(250));
    assert_eq!(plugin.memory.bytes(), 64 << 20);
    assert_eq!(plugin.capabilities.users, UsersCapability::None);
    assert_eq!(plugin.config, serde_json::json!({}));
    assert_eq!(
        Config {
            plugins: BTreeMap::new(),
            ..config
        },
        read("", &[], &[]).expect("valid")
    );
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let file = r#"
        [server]
        bind = "localhost"
        cors_origins = ["https://app.example.com", "*"]
        trusted_proxies = ["10.0.0.0/8", "10.0.0.0/40"]
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
fn a_later_source_wins() {
    let file = "[query]\ndefault_limit = 1\nmax_limit = 1\n[mail]\nmailer = \"smtp\"";
    let environment = [
        ("ROSTER__QUERY__MAX_LIMIT", "2"),
        ("ROSTER__MAIL__MAILER", "file"),
        ("ROSTER__AUTH__SECRET", "12345678901234567890123456789012"),
        ("ROSTER__SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("ROSTER__AUTH__QUERY_TOKENS", "true"),
    ];

    let config = read(file, &environment, &[("mail.mailer", "flag")]).expect("valid");

    assert_eq!(
        (config.query.default_limit, config.query.max_limit),
        (Some(1), Some(2))
    );
    assert_eq!(config.mail.mailer, "flag");
    assert_eq!(config.auth.secret.expect("given").expose().len(), 32);
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert!(config.auth.query_tokens);
}

#[test]
fn plugins_take_parts_from_every_source() {
    let file = r#"
        [plugins.smtp_relay]
        source = "builtin:smtp"
        config = { url = "smtp://127.0.0.1", pool = { size = 2 } }
        [plugins.slug]
        source = "slug.wasm"
        capabilities.fields.write = ["title"]
    "#;
    let environment = [
        (
            "ROSTER__PLUGINS__SMTP_RELAY__CONFIG__URL",
            "smtp://mail.example.com",
        ),
        ("ROSTER__PLUGINS__SMTP_RELAY__CONFIG__POOL__SIZE", "4"),
        ("ROSTER__PLUGINS__LOG_MAILER__ENABLED", "false"),
    ];

    let config = read(file, &environment, &[]).expect("valid");

    let relay = &config.plugins["smtp_relay"];
    assert_eq!(relay.source, PluginSource::Builtin(Some("smtp".to_owned())));
    let expected = serde_json::json!({"url": "smtp://mail.example.com", "pool": {"size": 4}});
    assert_eq!(relay.config, expected);
    assert!(!config.plugins["log-mailer"].enabled);
    let slug = &config.plugins["slug"];
    assert_eq!(
        slug.source,
        PluginSource::File(PathBuf::from("etc/slug.wasm"))
    );
    assert_eq!(slug.capabilities.fields.write, ["title"]);
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

#[test]
fn the_configuration_of_the_conformance_suite_is_valid() {
    let script = include_str!("../../../../tests/conformance/roster.sh");
    let (_, rest) = script
        .split_once("<<-EOF\n")
        .expect("the configuration begins");
    let (text, _) = rest.split_once("\nEOF").expect("the configuration ends");
    let mut text = text.replace('\t', "");
    for name in ["INVITE", "RESET", "VERIFY"] {
        let start = text
            .find(&format!("${{ALLOWED_{name}_URL:-"))
            .expect("an allowed URL");
        let end = start + text[start..].find('}').expect("its end");
        text.replace_range(start..=end, "https://app.example.com/page");
    }
    for (variable, value) in [
        ("$SERVER_PORT", "8466"),
        ("$BASE_URL", "http://127.0.0.1:8466"),
        ("$url", "sqlite:///scratch/roster.db"),
        ("$ADMIN_EMAIL", "admin@example.com"),
        ("$ADMIN_PASSWORD", "conformance-admin"),
        ("$SMTP_PORT", "8526"),
    ] {
        text = text.replace(variable, value);
    }
    assert!(!text.contains('$'), "{text}");

    let config = read(&text, &[], &[]).expect("the configuration is valid");

    assert_eq!(config.auth.refresh_grace, Duration::ZERO);
    assert_eq!(config.auth.password.memory.bytes(), 4 << 20);
    assert!(!config.rate_limit.enabled);
    assert_eq!(
        config.plugins["smtp"].config["url"],
        "smtp://127.0.0.1:8526"
    );
}
