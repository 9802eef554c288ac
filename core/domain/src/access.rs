//! May you: the only maker of a [`Grant`].

use std::fmt;

use crate::{Error, Filter, Principal, Reason, Result, Schema};

/// What is done to records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Action {
    Create,
    Read,
    Update,
    Delete,
}

impl Action {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// What the API addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Collection {
    Users,
    Roles,
    Policies,
    Access,
    Settings,
}

impl Collection {
    /// The name on the wire (design: the reference server's).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Users => "directus_users",
            Self::Roles => "directus_roles",
            Self::Policies => "directus_policies",
            Self::Access => "directus_access",
            Self::Settings => "directus_settings",
        }
    }

    /// The name of the table, in configuration and in plugins.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Roles => "roles",
            Self::Policies => "policies",
            Self::Access => "access",
            Self::Settings => "settings",
        }
    }
}

impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the policies of a principal come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights {
    /// Everything is allowed.
    pub admin_access: bool,
    /// The app may be used.
    pub app_access: bool,
}

/// Which fields a grant reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fields {
    All,
}

/// Proof that an action on a collection is permitted, and its limits.
///
/// Storage takes nothing else: its filter goes into every statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    collection: Collection,
    action: Action,
    filter: Filter,
    fields: Fields,
}

/// Whether this principal may do this at all, and how far.
///
/// # Errors
/// `FORBIDDEN`, with the same text whether the collection exists or not.
pub fn authorize(
    principal: &Principal,
    rights: Rights,
    action: Action,
    collection: Collection,
) -> Result<Grant> {
    match principal {
        Principal::User { .. } if rights.admin_access => Ok(Grant::all(action, collection)),
        Principal::System(reason) => Ok(Grant::system(*reason, action, collection)),
        Principal::User { .. } | Principal::Public => {
            Err(Error::forbidden_collection(collection.as_str()))
        }
    }
}

impl Grant {
    const fn all(action: Action, collection: Collection) -> Self {
        Self {
            collection,
            action,
            filter: Filter::Everything,
            fields: Fields::All,
        }
    }

    /// A grant without limits, for the server itself. Its uses are listed by a test.
    pub const fn system(_reason: Reason, action: Action, collection: Collection) -> Self {
        Self::all(action, collection)
    }

    /// The collection.
    pub const fn collection(&self) -> Collection {
        self.collection
    }

    /// The action.
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Which records it reaches.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether it reaches a field.
    pub const fn allows(&self, _field: &str) -> bool {
        match self.fields {
            Fields::All => true,
        }
    }

    /// The positions of the fields it reaches.
    pub fn visible(&self, schema: &Schema) -> Vec<usize> {
        let fields = schema.fields().iter().enumerate();
        fields
            .filter(|(_, field)| self.allows(&field.name))
            .map(|(index, _)| index)
            .collect()
    }

    /// Refuses unless this is a grant for that action: a read grant does not write.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn permits(&self, action: Action, collection: Collection) -> Result<()> {
        if self.action == action && self.collection == collection {
            Ok(())
        } else {
            Err(Error::forbidden_collection(collection.as_str()))
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::UserId;

    const ACTIONS: [Action; 4] = [Action::Create, Action::Read, Action::Update, Action::Delete];

    fn user() -> Principal {
        Principal::User {
            id: UserId(Uuid::from_u128(1)),
            role: None,
            session: None,
        }
    }

    #[test]
    fn nothing_is_granted_by_default() {
        let app = Rights {
            admin_access: false,
            app_access: true,
        };

        for action in ACTIONS {
            assert!(
                authorize(
                    &Principal::Public,
                    Rights::default(),
                    action,
                    Collection::Users
                )
                .is_err()
            );
            assert!(authorize(&user(), Rights::default(), action, Collection::Users).is_err());
            assert!(authorize(&user(), app, action, Collection::Users).is_err());
        }
    }

    #[test]
    fn admin_access_never_helps_the_public() {
        let admin = Rights {
            admin_access: true,
            app_access: true,
        };

        assert!(authorize(&Principal::Public, admin, Action::Read, Collection::Users).is_err());
        assert!(authorize(&user(), admin, Action::Read, Collection::Users).is_ok());
    }

    #[test]
    fn a_grant_is_good_for_its_own_action_only() {
        let grant = Grant::system(Reason::CommandLine, Action::Read, Collection::Users);

        assert!(grant.permits(Action::Read, Collection::Users).is_ok());
        assert!(grant.permits(Action::Update, Collection::Users).is_err());
    }
}
