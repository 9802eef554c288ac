//! A `main.rs` of one's own: `examples/custom.rs`.

use roster_tests::Setup;
use serde_json::json;

const SHOUT: &str = "capabilities.fields = { read = ['title'], write = ['title'] }";
const SLUG: &str = "priority = 1\ncapabilities.fields = { read = ['first_name', 'last_name', 'title'], write = ['title'] }";

#[tokio::test]
async fn a_main_of_ones_own_links_one_more_plugin_beside_the_built_in_ones() {
    let setup = Setup::new().plugin("shout", SHOUT).plugin("slug", SLUG);
    let process = setup.spawn_as("custom").await;
    let admin = process.admin().await;
    let title = async |body| admin.post("/users?fields=title", body).await.data()["title"].clone();

    assert_eq!(title(json!({ "title": "quiet" })).await, "QUIET");
    assert_eq!(title(json!({ "first_name": "Ada" })).await, "ADA");
}

#[tokio::test]
async fn the_binary_of_everybody_does_not_know_it() {
    let refusal = Setup::new().plugin("shout", SHOUT).refusal().await;

    assert!(
        refusal.contains("`plugins.shout.source`: expected one of `business-hours`"),
        "{refusal}"
    );
}
