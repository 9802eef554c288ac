//! The status of a user (contract/users.md §2).

/// The statuses the server itself acts on. Others may be configured; only `active` authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the wire's")]
pub enum Status {
    Draft,
    Invited,
    Unverified,
    Active,
    Suspended,
    Archived,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Draft,
        Self::Invited,
        Self::Unverified,
        Self::Active,
        Self::Suspended,
        Self::Archived,
    ];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Invited => "invited",
            Self::Unverified => "unverified",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Archived => "archived",
        }
    }
}
