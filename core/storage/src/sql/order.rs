//! `ORDER BY`.

use roster_domain::Result;
use roster_domain::filter::Operand;
use roster_domain::query::{Direction, Sort};
use sea_query::{Expr, NullOrdering, Order};

use super::{Scope, Sql};
use crate::dialect::Part;

/// A value, its direction, and where nulls come.
type OrderKey = (Expr, Order, Option<NullOrdering>);

impl Sql<'_> {
    /// The keys of an order; the id comes last, so that pages never overlap. Nulls come first when
    /// ascending.
    pub(crate) fn order(&self, scope: &Scope<'_>, sort: &[Sort]) -> Result<Vec<OrderKey>> {
        let mut keys = Vec::with_capacity(sort.len() + 1);
        let mut ends = false;
        for key in sort {
            if key.operand.inside.is_some() {
                keys.extend(self.order_inside(scope, key)?);
                continue;
            }
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

    /// Values inside of JSON by their types, and within a type by value: nothing, booleans, numbers,
    /// texts, then what has parts of its own.
    fn order_inside(&self, scope: &Scope<'_>, key: &Sort) -> Result<Vec<OrderKey>> {
        let (direction, nulls) = match key.direction {
            Direction::Ascending => (Order::Asc, NullOrdering::First),
            Direction::Descending => (Order::Desc, NullOrdering::Last),
        };
        let parts = [Part::Rank, Part::Boolean, Part::Number, Part::Text].into_iter();
        parts
            .map(|part| {
                let value = self.part(scope, &key.operand, Some(part))?;
                Ok((value, direction.clone(), Some(nulls)))
            })
            .collect()
    }
}
