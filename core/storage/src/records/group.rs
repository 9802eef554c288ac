//! Aggregates: one statement, whatever is asked for.

use roster_domain::query::{Direction, Grouping, Operation, Query};
use roster_domain::{Action, Error, FieldType, Model, Result};
use sea_query::{Alias, Expr, Order};
use serde_json::{Map, Value as Json, json};

use crate::dialect::Dialect;
use crate::sql::{Scope, Sql};
use crate::store::Store;

/// The groups of the records that a query reaches, with what is said of each.
///
/// # Errors
/// `FORBIDDEN` unless its grant is for reading.
pub async fn groups(
    store: &Store,
    model: &Model,
    query: &Query,
    grouping: &Grouping,
) -> Result<Vec<Map<String, Json>>> {
    let collection = query.collection();
    let grant = query.rows();
    grant.permits(Action::Read, collection)?;
    let schema = model.schema(collection);
    let schema = schema.ok_or_else(|| Error::forbidden_collection(collection.as_str()))?;
    let dialect = store.dialect();
    let sql = Sql::new(dialect, model);
    let scope = Scope::root(schema, Some(grant));
    let mut select = sea_query::Query::select();
    select
        .from(Alias::new(collection.table()))
        .cond_where(sql.reached(schema, grant, &query.filter)?);
    let mut fields = Vec::new();
    for (index, group) in grouping.groups.iter().enumerate() {
        let value = sql.value(&scope, &group.operand)?;
        select.expr(dialect.read(group.field.kind, value));
        // By the position of the column, as the value may hold parameters.
        select.add_group_by([Expr::cust((index + 1).to_string())]);
        fields.push(group.field.clone());
    }
    for aggregate in &grouping.aggregates {
        let result = aggregate.result();
        let value = match &aggregate.operand {
            None => Expr::cust("COUNT(*)"),
            Some(operand) => {
                let value = sql.value(&scope, operand)?;
                let kind = aggregate.field.kind;
                aggregated(
                    dialect,
                    aggregate.operation,
                    kind,
                    aggregate.field.decimal.1,
                    value,
                )
            }
        };
        select.expr(dialect.read(result.kind, value));
        fields.push(result);
    }
    let default: Vec<(usize, Direction)> = if grouping.groups.is_empty() {
        Vec::new()
    } else {
        vec![(0, Direction::Ascending)]
    };
    let sort = if grouping.sort.is_empty() {
        &default
    } else {
        &grouping.sort
    };
    for (position, direction) in sort {
        let column = Expr::cust((position + 1).to_string());
        match direction {
            Direction::Ascending => {
                select.order_by_expr_with_nulls(column, Order::Asc, sea_query::NullOrdering::First)
            }
            Direction::Descending => {
                select.order_by_expr_with_nulls(column, Order::Desc, sea_query::NullOrdering::Last)
            }
        };
    }
    if query.limit.is_some() || query.offset > 0 {
        let most = i64::MAX.unsigned_abs();
        select.limit(Ord::min(query.limit.unwrap_or(most), most));
        select.offset(query.offset);
    }
    let rows = store
        .fetch(dialect.build(&select).aged(model.epoch()))
        .await?;
    let mut groups = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut answer = Map::new();
        let count = grouping.groups.len();
        for (index, group) in grouping.groups.iter().enumerate() {
            answer.insert(
                group.name.clone(),
                row.value(index, &fields[index])?.to_json(),
            );
        }
        for (index, aggregate) in grouping.aggregates.iter().enumerate() {
            let value = row.value(count + index, &fields[count + index])?.to_json();
            let name = aggregate.operation.as_str();
            match &aggregate.operand {
                None => {
                    answer.insert(name.to_owned(), value);
                }
                Some(operand) => {
                    let said = answer.entry(name).or_insert_with(|| json!({}));
                    let key = match operand.function {
                        Some(function) => format!("{}_{}", operand.field, function.as_str()),
                        None => operand.field.clone(),
                    };
                    said[key] = value;
                }
            }
        }
        groups.push(answer);
    }
    Ok(groups)
}

fn aggregated(
    dialect: Dialect,
    operation: Operation,
    kind: FieldType,
    scale: u32,
    value: Expr,
) -> Expr {
    let place = match dialect {
        Dialect::Sqlite => "?",
        Dialect::Postgres => "$1",
    };
    let call = match operation {
        Operation::Count => format!("COUNT({place})"),
        Operation::CountDistinct => format!("COUNT(DISTINCT {place})"),
        Operation::Sum => format!("SUM({place})"),
        Operation::SumDistinct => format!("SUM(DISTINCT {place})"),
        Operation::Avg => format!("AVG({place})"),
        Operation::AvgDistinct => format!("AVG(DISTINCT {place})"),
        Operation::Min => format!("MIN({place})"),
        Operation::Max => format!("MAX({place})"),
    };
    let is_average = matches!(operation, Operation::Avg | Operation::AvgDistinct);
    let is_sum = matches!(operation, Operation::Sum | Operation::SumDistinct);
    let is_extreme = matches!(operation, Operation::Min | Operation::Max);
    let call = match (dialect, kind) {
        (Dialect::Sqlite, FieldType::Decimal) if is_average => {
            format!("({call} / {}.0)", 10_u64.saturating_pow(scale))
        }
        (Dialect::Postgres, _) if is_average => format!("CAST({call} AS double precision)"),
        (Dialect::Postgres, FieldType::Integer | FieldType::Serial | FieldType::BigInteger)
            if is_sum =>
        {
            format!("CAST({call} AS bigint)")
        }
        // PostgreSQL orders UUIDs, but has no smallest one.
        (Dialect::Postgres, FieldType::Uuid) if is_extreme => {
            let word = if operation == Operation::Min {
                "MIN"
            } else {
                "MAX"
            };
            format!("CAST({word}(CAST({place} AS text)) AS uuid)")
        }
        _ => call,
    };
    Expr::cust_with_exprs(call, [value])
}
