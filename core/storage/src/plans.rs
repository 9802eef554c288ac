//! The texts of the commonest statements: one record by its id, without further conditions.
//!
//! The text depends on nothing but the kind of read and the fields, and these are its key; the id
//! is bound. Anything with a condition is put together anew.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use roster_domain::Collection;

use crate::statement::Statement;

/// Which statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Plan {
    /// The fields of a record.
    Read,
    /// The fields of a record and its version.
    Load,
}

/// More combinations of fields than any client uses; beyond that the cache starts anew.
const MOST: usize = 1_000;

type Key = (Plan, Collection, u64, Vec<usize>);

/// The texts that were put together so far.
#[derive(Debug, Default)]
pub(crate) struct Plans(RwLock<HashMap<Key, Arc<str>>>);

impl Plans {
    /// The text for these fields of the schema of that epoch, if it was made before.
    pub(crate) fn known(&self, key: &Key) -> Option<Arc<str>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(key).map(Arc::clone)
    }

    /// Keeps the text of a statement.
    pub(crate) fn remember(&self, key: Key, statement: Statement) -> Arc<str> {
        let text: Arc<str> = statement.into_text().into();
        let mut plans = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= MOST {
            plans.clear();
        }
        plans.insert(key, Arc::clone(&text));
        text
    }
}
