//! Reading: one statement for a page, and one for each relation that is asked for, however many
//! records there are.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use roster_domain::field::Link;
use roster_domain::query::{Nested, Query, Selection};
use roster_domain::record::Part;
use roster_domain::{
    Action, Collection, Error, Field, FieldType, Filter, Grant, Item, Key, Model, Projection,
    Record, Result, Schema, Value,
};
use sea_query::{Alias, Expr, ExprTrait, Order, OverStatement, SelectStatement, WindowStatement};

use crate::plans::Plan;
use crate::row::Row;
use crate::sql::{Scope, Sql};
use crate::statement::Statement;
use crate::store::Store;

/// How many keys a list shows that is not asked for by itself.
const LISTED: u64 = 100;

fn schema_of(model: &Model, collection: Collection) -> Result<&Arc<Schema>> {
    let schema = model.schema(collection);
    schema.ok_or_else(|| Error::forbidden_collection(collection.as_str()))
}

/// The records a query reaches, in its order.
///
/// # Errors
/// `FORBIDDEN` unless its grant is for reading.
pub async fn list(store: &Store, model: &Model, query: &Query) -> Result<Vec<Item>> {
    query.rows().permits(Action::Read, query.collection())?;
    let rows = select(store, model, query, None, &Filter::Everything).await?;
    Ok(rows.into_iter().map(|(item, _)| item).collect())
}

/// The record of that key, if the query reaches it.
///
/// # Errors
/// `FORBIDDEN` unless the query's grant is for reading.
pub async fn get(store: &Store, model: &Model, query: &Query, key: Key) -> Result<Option<Item>> {
    let grant = query.rows();
    grant.permits(Action::Read, query.collection())?;
    let selection = &query.selection;
    let is_plain = selection.nested.is_empty()
        && selection.computed.is_empty()
        && !selection.is_bare
        && grant.rules().is_none();
    if is_plain && query.filter == Filter::Everything {
        let projection = &selection.projection;
        let statement = by_id(store, model, Plan::Read, key, projection)?;
        let row = store.fetch_optional(statement).await?;
        return row.map(|row| item(&row, projection)).transpose();
    }
    let mut query = query.clone();
    (query.limit, query.offset, query.sort) = (None, 0, Vec::new());
    let only = Filter::equals_key(key);
    let found = select(store, model, &query, None, &only).await?;
    Ok(found.into_iter().next().map(|(item, _)| item))
}

/// The keys of the records a query reaches, in its order.
///
/// # Errors
/// `FORBIDDEN` unless its grant is for reading.
pub async fn find(store: &Store, model: &Model, query: &Query) -> Result<Vec<Key>> {
    let found = list(store, model, query).await?;
    Ok(found.iter().filter_map(Item::key).collect())
}

/// How many records the grant and the filter reach.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for reading.
pub async fn count(store: &Store, model: &Model, grant: &Grant, filter: &Filter) -> Result<u64> {
    let collection = grant.collection();
    grant.permits(Action::Read, collection)?;
    let schema = schema_of(model, collection)?;
    let sql = Sql::new(store.dialect(), model);
    let mut select = sea_query::Query::select();
    select
        .from(Alias::new(collection.table()))
        .expr(Expr::cust("COUNT(*)"))
        .cond_where(sql.reached(schema, grant, filter)?);
    let statement = store.dialect().build(&select).aged(model.epoch());
    let row = store.fetch_optional(statement).await?;
    let count = row.map_or(Ok(0), |row| row.count(0))?;
    Ok(count.unsigned_abs())
}

/// The whole record as it is about to be changed or removed, if the grant reaches it.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for that action.
pub async fn load(
    store: &Store,
    model: &Model,
    grant: &Grant,
    action: Action,
    key: Key,
    projection: &Arc<Projection>,
) -> Result<Option<Record>> {
    grant.permits(action, projection.schema().collection())?;
    if grant.rules().is_none() {
        let statement = by_id(store, model, Plan::Load, key, projection)?;
        let row = store.fetch_optional(statement).await?;
        return row.map(|row| record(&row, projection)).transpose();
    }
    let loaded = load_many(store, model, grant, action, &[key], projection).await?;
    Ok(loaded.into_iter().next())
}

