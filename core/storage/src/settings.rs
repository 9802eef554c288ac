//! The settings singleton.

use roster_domain::Result;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::statement::Statement;
use crate::store::{Store, Tx};

/// The operator's rule for passwords: a regular expression, or nothing.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn password_policy(store: &Store) -> Result<Option<String>> {
    let sql = r#"SELECT "auth_password_policy" FROM "settings" WHERE "id" = 1"#;
    let row = store
        .fetch_optional(Statement::new(sql, Vec::new()))
        .await?;
    row.map_or(Ok(None), |row| row.text(0))
}

/// Gives the installation an id of its own, once.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn identify(tx: &mut Tx, id: Uuid) -> Result<()> {
    let sql = r#"UPDATE "settings" SET "project_id" = $1 WHERE "id" = 1 AND "project_id" IS NULL"#;
    tx.execute(Statement::new(sql, vec![tx.dialect().uuid(id)]))
        .await
        .map(drop)
}

const TEXTS: [&str; 10] = [
    "project_name",
    "project_descriptor",
    "project_logo",
    "project_color",
    "default_appearance",
    "default_theme_light",
    "default_theme_dark",
    "default_language",
    "public_note",
    "custom_css",
];

/// What a stranger is shown of the project (contract/query.md §13, `GET /server/info`).
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn project(store: &Store) -> Result<Map<String, Json>> {
    let statement = Statement::new(
        r#"SELECT "project_name", "project_descriptor", CAST("project_logo" AS TEXT), "project_color",
        "default_appearance", "default_theme_light", "default_theme_dark", "default_language",
        "public_note", "custom_css", CAST("public_foreground" AS TEXT), CAST("public_favicon" AS TEXT),
        "public_registration", "public_registration_verify_email",
        "theme_light_overrides", "theme_dark_overrides"
        FROM "settings" WHERE "id" = 1"#,
        Vec::new(),
    );
    let mut project = Map::new();
    let Some(row) = store.fetch_optional(statement).await? else {
        return Ok(project);
    };
    for (index, name) in TEXTS.into_iter().enumerate() {
        project.insert(name.to_owned(), row.text(index)?.into());
    }
    project.insert("public_foreground".to_owned(), row.text(10)?.into());
    project.insert("public_favicon".to_owned(), row.text(11)?.into());
    project.insert("public_background".to_owned(), Json::Null);
    project.insert(
        "public_registration".to_owned(),
        json!(row.boolean(12)?.unwrap_or_default()),
    );
    let verify = row.boolean(13)?.unwrap_or(true);
    project.insert("public_registration_verify_email".to_owned(), json!(verify));
    project.insert(
        "theme_light_overrides".to_owned(),
        row.json(14)?.unwrap_or(Json::Null),
    );
    project.insert(
        "theme_dark_overrides".to_owned(),
        row.json(15)?.unwrap_or(Json::Null),
    );
    Ok(project)
}
