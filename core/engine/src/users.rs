//! The users collection, one use case a file.

pub(crate) mod batch;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod read;
pub(crate) mod track;
pub(crate) mod update;

use roster_domain::Item;

/// A page of records with the counts that were asked for.
#[derive(Debug, Clone)]
pub struct List {
    /// The records.
    pub items: Vec<Item>,
    /// Of the records the principal may read.
    pub total_count: Option<u64>,
    /// Of those that pass the filter.
    pub filter_count: Option<u64>,
}
