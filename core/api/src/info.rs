//! What the document says about the answers of `/server`, which the engine writes.

use poem_openapi::types::Any;
use poem_openapi::{Enum, Object};
use serde_json::Value as Json;

/// How the server is.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub(crate) struct Health {
    /// In one word.
    status: HealthStatus,
    /// The version; for administrators.
    release_id: Option<String>,
    /// The id of the node that answered; for administrators.
    service_id: Option<String>,
    /// What was checked, by name; for administrators.
    checks: Option<Any<Json>>,
}

/// How the server is, in one word.
#[derive(Enum)]
#[oai(rename_all = "lowercase")]
enum HealthStatus {
    /// All is well.
    Ok,
    /// It serves, but something needs a look.
    Warn,
    /// It cannot serve.
    Error,
}

/// What the server is. Users who are logged in see more of it than others.
#[derive(Object)]
#[oai(rename = "ServerInfo", rename_all = "camelCase")]
pub(crate) struct Info {
    /// How the project wants to be shown.
    project: Shown,
    /// Whether there is an administrator.
    setup_completed: bool,
    /// The version; for users who are logged in.
    version: Option<String>,
    /// The limits on pages; for users who are logged in.
    query_limit: Option<QueryLimit>,
    /// The limit on requests of a client, `false` where there is none; for users who are logged in.
    rate_limit: Option<Any<Json>>,
    /// The limit on requests of all clients, `false` where there is none; for users who are logged
    /// in.
    rate_limit_global: Option<Any<Json>>,
    /// How to subscribe, `false` where that cannot be done; for users who are logged in.
    websocket: Option<Any<Json>>,
    /// What holds for extensions; for users who are logged in.
    extensions: Option<Any<Json>>,
}

/// The limits on pages.
#[derive(Object)]
struct QueryLimit {
    /// The size of a page when none is asked for; `-1` for all.
    default: i64,
    /// The largest size of a page; `-1` for no limit.
    max: i64,
}

/// How the project wants to be shown.
#[derive(Object)]
#[oai(rename = "Project")]
struct Shown {
    #[oai(nullable)]
    project_name: Option<String>,
    #[oai(nullable)]
    project_descriptor: Option<String>,
    #[oai(nullable)]
    project_logo: Option<String>,
    #[oai(nullable)]
    project_color: Option<String>,
    #[oai(nullable)]
    default_appearance: Option<String>,
    #[oai(nullable)]
    default_theme_light: Option<String>,
    #[oai(nullable)]
    default_theme_dark: Option<String>,
    theme_light_overrides: Option<Any<Json>>,
    theme_dark_overrides: Option<Any<Json>>,
    #[oai(nullable)]
    default_language: Option<String>,
    #[oai(nullable)]
    public_foreground: Option<String>,
    #[oai(nullable)]
    public_favicon: Option<String>,
    public_background: Option<Any<Json>>,
    #[oai(nullable)]
    public_note: Option<String>,
    #[oai(nullable)]
    custom_css: Option<String>,
    /// Whether strangers may register.
    public_registration: Option<bool>,
    /// Whether they have to prove that the address is theirs.
    public_registration_verify_email: Option<bool>,
}
