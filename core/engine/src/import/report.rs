use roster_domain::Problem;
use serde::Serialize;
use uuid::Uuid;

/// What came of one row.
#[derive(Debug, Clone, Serialize)]
pub struct ImportedRow {
    /// Its number; 1 is the first after the header.
    pub row: u64,
    /// What was done with it.
    pub outcome: ImportOutcome,
    /// The user it made or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Why it was refused.
    #[serde(rename = "errors", skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// What is done with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportOutcome {
    /// A user was made.
    Created,
    /// A user was changed.
    Updated,
    /// The user was there already.
    Skipped,
    /// It was refused.
    Failed,
}

/// What came of a file so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportSummary {
    /// Whether nothing was stored.
    pub dry_run: bool,
    /// How many rows were looked at.
    pub rows: u64,
    /// How many users were made.
    pub created: u64,
    /// How many were changed.
    pub updated: u64,
    /// How many were there already.
    pub skipped: u64,
    /// How many rows were refused.
    pub failed: u64,
    /// Where to go on after a row was refused; nothing at the end of the file.
    pub next_row: Option<u64>,
}
