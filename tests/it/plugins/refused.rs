//! Plugins that cannot be loaded stop the start with a sentence that names them.

use insta::assert_snapshot;
use roster_tests::{Setup, guest};

/// A refusal without what differs from machine to machine.
async fn refusal(setup: Setup, file: &str) -> String {
    setup.refusal().await.replace(file, "[file]")
}

#[tokio::test]
async fn a_file_that_is_missing() {
    let setup = Setup::new().plugin("broken", "source = '/no/such/plugin.wasm'");

    assert_snapshot!(refusal(setup, "/no/such/plugin.wasm").await, @"cannot load the plugins: plugin `broken`: `[file]`: no such file");
}

#[tokio::test]
async fn a_file_that_is_no_component() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut refusals = Vec::new();
    // Text, nothing, and a core module that is no component.
    for bytes in [&b"not a component"[..], b"", b"\0asm\x01\0\0\0"] {
        let file = folder.path().join("broken.wasm");
        std::fs::write(&file, bytes).expect("a file");
        let file = file.display().to_string();
        let setup = Setup::new().plugin("broken", &format!("source = '{file}'"));
        let refusal = refusal(setup, &file).await;
        refusals.push(refusal.lines().next().unwrap_or_default().to_owned());
    }

    for refusal in &refusals {
        let start = "cannot load the plugins: plugin `broken`: `[file]`: not a WASM component: ";
        assert!(refusal.starts_with(start), "{refusal}");
    }
}

#[tokio::test]
async fn a_component_that_refuses_its_configuration() {
    let file = guest("roster-slug").display().to_string();
    let with = |config: &str| Setup::new().guest("slug", "roster-slug", config);

    assert_snapshot!(refusal(with("config = { form = ['x'] }"), &file).await, @"cannot load the plugins: plugin `slug`: key `plugins.slug.config.form`: unknown key, expected one of `field`, `from`, `reserved`");
    assert_snapshot!(refusal(with("config = { from = [] }"), &file).await, @"cannot load the plugins: plugin `slug`: `[file]`: does not start: `field` and `from` have to name a field each");
}

#[tokio::test]
async fn a_component_that_never_starts() {
    let file = guest("roster-hostile-plugin").display().to_string();
    let setup = Setup::new().guest(
        "hostile",
        "roster-hostile-plugin",
        "config = { mode = 'refuse' }",
    );

    assert_snapshot!(refusal(setup, &file).await, @"cannot load the plugins: plugin `hostile`: `[file]`: does not start: this plugin never starts");
}

#[tokio::test]
async fn a_native_plugin_that_refuses_its_configuration() {
    let setup = Setup::new().plugin("slug", "config = { from = [] }");

    assert_snapshot!(refusal(setup, "-").await, @"cannot load the plugins: plugin `slug`: `field` and `from` have to name a field each");
}

#[tokio::test]
async fn a_policy_that_narrows_what_there_is_not() {
    let setup = Setup::new().plugin("business-hours", "config = { actions = ['publish'] }");

    assert_snapshot!(refusal(setup, "[file]").await, @"cannot load the plugins: plugin `business-hours`: it narrows the action `publish`, expected `*` or one of `create`, `read`, `update`, `delete`");
}

#[tokio::test]
async fn a_native_plugin_that_does_not_exist() {
    assert_snapshot!(refusal(Setup::new().plugin("slog", ""), "[file]").await, @"cannot load the plugins: `plugins.slog.source`: expected one of `business-hours`, `email-domain-scope`, `http-mailer`, `log`, `password`, `slug`, `smtp`, `webhook`, got `slog`");
    let named = Setup::new().plugin("mine", "source = 'builtin:slog'");
    assert_snapshot!(refusal(named, "[file]").await, @"cannot load the plugins: `plugins.mine.source`: expected one of `business-hours`, `email-domain-scope`, `http-mailer`, `log`, `password`, `slug`, `smtp`, `webhook`, got `slog`");
}

#[tokio::test]
async fn a_mailer_that_is_none() {
    let missing = Setup::new().set("mail.mailer", "pigeon");
    let other = Setup::new().plugin("slug", "").set("mail.mailer", "slug");
    let off = Setup::new().plugin("log", "enabled = false");

    assert_snapshot!(refusal(missing, "[file]").await, @"cannot load the plugins: `mail.mailer`: expected a plugin that is turned on, got `pigeon`");
    assert_snapshot!(refusal(other, "[file]").await, @"cannot load the plugins: `mail.mailer`: plugin `slug` is not a mailer");
    assert_snapshot!(refusal(off, "[file]").await, @"cannot load the plugins: `mail.mailer`: expected a plugin that is turned on, got `log`");
}
