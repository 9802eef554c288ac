//! What a mail looks like, with values made up: for operators who write templates.

use std::path::Path;

use roster_domain::Result;
use serde_json::{Map, Value as Json, json};

use super::templates::{NAMES, Templates};

/// A mail as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// The names of the mails that there are.
pub const MAILS: [&str; 4] = NAMES;

/// Renders a mail in a language, with the operator's templates where there are any.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR`, naming the template that cannot be understood.
pub fn preview(folder: Option<&Path>, name: &str, language: &str) -> Result<Preview> {
    let facts = json!({
        "project_name": "Roster",
        "project_url": "https://users.example.com",
        "project_color": "#6644FF",
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "url": "https://users.example.com/page?token=eyJ…",
        "event": "password",
        "time": "2026-01-31T10:11:12.345Z",
        "ip": "192.0.2.1",
    });
    let facts: Map<String, Json> = facts.as_object().cloned().unwrap_or_default();
    let written = Templates::load(folder)?.render(name, &[language], &facts)?;
    Ok(Preview {
        subject: written.subject,
        text: written.text,
        html: written.html,
    })
}
