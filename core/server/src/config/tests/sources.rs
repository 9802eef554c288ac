//! What a later source does to an earlier one.

use std::path::PathBuf;

use super::read;
use crate::config::PluginSource;

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
