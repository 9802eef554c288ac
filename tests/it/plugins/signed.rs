//! Which files are loaded: pinned ones, and signed ones.

use roster_tests::{Setup, guest};

async fn refusal(setup: Setup) -> String {
    let file = guest("roster-slug").display().to_string();
    setup.refusal().await.replace(&file, "[file]")
}

#[tokio::test]
async fn a_file_that_is_not_the_pinned_one_is_not_loaded() {
    let digest = "0".repeat(64);
    let section = format!("sha256 = '{digest}'");

    let refused = refusal(Setup::new().guest("slug", "roster-slug", &section)).await;

    let start = format!(
        "cannot load the plugins: plugin `slug`: `[file]`: expected the SHA-256 `{digest}`, got `"
    );
    assert!(refused.starts_with(&start), "{refused}");
}

#[tokio::test]
async fn where_signatures_are_required_a_file_without_one_is_not_loaded() {
    let setup = Setup::new()
        .guest("slug", "roster-slug", "")
        .set("plugin_host.require_signed", "true")
        .set(
            "plugin_host.public_keys",
            "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        );

    assert_eq!(
        refusal(setup).await,
        "cannot load the plugins: plugin `slug`: `[file]`: has no signature: expected one in a \
         `.sig` beside it"
    );
}
