//! The texts of the commonest statements: one record by its id, without further conditions.
//!
//! The text depends on nothing but the kind of read and the fields, and these are its key; the id
//! is bound. Anything with a condition is put together anew.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use roster_domain::Collection;
use sea_query::Value as Bound;

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

/// A statement without its last value, which is the id.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    text: Arc<str>,
    values: Arc<[Bound]>,
}

impl Planned {
    /// The statement for a record.
    pub(crate) fn of(&self, id: Bound) -> Statement {
        let values = self.values.iter().cloned().chain(std::iter::once(id));
        Statement::planned(Arc::clone(&self.text), values.collect())
    }
}

/// The statements that were put together so far.
#[derive(Debug, Default)]
pub(crate) struct Plans(RwLock<HashMap<Key, Planned>>);

impl Plans {
    /// The statement for these fields of the schema of that epoch, if it was made before.
    pub(crate) fn known(&self, key: &Key) -> Option<Planned> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(key).cloned()
    }

    /// Keeps a statement whose last value is the id.
    pub(crate) fn remember(&self, key: Key, statement: Statement) -> Planned {
        let (text, mut values) = statement.into_parts();
        values.pop();
        let planned = Planned {
            text: text.into(),
            values: values.into(),
        };
        let mut plans = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= MOST {
            plans.clear();
        }
        plans.insert(key, planned.clone());
        planned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_kept_once_for_each_key_and_the_cache_is_bounded() {
        let plans = Plans::default();
        let keep = |plan, epoch, fields| {
            let key = (plan, Collection::Users, epoch, fields);
            let statement = Statement::new("SELECT 1", vec![Bound::Int(Some(1))]);
            plans.remember(key, statement)
        };
        let known = |plan, epoch| {
            plans
                .known(&(plan, Collection::Users, epoch, vec![0]))
                .is_some()
        };

        keep(Plan::Read, 1, vec![0]);
        assert!(known(Plan::Read, 1) && !known(Plan::Load, 1) && !known(Plan::Read, 2));
        for field in 0..2 * MOST {
            keep(Plan::Read, 1, vec![field]);
        }

        assert!(plans.0.read().expect("readable").len() <= MOST);
    }
}
