//! `sqlx::Error` → [`Error`], by the name of the constraint.

use roster_domain::{Code, Error};

/// Which rule of the schema a write broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Violation {
    /// Another row has the value of this column.
    Unique { table: String, column: String },
    /// The row pointed at does not exist; SQLite does not say which column it was.
    ForeignKey,
}

/// The broken rule, if that is what the error says.
pub(crate) fn violation(error: &sqlx::Error) -> Option<Violation> {
    let database = error.as_database_error()?;
    if database.is_foreign_key_violation() {
        return Some(Violation::ForeignKey);
    }
    if !database.is_unique_violation() {
        return None;
    }
    let (table, column) = if let Some(name) = database.constraint() {
        // PostgreSQL: the index, `<table>_<column>_unique`, or `<table>_pkey`.
        let (table, rest) = name.split_once('_')?;
        (table, rest.strip_suffix("_unique").unwrap_or("id"))
    } else {
        // SQLite: "UNIQUE constraint failed: users.email_key"; of several columns the last one counts.
        let columns = database.message().rsplit_once(": ")?.1;
        columns.rsplit(", ").next()?.split_once('.')?
    };
    Some(Violation::Unique {
        table: table.to_owned(),
        column: column.to_owned(),
    })
}

/// The error for the caller, where no rule of the schema was broken.
pub(crate) fn from_sqlx(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => {
            Error::unavailable("database", "it does not answer").because(error)
        }
        sqlx::Error::Database(database) if is_contention(database.as_ref()) => {
            Error::from(Code::Conflict).because(error)
        }
        _ => Error::internal(error),
    }
}

/// Serialisation failure, deadlock, lock not available (PostgreSQL); busy (SQLite).
fn is_contention(error: &dyn sqlx::error::DatabaseError) -> bool {
    matches!(
        error.code().as_deref(),
        Some("40001" | "40P01" | "55P03" | "5" | "517" | "261")
    )
}
