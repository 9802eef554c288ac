//! What there is to decide over: collections, their fields and how they lead to each other.

/// A collection of the worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Set {
    Users,
    Roles,
    Policies,
    Access,
    Permissions,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Flag,
    Day,
    Moment,
    Id,
    Json,
    List,
    Secret,
    /// The key of one item.
    One(Set),
    /// The items whose field of this name holds the key of the item.
    Many(Set, &'static str),
}

use Kind::{Day, Flag, Id, Json, List, Many, Moment, Number, One, Secret, Text};
use Set::{Access, Permissions, Policies, Roles, Users};

/// The fields of users; those with `x_` are custom ones.
const USERS: &[(&str, Kind)] = &[
    ("id", Id),
    ("first_name", Text),
    ("last_name", Text),
    ("email", Text),
    ("password", Secret),
    ("location", Text),
    ("title", Text),
    ("description", Text),
    ("tags", Json),
    ("avatar", Id),
    ("language", Text),
    ("tfa_secret", Secret),
    ("status", Text),
    ("role", One(Roles)),
    ("token", Secret),
    ("last_access", Moment),
    ("last_page", Text),
    ("provider", Text),
    ("external_identifier", Text),
    ("auth_data", Json),
    ("email_notifications", Flag),
    ("appearance", Text),
    ("theme_dark", Text),
    ("theme_light", Text),
    ("theme_light_overrides", Json),
    ("theme_dark_overrides", Json),
    ("text_direction", Text),
    ("policies", Many(Access, "user")),
    ("x_int", Number),
    ("x_flag", Flag),
    ("x_day", Day),
    ("x_when", Moment),
    ("x_data", Json),
    ("x_list", List),
    ("x_boss", One(Users)),
    ("x_team", Many(Users, "x_boss")),
];

const ROLES: &[(&str, Kind)] = &[
    ("id", Id),
    ("name", Text),
    ("icon", Text),
    ("description", Text),
    ("parent", One(Roles)),
    ("children", Many(Roles, "parent")),
    ("policies", Many(Access, "role")),
    ("users", Many(Users, "role")),
];

const POLICIES: &[(&str, Kind)] = &[
    ("id", Id),
    ("name", Text),
    ("icon", Text),
    ("description", Text),
    ("ip_access", List),
    ("enforce_tfa", Flag),
    ("admin_access", Flag),
    ("app_access", Flag),
    ("permissions", Many(Permissions, "policy")),
    ("users", Many(Access, "policy")),
    ("roles", Many(Access, "policy")),
];

const ACCESS: &[(&str, Kind)] = &[
    ("id", Id),
    ("role", One(Roles)),
    ("user", One(Users)),
    ("policy", One(Policies)),
    ("sort", Number),
];

const PERMISSIONS: &[(&str, Kind)] = &[
    ("id", Number),
    ("collection", Text),
    ("action", Text),
    ("permissions", Json),
    ("validation", Json),
    ("presets", Json),
    ("fields", List),
    ("policy", One(Policies)),
];

impl Set {
    pub(super) const ALL: [Self; 5] = [Users, Roles, Policies, Access, Permissions];
    /// Those first that others lead to.
    pub(super) const ALL_IN_ORDER: [Self; 5] = [Roles, Users, Policies, Access, Permissions];

    /// As the wire says it.
    pub(super) const fn wire(self) -> &'static str {
        match self {
            Users => "directus_users",
            Roles => "directus_roles",
            Policies => "directus_policies",
            Access => "directus_access",
            Permissions => "directus_permissions",
        }
    }

    /// Where it is.
    pub(super) fn path(self) -> String {
        self.wire().replace("directus_", "/")
    }

    pub(super) const fn fields(self) -> &'static [(&'static str, Kind)] {
        match self {
            Users => USERS,
            Roles => ROLES,
            Policies => POLICIES,
            Access => ACCESS,
            Permissions => PERMISSIONS,
        }
    }

    pub(super) fn kind(self, field: &str) -> Option<Kind> {
        let mut fields = self.fields().iter();
        fields
            .find(|(name, _)| *name == field)
            .map(|(_, kind)| *kind)
    }

    /// The fields that worlds vary, and that questions are about.
    pub(super) const fn telling(self) -> &'static [&'static str] {
        match self {
            Users => &[
                "id",
                "first_name",
                "last_name",
                "email",
                "location",
                "title",
                "description",
                "tags",
                "status",
                "role",
                "token",
                "policies",
                "x_int",
                "x_flag",
                "x_day",
                "x_when",
                "x_data",
                "x_list",
                "x_boss",
                "x_team",
            ],
            Roles => &[
                "id",
                "name",
                "description",
                "parent",
                "children",
                "policies",
                "users",
            ],
            Policies => &[
                "id",
                "name",
                "description",
                "ip_access",
                "admin_access",
                "app_access",
                "permissions",
                "users",
                "roles",
            ],
            Access => &["id", "role", "user", "policy", "sort"],
            Permissions => &["id", "collection", "action", "fields", "policy"],
        }
    }
}
