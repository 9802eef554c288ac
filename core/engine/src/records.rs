//! Records of every collection: reading, making, changing and removing them.

pub(crate) mod batch;
mod checks;
pub(crate) mod collections;
mod escalation;
pub(crate) mod plan;
pub(crate) mod read;
mod revive;
pub(crate) mod store;
pub(crate) mod track;
mod users;
pub(crate) mod write;

use roster_domain::Item;
use serde_json::{Map, Value as Json};

/// A page of records with the counts that were asked for.
#[derive(Debug, Clone)]
pub struct List {
    /// The records.
    pub items: Items,
    /// Of the records the principal may read.
    pub total_count: Option<u64>,
    /// Of those that pass the filter.
    pub filter_count: Option<u64>,
}

/// What a list has.
#[derive(Debug, Clone)]
pub struct Outline {
    /// The columns, with dots where records are nested; none for groups and bare keys.
    pub columns: Vec<String>,
    /// How many records at most.
    pub limit: Option<u64>,
    /// How many are left out at the start.
    pub offset: u64,
}

/// Records, or what is said of groups of them.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(untagged)]
pub enum Items {
    /// The records.
    Records(Vec<Item>),
    /// The groups.
    Groups(Vec<Map<String, Json>>),
}

impl Items {
    /// How many there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::Records(items) => items.len(),
            Self::Groups(groups) => groups.len(),
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl List {
    pub(crate) const fn of(items: Vec<Item>) -> Self {
        Self {
            items: Items::Records(items),
            total_count: None,
            filter_count: None,
        }
    }
}
