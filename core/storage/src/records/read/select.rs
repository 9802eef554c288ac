//! One level of a query as a statement, and what its fields lead to.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use roster_domain::field::Link;
use roster_domain::query::{Nested, Query, Selection};
use roster_domain::record::Part;
use roster_domain::{Error, Field, FieldType, Filter, Item, Key, Model, Result, Schema, Value};
use sea_query::{Alias, Expr, ExprTrait, Order, OverStatement, SelectStatement, WindowStatement};

use super::{LISTED, schema_of};
use crate::row::Row;
use crate::sql::{Scope, Sql};
use crate::store::Store;

/// A record, and the value that says which other record it belongs to.
type Found = (Item, Option<Key>);

/// The records of one level with everything below them. `link` is the field that says which
/// record of the level above one belongs to; the limits are then for each of those.
pub(super) fn select<'a>(
    store: &'a Store,
    model: &'a Model,
    query: &'a Query,
    link: Option<&'a str>,
    only: &'a Filter,
) -> BoxFuture<'a, Result<Vec<Found>>> {
    Box::pin(async move {
        let schema = schema_of(model, query.collection())?;
        let columns = Columns::of(schema, &query.selection, link)?;
        let sql = Sql::new(store.dialect(), model);
        let select = statement(&sql, schema, query, &columns, link, only)?;
        let statement = store.dialect().build(&select).aged(model.epoch());
        let rows = store.fetch(statement).await?;
        let mut found = Vec::with_capacity(rows.len());
        let mut helpers = Vec::with_capacity(rows.len());
        for row in &rows {
            let (item, values) = columns.read(row, query)?;
            let owner = columns.link.and_then(|index| Key::of(&values[index]));
            found.push((item, owner));
            helpers.push(values);
        }
        drop(rows);
        for (index, nested) in query.selection.nested.iter().enumerate() {
            let helper = columns.nested[index];
            let keys: Vec<Option<Key>> = helpers.iter().map(|row| Key::of(&row[helper])).collect();
            let field = &schema.fields()[nested.field];
            attach(store, model, nested, field, &keys, &mut found).await?;
        }
        Ok(found)
    })
}

/// Fetches what a field of these records leads to and puts it into them.
async fn attach(
    store: &Store,
    model: &Model,
    nested: &Nested,
    field: &Field,
    keys: &[Option<Key>],
    found: &mut [Found],
) -> Result<()> {
    let wanted: BTreeSet<Key> = keys.iter().flatten().copied().collect();
    let values = wanted.iter().map(|key| key.value());
    let name = &nested.name;
    let (link, only) = match &field.link {
        Some(Link::One { .. }) => ("id", Filter::one_of("id", values)),
        Some(Link::Many { field, .. }) => (field.as_str(), Filter::one_of(field, values)),
        None => {
            return Err(Error::internal(format!(
                "field `{}` leads nowhere",
                field.name
            )));
        }
    };
    let related = if wanted.is_empty() {
        Vec::new()
    } else {
        select(store, model, &nested.query, Some(link), &only).await?
    };
    let mut by_owner: HashMap<Key, Vec<Item>> = HashMap::new();
    for (item, owner) in related {
        if let Some(owner) = owner {
            by_owner.entry(owner).or_default().push(item);
        }
    }
    let is_one = field.kind != FieldType::Alias;
    for ((item, _), key) in found.iter_mut().zip(keys) {
        let part = if is_one {
            // Several records may lead to the same one.
            let one = key.and_then(|key| by_owner.get(&key)?.first().cloned());
            Part::One(one.map(Box::new))
        } else {
            match key {
                Some(key) => Part::Many(by_owner.remove(key).unwrap_or_default()),
                // A hidden list is null, as it is where its keys are asked for.
                None => Part::Value(Value::Null),
            }
        };
        item.push(Arc::clone(name), part);
    }
    Ok(())
}

/// Which columns a statement has, one after another: the fields of the projection, the values of
/// functions, then what only the server needs.
struct Columns<'a> {
    /// The key of this record or of another, and the field that has to be seen for it.
    helpers: Vec<(&'a Field, &'a Field)>,
    /// For each relation, which of the helpers holds the key.
    nested: Vec<usize>,
    /// Which of the helpers holds the key of the level above.
    link: Option<usize>,
}

impl<'a> Columns<'a> {
    fn of(schema: &'a Schema, selection: &Selection, link: Option<&str>) -> Result<Self> {
        let field = |name: &str| {
            let field = schema.field(name);
            field.ok_or_else(|| Error::internal(format!("field `{name}` is gone")))
        };
        let mut columns = Self {
            helpers: Vec::new(),
            nested: Vec::new(),
            link: None,
        };
        if let Some(link) = link {
            let link = field(link)?;
            columns.link = Some(columns.helper(link, link));
        }
        for nested in &selection.nested {
            let own = &schema.fields()[nested.field];
            let key = match own.kind {
                FieldType::Alias => field("id")?,
                _ => own,
            };
            let index = columns.helper(key, own);
            columns.nested.push(index);
        }
        Ok(columns)
    }

