//! [`Filter`] → WHERE.

use roster_domain::filter::{Case, Pattern, Test};
use roster_domain::{Field, Filter, Schema, Value};
use sea_query::{Cond, Expr, ExprTrait};

use crate::dialect::Dialect;
use crate::select::name;

/// The condition of a filter. A field that does not exist matches nothing.
pub(crate) fn condition(dialect: Dialect, schema: &Schema, filter: &Filter) -> Cond {
    match filter {
        Filter::Everything => Cond::all(),
        Filter::And(parts) => parts.iter().fold(Cond::all(), |all, part| {
            all.add(condition(dialect, schema, part))
        }),
        Filter::Or(parts) => parts.iter().fold(Cond::any(), |any, part| {
            // An empty part holds for everything; sea-query would leave it out.
            match part {
                Filter::Everything => any.add(Expr::val(true).eq(true)),
                part => any.add(condition(dialect, schema, part)),
            }
        }),
        Filter::Field(field, test) => match schema.field(field) {
            Some(field) => Cond::all().add(compare(dialect, schema, field, test)),
            None => Cond::all().add(nothing()),
        },
    }
}

fn nothing() -> Expr {
    Expr::val(1).eq(0)
}

fn compare(dialect: Dialect, schema: &Schema, field: &Field, test: &Test) -> Expr {
    let column = || name(schema.collection(), &field.name);
    let bound = |value: &Value| Expr::val(dialect.bind(field.kind, value));
    let list = |values: &[Value]| values.iter().map(bound).collect::<Vec<_>>();
    match test {
        Test::Equals(value) => column().eq(bound(value)),
        Test::Differs(value) => column().ne(bound(value)),
        Test::Less(value) => column().lt(bound(value)),
        Test::LessOrEqual(value) => column().lte(bound(value)),
        Test::Greater(value) => column().gt(bound(value)),
        Test::GreaterOrEqual(value) => column().gte(bound(value)),
        Test::Between(low, high) => column().between(bound(low), bound(high)),
        Test::Outside(low, high) => column().not_between(bound(low), bound(high)),
        Test::OneOf(values) if values.is_empty() => nothing(),
        Test::OneOf(values) => column().is_in(list(values)),
        Test::NoneOf(values) if values.is_empty() => column().is_not_null(),
        Test::NoneOf(values) => column().is_not_in(list(values)),
        Test::Null => column().is_null(),
        Test::NotNull => column().is_not_null(),
        Test::Empty => column().is_null().or(column().eq("")),
        Test::NotEmpty => column().is_not_null().and(column().ne("")),
        Test::Has(pattern) => has(dialect, column(), pattern),
        Test::HasNot(pattern) => has(dialect, column(), pattern).not(),
    }
}

fn has(dialect: Dialect, column: Expr, pattern: &Pattern) -> Expr {
    match pattern.case {
        Case::Sensitive => dialect.has(column, pattern.place, &pattern.text),
        Case::Folded => dialect.has_folded(column, pattern.place, &pattern.text),
    }
}
