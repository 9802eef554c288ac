//! `[users]`, `[roles]`, `[query]` and `[graphql]`: what users and lists of them do.

use super::raw::{Bad, Raw, any_text, choice, flag, list, whole};
use super::reader::Reader;
use super::units::{ByteSize, size};

/// `[users]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Users {
    /// What making a user with an archived user's address does.
    pub on_archived_email: OnArchivedEmail,
    /// Fields that a registration may set beside e-mail, password and names.
    pub register_fields: Vec<String>,
    /// Statuses beside the six known ones, each of at most 16 characters.
    pub statuses: Vec<String>,
    /// The largest file of users that is taken in.
    pub import_max_size: ByteSize,
}

/// Takes a status that fits its column.
fn status(text: &str) -> Result<String, Bad> {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    if (1..=16).contains(&text.len()) && text.chars().all(is_word) {
        Ok(text.into())
    } else {
        Err(Bad::expected(
            "words of at most 16 lower-case letters, digits, `-` and `_`",
        ))
    }
}

/// What making a user with an archived user's address does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnArchivedEmail {
    /// It is refused as any address that is taken.
    Reject,
    /// It revives that user with the new details.
    Inherit,
}

impl Users {
    pub(super) fn read(reader: &mut Reader) -> Self {
        const ARCHIVED: &[(&str, OnArchivedEmail)] = &[
            ("reject", OnArchivedEmail::Reject),
            ("inherit", OnArchivedEmail::Inherit),
        ];
        Self {
            on_archived_email: reader.read("users.on_archived_email", choice(ARCHIVED)),
            register_fields: reader.read("users.register_fields", list(any_text)),
            statuses: reader.read("users.statuses", list(status)),
            import_max_size: reader.read("users.import_max_size", size),
        }
    }
}

/// `[roles]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    /// What deleting a role does to its users.
    pub on_delete: OnRoleDelete,
}

/// What deleting a role does to its users, who have none then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRoleDelete {
    /// They are suspended.
    Suspend,
    /// They keep their status.
    Keep,
}

impl Roles {
    pub(super) fn read(reader: &mut Reader) -> Self {
        const DELETE: &[(&str, OnRoleDelete)] = &[
            ("suspend", OnRoleDelete::Suspend),
            ("keep", OnRoleDelete::Keep),
        ];
        Self {
            on_delete: reader.read("roles.on_delete", choice(DELETE)),
        }
    }
}

/// `[query]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Items of a list when the client names no limit; none is all.
    pub default_limit: Option<u64>,
    /// Most items of a list; none is no maximum.
    pub max_limit: Option<u64>,
}

impl Query {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            default_limit: reader.read("query.default_limit", limit),
            max_limit: reader.read("query.max_limit", limit),
        }
    }
}

fn limit(raw: &Raw<'_>) -> Result<Option<u64>, Bad> {
    let found: i64 = whole(-1..=i64::MAX)(raw).unwrap_or(0);
    match found {
        0 => Err(Bad::expected("a whole number above zero, or -1 for none")),
        number => Ok(u64::try_from(number).ok()),
    }
}

/// `[graphql]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphQl {
    /// Whether the schema can be asked for.
    pub introspection: bool,
    /// Deepest nesting of a query.
    pub max_depth: u32,
    /// Most fields of a query.
    pub max_complexity: u32,
}

impl GraphQl {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            introspection: reader.read("graphql.introspection", flag),
            max_depth: reader.read("graphql.max_depth", whole(1..=1_000)),
            max_complexity: reader.read("graphql.max_complexity", whole(1..=1_000_000)),
        }
    }
}
