//! Reading: one statement for a page, and one for each relation that is asked for, however many
//! records there are.

mod select;

use std::sync::Arc;

use roster_domain::query::Query;
use roster_domain::{
    Action, Collection, Error, Filter, Grant, Item, Key, Model, Projection, Record, Result, Schema,
};
use sea_query::{Alias, Expr, ExprTrait, SelectStatement};

use self::select::select;

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

/// Those of the records that a query reaches that have one of these keys, whether or not their
/// keys are shown.
///
/// # Errors
/// `FORBIDDEN` unless the query's grant is for reading.
pub async fn among(store: &Store, model: &Model, query: &Query, keys: &[Key]) -> Result<Vec<Item>> {
    query.rows().permits(Action::Read, query.collection())?;
    let only = Filter::one_of("id", keys.iter().map(|key| key.value()));
    let rows = select(store, model, query, None, &only).await?;
    Ok(rows.into_iter().map(|(item, _)| item).collect())
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
