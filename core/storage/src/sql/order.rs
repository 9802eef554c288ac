//! `ORDER BY`.

use roster_domain::Result;
use roster_domain::filter::Operand;
use roster_domain::query::{Direction, Sort};
use sea_query::{Expr, NullOrdering, Order};

use super::{Scope, Sql};

impl Sql<'_> {
    /// The keys of an order; the id comes last, so that pages never overlap. Nulls come first when
    /// ascending.
    pub(crate) fn order(
        &self,
        scope: &Scope<'_>,
        sort: &[Sort],
    ) -> Result<Vec<(Expr, Order, Option<NullOrdering>)>> {
        let mut keys = Vec::with_capacity(sort.len() + 1);
        let mut ends = false;
        for key in sort {
            let value = self.value(scope, &key.operand)?;
            // One that is hidden somewhere tells nothing apart there.
            let is_id = key.operand == Operand::field("id") && value == scope.column("id");
            ends |= is_id;
            let nulls = |nulls| (!is_id).then_some(nulls);
            keys.push(match key.direction {
                Direction::Ascending => (value, Order::Asc, nulls(NullOrdering::First)),
                Direction::Descending => (value, Order::Desc, nulls(NullOrdering::Last)),
            });
        }
        if !ends {
            keys.push((scope.column("id"), Order::Asc, None));
        }
        Ok(keys)
    }
}
