//! Whom mails are for. Looked up before a grant can exist: by the address that somebody typed, or
//! for the user that a write was about.

use roster_domain::{Result, RoleId, UserId};

use crate::row::Row;
use crate::statement::Statement;
use crate::store::{Store, Tx};

const BY_ID: &str = r#"SELECT "id", "email", "status", "role", "provider", "roster_generation",
    "language", "first_name", "last_name" FROM "users" WHERE "id" = $1 AND "email" IS NOT NULL"#;

/// A user whom mails are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The user.
    pub id: UserId,
    /// The address as it is stored; a mail goes nowhere else.
    pub email: String,
    /// Their status.
    pub status: String,
    /// Their role.
    pub role: Option<RoleId>,
    /// The provider they log in by.
    pub provider: String,
    /// Raised whenever something changes that tokens and rights depend on.
    pub generation: i64,
    /// The language they chose.
    pub language: Option<String>,
    /// Their first name.
    pub first_name: Option<String>,
    /// Their last name.
    pub last_name: Option<String>,
}

/// The user with this normalised e-mail, as far as mails need it.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn recipient(store: &Store, email_key: &str) -> Result<Option<Recipient>> {
    let statement = Statement::new(
        r#"SELECT "id", "email", "status", "role", "provider", "roster_generation", "language",
        "first_name", "last_name" FROM "users" WHERE "email_key" = $1"#,
        vec![email_key.into()],
    );
    read_recipient(store.fetch_optional(statement).await?)
}

/// The user of that id, as far as mails need it; nobody without an address.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn recipient_of(store: &Store, user: UserId) -> Result<Option<Recipient>> {
    let statement = Statement::new(BY_ID, vec![store.dialect().uuid(user.0)]);
    read_recipient(store.fetch_optional(statement).await?)
}

/// The user of that id, as far as mails need it, read in the transaction that writes one; nobody
/// without an address.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn recipient_within(tx: &mut Tx, user: UserId) -> Result<Option<Recipient>> {
    let statement = Statement::new(BY_ID, vec![tx.dialect().uuid(user.0)]);
    read_recipient(tx.fetch(statement).await?.pop())
}

fn read_recipient(row: Option<Row>) -> Result<Option<Recipient>> {
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(Recipient {
        id: UserId(row.id(0)?),
        email: row.word(1)?,
        status: row.word(2)?,
        role: row.uuid(3)?.map(RoleId),
        provider: row.word(4)?,
        generation: row.count(5)?,
        language: row.text(6)?,
        first_name: row.text(7)?,
        last_name: row.text(8)?,
    }))
}