/// The whole records of these keys as they are about to be changed or removed, as far as the grant
/// reaches, in no order.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for that action.
pub async fn load_many(
    store: &Store,
    model: &Model,
    grant: &Grant,
    action: Action,
    keys: &[Key],
    projection: &Arc<Projection>,
) -> Result<Vec<Record>> {
    let schema = projection.schema();
    grant.permits(action, schema.collection())?;
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new(store.dialect(), model);
    let among = Filter::one_of("id", keys.iter().map(|key| key.value()));
    let mut select = whole(&sql, projection)?;
    let rule = Scope::root(schema, None);
    select
        .expr(rule.column("roster_version"))
        .cond_where(sql.condition(&rule, grant.filter())?)
        .cond_where(sql.condition(&rule, &among)?);
    let statement = store.dialect().build(&select).aged(model.epoch());
    let rows = store.fetch(statement).await?;
    rows.iter().map(|row| record(row, projection)).collect()
}

/// `SELECT <projection> FROM <collection>`, as the server itself sees it.
fn whole(sql: &Sql<'_>, projection: &Projection) -> Result<SelectStatement> {
    let schema = projection.schema();
    let scope = Scope::root(schema, None);
    let mut select = sea_query::Query::select();
    select.from(Alias::new(schema.collection().table()));
    for field in projection.fields() {
        select.expr(sql.selected(&scope, field, Some(LISTED))?);
    }
    Ok(select)
}

/// The statement that reads one record for somebody who may read all.
fn by_id(
    store: &Store,
    model: &Model,
    plan: Plan,
    key: Key,
    projection: &Projection,
) -> Result<Statement> {
    let (dialect, schema) = (store.dialect(), projection.schema());
    let id = dialect.key(key);
    let plan_key = (
        plan,
        schema.collection(),
        model.epoch(),
        projection.positions().to_vec(),
    );
    if let Some(known) = store.plans.known(&plan_key) {
        return Ok(known.of(id));
    }
    let sql = Sql::new(dialect, model);
    let mut select = whole(&sql, projection)?;
    let scope = Scope::root(schema, None);
    if plan == Plan::Load {
        select.expr(scope.column("roster_version"));
    }
    select.and_where(scope.column("id").eq(id.clone()));
    let statement = dialect.build(&select).aged(model.epoch());
    Ok(store.plans.remember(plan_key, statement).of(id))
}

fn item(row: &Row, projection: &Arc<Projection>) -> Result<Item> {
    let values = projection.fields().enumerate();
    let values = values.map(|(index, field)| row.value(index, field));
    Ok(Item::new(
        Arc::clone(projection),
        values.collect::<Result<_>>()?,
    ))
}

fn record(row: &Row, projection: &Arc<Projection>) -> Result<Record> {
    Ok(Record {
        item: item(row, projection)?,
        version: row.count(projection.fields().len())?,
    })
}

/// A record, and the value that says which other record it belongs to.
type Found = (Item, Option<Key>);

/// The records of one level with everything below them. `link` is the field that says which
/// record of the level above one belongs to; the limits are then for each of those.
fn select<'a>(
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
            let listed = key.and_then(|key| by_owner.remove(&key));
            Part::Many(listed.unwrap_or_default())
        };
        item.push(Arc::clone(name), part);
    }
    Ok(())
}

/// Which columns a statement has, one after another: the fields of the projection, the values of
/// functions, then what only the server needs.
struct Columns<'a> {
    helpers: Vec<&'a Field>,
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
            columns.link = Some(columns.helper(field(link)?));
        }
        for nested in &selection.nested {
            let own = &schema.fields()[nested.field];
            let key = match own.kind {
                FieldType::Alias => field("id")?,
                _ => own,
            };
            let index = columns.helper(key);
            columns.nested.push(index);
        }
        Ok(columns)
    }

    fn helper(&mut self, field: &'a Field) -> usize {
        let known = self
            .helpers
            .iter()
            .position(|known| known.name == field.name);
        known.unwrap_or_else(|| {
            self.helpers.push(field);
            self.helpers.len() - 1
        })
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
            let number = Field::new("", FieldType::Serial);
            let value = row.value(column(), &number)?;
            item.push(Arc::clone(&computed.name), Part::Value(value));
        }
        let helpers = self.helpers.iter().map(|field| row.value(column(), field));
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
    for (index, field) in columns.helpers.iter().enumerate() {
        let is_own = field.name == "id" || columns.link == Some(index);
        let scope = if is_own { &rule } else { &asked };
        expressions.push(sql.field(scope, field)?);
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
