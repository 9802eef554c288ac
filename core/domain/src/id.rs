//! Typed ids. Made by the engine as `UUIDv7`; any UUID from a client is accepted on create.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Value;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Reads the usual hyphenated form, in either case.
            pub fn parse(text: &str) -> Option<Self> {
                (text.len() == 36).then(|| Uuid::parse_str(text).ok().map(Self)).flatten()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

id! {
    /// The id of a user.
    UserId,
    /// The id of a role.
    RoleId,
    /// The id of a policy.
    PolicyId,
    /// The id of a session.
    SessionId,
}

/// The key of a record, whatever its collection counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A UUID.
    Uuid(Uuid),
    /// A number that the database counts up.
    Serial(i64),
}

impl Key {
    /// The UUID, if it is one.
    pub const fn uuid(self) -> Option<Uuid> {
        match self {
            Self::Uuid(uuid) => Some(uuid),
            Self::Serial(_) => None,
        }
    }

    /// The key as a value of its field.
    pub const fn value(self) -> Value {
        match self {
            Self::Uuid(uuid) => Value::Uuid(uuid),
            Self::Serial(number) => Value::Integer(number),
        }
    }

    /// The key that a value holds.
    pub const fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Uuid(uuid) => Some(Self::Uuid(*uuid)),
            Value::Integer(number) => Some(Self::Serial(*number)),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(uuid) => uuid.fmt(f),
            Self::Serial(number) => number.fmt(f),
        }
    }
}

impl From<UserId> for Key {
    fn from(id: UserId) -> Self {
        Self::Uuid(id.0)
    }
}