    fn helper(&mut self, key: &'a Field, seen_with: &'a Field) -> usize {
        self.helpers.push((key, seen_with));
        self.helpers.len() - 1
    }

    fn read(&self, row: &Row, query: &Query) -> Result<(Item, Vec<Value>)> {
        let selection = &query.selection;
        let mut next = 0..;
        let mut column = || next.next().unwrap_or_default();
        let mut values = Vec::with_capacity(selection.projection.positions().len());
        for field in selection.projection.fields() {
            values.push(row.value(column(), field)?);
        }
        let mut item = Item::new(Arc::clone(&selection.projection), values);
        for computed in &selection.computed {
            let value = match &computed.path {
                None => row.value(column(), &Field::new("", FieldType::Serial))?,
                Some(path) => path.pick(row.value(column(), &Field::new("", FieldType::Json))?),
            };
            item.push(Arc::clone(&computed.name), Part::Value(value));
        }
        let helpers = self.helpers.iter();
        let helpers = helpers.map(|(key, _)| row.value(column(), key));
        let helpers = helpers.collect::<Result<_>>()?;
        let item = if selection.is_bare { item.bare() } else { item };
        Ok((item, helpers))
    }
}

fn statement(
    sql: &Sql<'_>,
    schema: &Schema,
    query: &Query,
    columns: &Columns<'_>,
    link: Option<&str>,
    only: &Filter,
) -> Result<SelectStatement> {
    let (rule, asked) = (
        Scope::root(schema, None),
        Scope::root(schema, Some(query.rows())),
    );
    let table = Alias::new(schema.collection().table());
    let mut select = sea_query::Query::select();
    select
        .from(table)
        .cond_where(sql.condition(&rule, query.rows().filter())?)
        .cond_where(sql.condition(&asked, &query.filter)?)
        .cond_where(sql.condition(&rule, only)?);
    let mut expressions = Vec::new();
    // A bare key is no secret beside the fact that the record is there.
    let shown = if query.selection.is_bare {
        &rule
    } else {
        &asked
    };
    for field in query.selection.projection.fields() {
        expressions.push(sql.selected(shown, field, Some(LISTED))?);
    }
    for computed in &query.selection.computed {
        expressions.push(sql.value(&asked, &computed.operand)?);
    }
    for (index, (key, seen_with)) in columns.helpers.iter().enumerate() {
        let scope = if columns.link == Some(index) {
            &rule
        } else {
            &asked
        };
        expressions.push(sql.seen(scope, seen_with, scope.column(&key.name))?);
    }
    let order = sql.order(&asked, &query.sort)?;
    let is_limited = query.limit.is_some() || query.offset > 0;
    let by_owner = link.filter(|link| *link != "id" && is_limited);
    let Some(link) = by_owner else {
        for expression in expressions {
            select.expr(expression);
        }
        for (value, direction, nulls) in order {
            match nulls {
                Some(nulls) => select.order_by_expr_with_nulls(value, direction, nulls),
                None => select.order_by_expr(value, direction),
            };
        }
        // SQLite takes no OFFSET without a LIMIT.
        if is_limited && columns.link.is_none() {
            let most = i64::MAX.unsigned_abs();
            select.limit(Ord::min(query.limit.unwrap_or(most), most));
            select.offset(query.offset);
        }
        return Ok(select);
    };
    // So many for each record of the level above: numbered within it, in one statement.
    let names: Vec<Alias> = (0..expressions.len())
        .map(|index| Alias::new(format!("c{index}")))
        .collect();
    for (expression, name) in expressions.into_iter().zip(&names) {
        select.expr_as(expression, name.clone());
    }
    let mut window = WindowStatement::new();
    window.add_partition_by(rule.column(link));
    for (value, direction, nulls) in order {
        match nulls {
            Some(nulls) => window.order_by_expr_with_nulls(value, direction, nulls),
            None => window.order_by_expr(value, direction),
        };
    }
    select.expr_window_as(Expr::cust("ROW_NUMBER()"), window, Alias::new("number"));
    let mut outer = sea_query::Query::select();
    for name in names {
        outer.column(name);
    }
    let number = || Expr::col(Alias::new("number"));
    let from = i64::try_from(query.offset).unwrap_or(i64::MAX);
    outer
        .from_subquery(select, Alias::new("numbered"))
        .and_where(number().gt(from))
        .order_by_expr(number(), Order::Asc);
    if let Some(limit) = query.limit {
        let to = from.saturating_add(i64::try_from(limit).unwrap_or(i64::MAX));
        outer.and_where(number().lte(to));
    }
    Ok(outer)
}
