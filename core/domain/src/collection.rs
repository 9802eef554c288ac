//! What the API addresses.

use std::fmt;

/// A collection of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Collection {
    Users,
    Roles,
    Policies,
    Access,
    Permissions,
    Fields,
    Relations,
    Collections,
    Settings,
    Activity,
    Revisions,
    Files,
}

impl Collection {
    /// All of them, in the order of the document.
    pub const ALL: [Self; 12] = [
        Self::Users,
        Self::Roles,
        Self::Policies,
        Self::Access,
        Self::Permissions,
        Self::Fields,
        Self::Relations,
        Self::Collections,
        Self::Settings,
        Self::Activity,
        Self::Revisions,
        Self::Files,
    ];

    /// The name on the wire (design: the reference server's).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Users => "directus_users",
            Self::Roles => "directus_roles",
            Self::Policies => "directus_policies",
            Self::Access => "directus_access",
            Self::Permissions => "directus_permissions",
            Self::Fields => "directus_fields",
            Self::Relations => "directus_relations",
            Self::Collections => "directus_collections",
            Self::Settings => "directus_settings",
            Self::Activity => "directus_activity",
            Self::Revisions => "directus_revisions",
            Self::Files => "directus_files",
        }
    }

    /// The name of the table, in configuration and in plugins.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Roles => "roles",
            Self::Policies => "policies",
            Self::Access => "access",
            Self::Permissions => "permissions",
            Self::Fields => "fields",
            Self::Relations => "relations",
            Self::Collections => "collections",
            Self::Settings => "settings",
            Self::Activity => "activity",
            Self::Revisions => "revisions",
            Self::Files => "files",
        }
    }

    /// The collection of that name, the short one included.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|collection| collection.as_str() == name || collection.table() == name)
    }

    /// Whether what principals may do depends on its records.
    pub const fn is_decisive(self) -> bool {
        matches!(
            self,
            Self::Roles | Self::Policies | Self::Access | Self::Permissions
        )
    }
}

impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
