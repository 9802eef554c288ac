//! What somebody may do: policies that hold, and their rules.

use std::net::IpAddr;

use serde_json::{Value as Json, json};

use super::filter::Eyes;
use super::shape::Set;
use super::world::{Row, World, key};

/// A rule that holds for somebody.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) set: String,
    pub(super) action: String,
    pub(super) filter: Json,
    pub(super) validation: Json,
    pub(super) presets: Json,
    pub(super) fields: Vec<String>,
}

/// Somebody, and all that they may do.
#[derive(Debug, Clone, Default)]
pub(super) struct Rights {
    pub(super) user: Option<String>,
    pub(super) role: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) policies: Vec<String>,
    pub(super) is_admin: bool,
    pub(super) has_app: bool,
    /// Whether a policy reaches them on two ways, so that its place is open.
    pub(super) has_rivals: bool,
    pub(super) rules: Vec<Rule>,
}

impl Rule {
    pub(super) fn names(&self, field: &str) -> bool {
        self.fields.iter().any(|name| name == "*" || name == field)
    }
}

/// What an own row shows to whoever may use the app (contract/access-control.md §9).
const OWN: [&str; 20] = [
    "id",
    "first_name",
    "last_name",
    "last_page",
    "email",
    "password",
    "location",
    "title",
    "description",
    "tags",
    "provider",
    "avatar",
    "language",
    "appearance",
    "theme_light",
    "theme_dark",
    "tfa_secret",
    "status",
    "role",
    "preferences_divider",
];

impl Rights {
    /// Those of a user, or of a stranger, at an address (contract/access-control.md §2).
    pub(super) fn of(world: &World, user: Option<&str>, address: &str) -> Self {
        let role = user
            .and_then(|id| world.user(id))
            .map(|row| row["role"].clone());
        let role = role.filter(|role| !role.is_null());
        let roles = role.as_ref().map(|role| world.line(role));
        let roles = roles.unwrap_or_default();
        let mut attached: Vec<(usize, i64, &Row)> = Vec::new();
        let mut flagged = Vec::new();
        for row in world.rows(Set::Access) {
            let sort = row["sort"].as_i64().unwrap_or_default();
            let at = roles.iter().position(|role| row["role"] == **role);
            let is_own = user.is_some_and(|user| row["user"] == user);
            let is_public = roles.is_empty() && row["role"].is_null() && row["user"].is_null();
            let place = match (at, is_own, is_public) {
                (Some(at), ..) => at,
                // What everybody without a role has stands where a role's would.
                (.., true) => 0,
                (_, true, _) => roles.len() + 1,
                _ => continue,
            };
            let Some(policy) = world.row(Set::Policies, &row["policy"]) else {
                continue;
            };
            if !holds_at(&policy["ip_access"], address) {
                continue;
            }
            attached.push((place, sort, policy));
            if !is_public {
                flagged.push(policy);
            }
        }
        attached.sort_by_key(|(place, sort, _)| (*place, *sort));
        let is_admin = flagged.iter().any(|policy| policy["admin_access"] == true);
        let mut rights = Self {
            user: user.map(ToOwned::to_owned),
            role: role.as_ref().map(key),
            roles,
            is_admin,
            has_app: is_admin || flagged.iter().any(|policy| policy["app_access"] == true),
            ..Self::default()
        };
        for (.., policy) in attached {
            let id = key(&policy["id"]);
            if rights.policies.contains(&id) {
                rights.has_rivals = true;
            } else {
                rights.rules.extend(
                    world
                        .many(Set::Policies, "permissions", policy)
                        .iter()
                        .map(|row| rule(row)),
                );
                rights.policies.push(id);
            }
        }
        if rights.has_app {
            rights.rules.extend(minimal());
        }
        rights
    }

    pub(super) fn rules(&self, set: Set, action: &str) -> impl Iterator<Item = &Rule> {
        let of = self.rules.iter();
        of.filter(move |rule| rule.set == set.wire() && rule.action == action)
    }

    /// Whether there is anything they may do of that kind.
    pub(super) fn may(&self, set: Set, action: &str) -> bool {
        self.is_admin || self.rules(set, action).next().is_some()
    }

    /// Whether they may name a field.
    pub(super) fn may_name(&self, set: Set, action: &str, field: &str) -> bool {
        let is_known = set.kind(field).is_some();
        is_known && (self.is_admin || self.rules(set, action).any(|rule| rule.names(field)))
    }

    /// The fields they may name.
    pub(super) fn named(&self, set: Set, action: &str) -> Vec<&'static str> {
        let names = set.fields().iter().map(|(name, _)| *name);
        names
            .filter(|name| self.may_name(set, action, name))
            .collect()
    }

    /// Whether a rule that fits applies to an item.
    pub(super) fn covers(
        &self,
        world: &World,
        (set, action): (Set, &str),
        row: &Row,
        fits: impl Fn(&Rule) -> bool,
    ) -> bool {
        let eyes = Eyes::wide(world, self);
        let applies = |rule: &Rule| fits(rule) && eyes.passes(set, Some(row), &rule.filter);
        self.is_admin || self.rules(set, action).any(applies)
    }

    /// Whether they see what a field of an item holds.
    pub(super) fn shows(&self, world: &World, set: Set, row: &Row, field: &str) -> bool {
        self.covers(world, (set, "read"), row, |rule| rule.names(field))
    }

    /// Whether they see the item at all.
    pub(super) fn sees(&self, world: &World, set: Set, row: &Row) -> bool {
        self.covers(world, (set, "read"), row, |_| true)
    }
}

fn rule(row: &Row) -> Rule {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let fields = row["fields"].as_array().into_iter().flatten();
    Rule {
        set: text("collection"),
        action: text("action"),
        filter: row["permissions"].clone(),
        validation: row["validation"].clone(),
        presets: row["presets"].clone(),
        fields: fields
            .filter_map(Json::as_str)
            .map(ToOwned::to_owned)
            .collect(),
    }
}

/// What comes with the app.
fn minimal() -> [Rule; 2] {
    let read = |set: Set, filter, fields: &[&str]| Rule {
        set: set.wire().to_owned(),
        action: "read".to_owned(),
        filter,
        validation: Json::Null,
        presets: Json::Null,
        fields: fields.iter().map(|&name| name.to_owned()).collect(),
    };
    [
        read(Set::Roles, json!({"id": {"_in": "$CURRENT_ROLES"}}), &["*"]),
        read(Set::Users, json!({"id": {"_eq": "$CURRENT_USER"}}), &OWN),
    ]
}

/// Whether a list of addresses, ranges and blocks has an address in it; an empty one has all.
fn holds_at(list: &Json, address: &str) -> bool {
    let Some(list) = list.as_array().filter(|list| !list.is_empty()) else {
        return true;
    };
    let number = |text: &str| match text.parse().expect("an address") {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    let bits = |text: &str| if text.contains(':') { 128 } else { 32 };
    list.iter().filter_map(Json::as_str).any(|entry| {
        let first = entry.split(['-', '/']).next().unwrap_or_default();
        if bits(first) != bits(address) {
            return false;
        }
        match (entry.split_once('-'), entry.split_once('/')) {
            (Some((low, high)), _) => (number(low)..=number(high)).contains(&number(address)),
            (_, Some((net, length))) => {
                let shift = bits(net) - length.parse::<u32>().expect("a length");
                let cut = |text: &str| number(text).checked_shr(shift).unwrap_or(0);
                cut(net) == cut(address)
            }
            _ => number(entry) == number(address),
        }
    })
}
