//! The items of a world, in memory.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::shape::{Kind, Set};

/// An item: what each of its stored fields holds.
pub(super) type Row = Map<String, Json>;

/// All items, by collection and key.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) tables: BTreeMap<Set, BTreeMap<String, Row>>,
}

/// A key as text that sorts as the key does.
pub(super) fn key(id: &Json) -> String {
    match id {
        Json::String(text) => text.clone(),
        Json::Number(number) => format!("{:0>12}", number.to_string()),
        _ => String::new(),
    }
}

/// A key as an address has it.
pub(super) fn plain(id: &Json) -> String {
    match id {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl World {
    pub(super) fn rows(&self, set: Set) -> impl Iterator<Item = &Row> {
        self.tables.get(&set).into_iter().flat_map(BTreeMap::values)
    }

    pub(super) fn row(&self, set: Set, id: &Json) -> Option<&Row> {
        self.tables.get(&set)?.get(&key(id))
    }

    pub(super) fn user(&self, id: &str) -> Option<&Row> {
        self.tables.get(&Set::Users)?.get(id)
    }

    pub(super) fn put(&mut self, set: Set, row: Row) {
        let table = self.tables.entry(set).or_default();
        table.insert(key(&row["id"]), row);
    }

    /// The items of a list.
    pub(super) fn many(&self, set: Set, field: &str, row: &Row) -> Vec<&Row> {
        let Some(Kind::Many(from, back)) = set.kind(field) else {
            return Vec::new();
        };
        let rows = self.rows(from);
        rows.filter(|other| other[back] == row["id"]).collect()
    }

    /// A role and those above it, the root first.
    pub(super) fn line(&self, role: &Json) -> Vec<String> {
        let mut line = Vec::new();
        let mut next = self.row(Set::Roles, role);
        while let Some(row) = next {
            line.insert(0, key(&row["id"]));
            next = self.row(Set::Roles, &row["parent"]);
        }
        line
    }

    /// Whether a user administers, from wherever.
    pub(super) fn administers(&self, user: &Row) -> bool {
        let roles = self.line(&user["role"]);
        self.rows(Set::Access).any(|row| {
            let is_theirs = row["user"] == user["id"] || roles.iter().any(|id| row["role"] == **id);
            let policy = self.row(Set::Policies, &row["policy"]);
            is_theirs && policy.is_some_and(|policy| policy["admin_access"] == true)
        })
    }

    /// Removes a user, and what goes with them.
    pub(super) fn remove_user(&mut self, id: &str) {
        let table = |world: &mut Self, set| world.tables.remove(&set).unwrap_or_default();
        let mut users = table(self, Set::Users);
        users.remove(id);
        for user in users.values_mut() {
            if user["x_boss"] == id {
                user["x_boss"] = Json::Null;
            }
        }
        let mut access = table(self, Set::Access);
        access.retain(|_, row| row["user"] != id);
        self.tables.insert(Set::Users, users);
        self.tables.insert(Set::Access, access);
    }
}
