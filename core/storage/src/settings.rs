//! The settings singleton.

use roster_domain::{Error, Result, RoleId};
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

/// What mails show of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// Its name.
    pub name: String,
    /// Its address, if it has one.
    pub url: Option<String>,
    /// Its colour.
    pub color: String,
    /// The language of those who chose none.
    pub language: String,
}

/// What mails show of the project, read in the transaction that writes them.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn brand(tx: &mut Tx) -> Result<Brand> {
    let sql = r#"SELECT "project_name", "project_url", "project_color", "default_language"
        FROM "settings" WHERE "id" = 1"#;
    let rows = tx.fetch(Statement::new(sql, Vec::new())).await?;
    let row = rows.first();
    let row = row.ok_or_else(|| Error::internal("the settings have no row"))?;
    Ok(Brand {
        name: row.word(0)?,
        url: row.text(1)?,
        color: row.word(2)?,
        language: row.word(3)?,
    })
}

/// What the settings say about registrations.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// Whether strangers may register.
    pub is_open: bool,
    /// Whether they have to prove that the address is theirs.
    pub verifies_email: bool,
    /// The role they get.
    pub role: Option<RoleId>,
    /// Which addresses may register, as a filter over `email`.
    pub email_filter: Option<Json>,
}

/// What the settings say about registrations.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn registration(store: &Store) -> Result<Registration> {
    let sql = r#"SELECT "public_registration", "public_registration_verify_email",
        "public_registration_role", "public_registration_email_filter"
        FROM "settings" WHERE "id" = 1"#;
    let row = store
        .fetch_optional(Statement::new(sql, Vec::new()))
        .await?;
    let row = row.ok_or_else(|| Error::internal("the settings have no row"))?;
    Ok(Registration {
        is_open: row.boolean(0)?.unwrap_or_default(),
        verifies_email: row.boolean(1)?.unwrap_or(true),
        role: row.uuid(2)?.map(RoleId),
        email_filter: row.json(3)?.filter(|filter| !filter.is_null()),
    })
}

/// The name of the project.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn project_name(store: &Store) -> Result<String> {
    let sql = r#"SELECT "project_name" FROM "settings" WHERE "id" = 1"#;
    let row = store
        .fetch_optional(Statement::new(sql, Vec::new()))
        .await?;
    row.map_or_else(|| Ok(String::new()), |row| row.word(0))
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
