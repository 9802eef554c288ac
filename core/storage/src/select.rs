//! SELECT statements from a [`Query`].

use roster_domain::field::Column;
use roster_domain::query::{Direction, Sort};
use roster_domain::{Collection, Field, Filter, Grant, Item, Projection, Result, Schema};
use sea_query::{Alias, Cond, Expr, ExprTrait, Order, SelectStatement};
use std::sync::Arc;

use crate::dialect::Dialect;
use crate::filter::condition;
use crate::row::Row;

/// `"users"."email"`.
pub(crate) fn name(collection: Collection, column: &str) -> Expr {
    Expr::col((Alias::new(collection.table()), Alias::new(column)))
}

/// What is selected for a field. Of a concealed one only whether there is something: secrets do
/// not leave the database.
pub(crate) fn column(dialect: Dialect, collection: Collection, field: &Field) -> Expr {
    match field.column {
        Column::AccessRows => Expr::cust(dialect.access_rows()),
        // A literal, so that the text of a statement has no value but those of its conditions.
        Column::Stored if field.is_concealed => name(collection, &field.name).ne(Expr::cust("''")),
        Column::Stored => name(collection, &field.name),
    }
}

/// `SELECT <projection> FROM <collection>` without conditions.
pub(crate) fn from(dialect: Dialect, projection: &Projection) -> SelectStatement {
    let collection = projection.schema().collection();
    let mut select = SelectStatement::new();
    select.from(Alias::new(collection.table()));
    for field in projection.fields() {
        select.expr(column(dialect, collection, field));
    }
    select
}

/// Both conditions, the grant's and the caller's.
pub(crate) fn reached(dialect: Dialect, schema: &Schema, grant: &Grant, filter: &Filter) -> Cond {
    Cond::all()
        .add(condition(dialect, schema, grant.filter()))
        .add(condition(dialect, schema, filter))
}

/// `ORDER BY`; the id comes last, so that pages never overlap. Nulls come first when ascending.
pub(crate) fn order(select: &mut SelectStatement, collection: Collection, sort: &[Sort]) {
    let by_id = Sort {
        field: "id".to_owned(),
        direction: Direction::Ascending,
    };
    let last = (!sort.iter().any(|sort| sort.field == "id")).then_some(&by_id);
    for key in sort.iter().chain(last) {
        let column = (Alias::new(collection.table()), Alias::new(&key.field));
        let nullable = key.field != "id";
        match (key.direction, nullable) {
            (Direction::Ascending, true) => {
                select.order_by_with_nulls(column, Order::Asc, sea_query::NullOrdering::First)
            }
            (Direction::Descending, true) => {
                select.order_by_with_nulls(column, Order::Desc, sea_query::NullOrdering::Last)
            }
            (Direction::Ascending, false) => select.order_by(column, Order::Asc),
            (Direction::Descending, false) => select.order_by(column, Order::Desc),
        };
    }
}

/// A row of such a statement.
pub(crate) fn item(row: &Row, projection: &Arc<Projection>) -> Result<Item> {
    let values = projection
        .fields()
        .enumerate()
        .map(|(index, field)| row.value(index, field));
    Ok(Item::new(
        Arc::clone(projection),
        values.collect::<Result<_>>()?,
    ))
}
