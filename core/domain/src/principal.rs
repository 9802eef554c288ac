//! Who acts.

use crate::{RoleId, SessionId, UserId};

/// Who acts on a request. No credentials mean [`Principal::Public`], never the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Nobody in particular.
    Public,
    /// A user who proved who they are.
    User {
        /// The user.
        id: UserId,
        /// Their role.
        role: Option<RoleId>,
        /// The session, unless a static token was used.
        session: Option<SessionId>,
    },
    /// The server itself, for one of a few reasons.
    System(Reason),
}

/// Why the server acts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It makes the first administrator.
    Bootstrap,
    /// Somebody logs in, and is not known before.
    Login,
    /// Somebody registers, or proves that an address is theirs.
    Register,
    /// Somebody accepts an invitation.
    Invite,
    /// Somebody sets a new password by mail.
    Reset,
    /// A user is locked out.
    Lockout,
    /// The operator uses the command line.
    CommandLine,
    /// A permission compares with what the user or their role has.
    Variables,
    /// Somebody reads what they brought in themselves.
    Ownership,
    /// A record is deleted, and others point at it.
    Consequence,
}

impl Reason {
    /// The word in logs and in hook contexts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::Login => "login",
            Self::Register => "register",
            Self::Invite => "invite",
            Self::Reset => "reset",
            Self::Lockout => "lockout",
            Self::CommandLine => "command_line",
            Self::Variables => "variables",
            Self::Ownership => "ownership",
            Self::Consequence => "consequence",
        }
    }
}

impl Principal {
    /// The user, if it is one.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Public | Self::System(_) => None,
        }
    }
}
