//! What plugins say of their configuration, and what becomes of one that is something else.

use roster_tests::{Finished, Process, Setup, guest};
use serde_json::{Value as Json, json};

const WEBHOOK: &str =
    "config = { url = 'https://example.com/in', secret = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3' }
capabilities.http = ['https://example.com']";
const HTTP_MAILER: &str = "config = { url = 'https://example.com/send' }
capabilities.http = ['https://example.com']";

async fn schemas(setup: Setup) -> Vec<(String, Json)> {
    let server = setup.lived_in().await.start().await;
    let plugins = server.admin().await.get("/server/plugins").await.data();
    let plugins = plugins.as_array().expect("a list").iter();
    plugins
        .map(|plugin| {
            let name = plugin["name"].as_str().unwrap_or_default();
            (name.to_owned(), plugin["config_schema"].clone())
        })
        .collect()
}

#[tokio::test]
async fn every_plugin_in_the_box_says_how_it_is_configured_in_both_builds() {
    let native = Setup::new()
        .plugin("slug", "")
        .plugin("business-hours", "")
        .plugin(
            "email-domain-scope",
            "capabilities.fields.read = ['email']\ncapabilities.users = 'read'",
        )
        .plugin("http-mailer", HTTP_MAILER)
        .plugin("smtp", "config = { url = 'smtp://127.0.0.1:1' }")
        .plugin("webhook", WEBHOOK);
    let components = Setup::new()
        .guest("slug", "roster-slug", "")
        .guest("business-hours", "roster-business-hours", "")
        .guest("http-mailer", "roster-http-mailer", HTTP_MAILER)
        .guest("webhook", "roster-webhook", WEBHOOK)
        .guest("old", "roster-old-plugin", "");

    let (native, components) = (schemas(native).await, schemas(components).await);

    assert_eq!(native.len(), 8);
    for (name, schema) in &native {
        let properties = schema["properties"].as_object();
        assert_eq!(properties.is_none(), name == "password", "{name}");
        assert_eq!(schema["additionalProperties"], false, "{name}");
        for (key, property) in properties.into_iter().flatten() {
            assert!(
                property["description"].is_string(),
                "{name}: {key} says nothing"
            );
        }
    }
    for (name, schema) in &components {
        let expected = native.iter().find(|(native, _)| native == name);
        // One that was built against the first version says nothing.
        let expected = expected.map_or(Json::Null, |(_, schema)| schema.clone());
        assert_eq!(*schema, expected, "{name}");
    }
    let (_, webhook) = native
        .iter()
        .find(|(name, _)| name == "webhook")
        .expect("it");
    assert_eq!(webhook["required"], json!(["url", "secret"]));
    assert_eq!(webhook["properties"]["secret"]["format"], "password");
}

async fn checked(section: &str) -> Finished {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("roster.toml"), section).expect("a file");
    let checked = Process::run(folder.path(), &["config", "check"], &[]).await;
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 1, "a check leaves nothing behind");
    checked
}

#[tokio::test]
async fn a_check_names_plugin_key_expectation_and_value() {
    let slug = guest("roster-slug").display().to_string();
    let wrong = "config = { field = 7, from = ['first_name', false], form = 1 }";
    let expected = [
        "key `plugins.slug.config.field`: expected a string, got the number `7`",
        "key `plugins.slug.config.form`: unknown key, expected one of `field`, `from`, `reserved`",
        "key `plugins.slug.config.from[1]`: expected a string, got `false`",
    ];
    let expected = expected
        .map(|told| format!("roster: plugin `slug`: {told}\n"))
        .join("");
    for source in ["builtin", &slug] {
        let checked = checked(&format!("[plugins.slug]\nsource = '{source}'\n{wrong}")).await;

        assert_eq!(
            (checked.code, checked.err.as_str()),
            (Some(2), expected.as_str())
        );
    }
}

#[tokio::test]
async fn a_check_shows_no_secret_and_says_what_else_is_in_the_way() {
    let secret = "[plugins.webhook]\nconfig = { url = 'https://example.com', secret = 4711 }";
    let refused = format!(
        "[plugins.slug]\nsource = '{}'\nconfig = {{ from = [] }}",
        guest("roster-slug").display()
    );
    let missing = "[plugins.mine]\nsource = 'none.wasm'";
    let unknown = "[plugins.slog]";
    let fine = format!(
        "[plugins.slug]\nsource = '{}'\n[plugins.off]\nsource = 'none.wasm'\nenabled = false",
        guest("roster-slug").display()
    );

    let told = checked(secret).await.err;
    assert_eq!(
        told,
        "roster: plugin `webhook`: key `plugins.webhook.config.secret`: expected a string, got something else\n"
    );
    let told = checked(&refused).await.err;
    assert!(
        told.contains("does not start: `field` and `from` have to name a field each"),
        "{told}"
    );
    let told = checked(missing).await.err;
    assert!(
        told.starts_with("roster: plugin `mine`: `")
            && told.ends_with("none.wasm`: no such file\n"),
        "{told}"
    );
    let told = checked(unknown).await.err;
    assert!(
        told.starts_with("roster: `plugins.slog.source`: expected one of `business-hours`"),
        "{told}"
    );
    let fine = checked(&fine).await;
    assert_eq!(
        (fine.code, fine.out.as_str()),
        (Some(0), "ok\n"),
        "{}",
        fine.err
    );
}

#[tokio::test]
async fn a_start_says_the_same() {
    for setup in [
        Setup::new().plugin("slug", "config = { form = 1, field = 7 }"),
        Setup::new().guest("slug", "roster-slug", "config = { form = 1, field = 7 }"),
    ] {
        let refusal = setup.refusal().await;

        let expected = "cannot load the plugins: plugin `slug`: key `plugins.slug.config.field`: expected a \
            string, got the number `7`; key `plugins.slug.config.form`: unknown key, expected one of \
            `field`, `from`, `reserved`";
        assert_eq!(refusal, expected);
    }
}
