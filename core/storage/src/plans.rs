//! The texts of the commonest statements: one record by its id, without further conditions.
//!
//! The text depends on nothing but the kind of read and the fields, and these are its key; the id
//! is bound. Anything with a condition is put together anew.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

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

type Key = (Plan, u64, Vec<usize>);

/// The texts that were put together so far.
#[derive(Debug, Default)]
pub(crate) struct Plans(RwLock<HashMap<Key, Arc<str>>>);

impl Plans {
    /// The text for these fields of the schema of that epoch, made by `build` the first time.
    pub(crate) fn text(&self, key: Key, build: impl FnOnce() -> Statement) -> Arc<str> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.get(&key) {
            return Arc::clone(text);
        }
        drop(known);
        let text: Arc<str> = build().into_text().into();
        let mut plans = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= MOST {
            plans.clear();
        }
        plans.insert(key, Arc::clone(&text));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_put_together_once_for_each_key_and_the_cache_is_bounded() {
        let plans = Plans::default();
        let text = |plan, epoch, fields| {
            plans.text((plan, epoch, fields), || {
                Statement::new("SELECT 1", Vec::new())
            })
        };

        let first = text(Plan::Read, 1, vec![0]);
        assert!(Arc::ptr_eq(&first, &text(Plan::Read, 1, vec![0])));
        assert!(!Arc::ptr_eq(&first, &text(Plan::Load, 1, vec![0])));
        assert!(!Arc::ptr_eq(&first, &text(Plan::Read, 2, vec![0])));
        for field in 0..2 * MOST {
            text(Plan::Read, 1, vec![field]);
        }

        assert!(plans.0.read().expect("readable").len() <= MOST);
    }
}
