//! The defaults, written out or not, and a whole configuration of ours.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::read;
use crate::config::{
    Config, CookieSecure, DatabaseUrl, Lockout, OnFailure, PluginSource, Rate, UsersCapability,
    reference,
};

#[test]
fn nothing_given_gives_the_defaults() {
    let config = read("", &[], &[]).expect("the defaults are valid");

    assert_eq!(config.server.bind.to_string(), "127.0.0.1:8055");
    assert_eq!(config.server.max_body.bytes(), 1 << 20);
    assert_eq!(config.server.shutdown_timeout, Duration::from_secs(30));
    assert!(config.server.pages);
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
        if !file.contains(&header) {
            file.push_str(&header);
        }
        let start = file.find(&header).expect("the header") + header.len();
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
fn the_configuration_of_the_conformance_suite_is_valid() {
    let script = include_str!("../../../../../tests/conformance/roster.sh");
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
