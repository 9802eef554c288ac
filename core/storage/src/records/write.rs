//! Writing: one record, one statement, under a grant.

use std::collections::BTreeSet;

use roster_domain::error::field as problem;
use roster_domain::{
    Action, Code, Collection, Error, Field, FieldType, Filter, Grant, Key, Model, Result, Schema,
    Valid, Value, email,
};
use sea_query::{Alias, Asterisk, Expr, ExprTrait, Query as Build};

use crate::error::Violation;
use crate::sql::{Scope, Sql};
use crate::statement::bound;
use crate::store::Tx;

/// How many records a grant is asked about in one statement.
const ASKED_AT_ONCE: usize = 500;

/// Whether a change touches what tokens and rights depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// It does not.
    Keep,
    /// It does: what was cached for the user is void on every node.
    Raise,
}

/// Stores a new record; gives its key.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for creating; `RECORD_NOT_UNIQUE`, `INVALID_FOREIGN_KEY`.
pub async fn insert(tx: &mut Tx, model: &Model, grant: &Grant, valid: &Valid) -> Result<Key> {
    let schema = valid.schema();
    let collection = schema.collection();
    grant.permits(Action::Create, collection)?;
    check_links(tx, model, valid).await?;
    let columns = columns(tx, valid)?;
    let mut insert = Build::insert();
    insert
        .into_table(Alias::new(collection.table()))
        .columns(columns.iter().map(|(name, _)| Alias::new(*name)))
        .values_panic(columns.into_iter().map(|(_, value)| value));
    let given = valid.get("id").and_then(Key::of);
    if given.is_none() {
        insert.returning_col(Alias::new("id"));
    }
    let statement = tx.dialect().build(&insert).aged(model.epoch());
    if let Some(key) = given {
        let done = tx.write(statement).await?;
        done.map_err(|violation| refusal(&violation, valid))?;
        return Ok(key);
    }
    let rows = tx.fetch_or(statement).await?;
    let rows = rows.map_err(|violation| refusal(&violation, valid))?;
    let key = rows.first().map(|row| row.count(0)).transpose()?;
    key.map(Key::Serial)
        .ok_or_else(|| Error::internal("a new record has no key"))
}

/// Records that a grant was found to reach, in the transaction that writes them.
#[derive(Debug, Clone)]
pub struct Reached {
    action: Action,
    collection: Collection,
    keys: BTreeSet<Key>,
}

/// By what right a stored record is written.
#[derive(Debug, Clone, Copy)]
pub enum Reach<'a> {
    /// The grant is asked as the record is written.
    Now(&'a Grant),
    /// It was asked before anything was written, as what is written may change its answer.
    Before(&'a Reached),
}

impl Reach<'_> {
    /// What a record has to be as it is written.
    fn filter(&self, action: Action, collection: Collection, key: Key) -> Result<&Filter> {
        match self {
            Self::Now(grant) => {
                grant.permits(action, collection)?;
                Ok(grant.filter())
            }
            Self::Before(reached)
                if (reached.action, reached.collection) == (action, collection)
                    && reached.keys.contains(&key) =>
            {
                Ok(&Filter::Everything)
            }
            Self::Before(_) => Err(Error::forbidden()),
        }
    }
}

/// Asks whether a grant reaches all of these records, before the first of them is written.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for the collection; `CONFLICT` when one of them is out of its reach.
pub async fn reach(
    tx: &mut Tx,
    model: &Model,
    grant: &Grant,
    schema: &Schema,
    keys: BTreeSet<Key>,
) -> Result<Reached> {
    let (action, collection) = (grant.action(), schema.collection());
    grant.permits(action, collection)?;
    let dialect = tx.dialect();
    let sql = Sql::new(dialect, model);
    let rule = Scope::root(schema, None);
    let all: Vec<Key> = keys.iter().copied().collect();
    for part in all.chunks(ASKED_AT_ONCE) {
        let mut select = Build::select();
        select
            .expr(Expr::col(Asterisk).count())
            .from(Alias::new(collection.table()))
            .and_where(
                rule.column("id")
                    .is_in(part.iter().map(|key| dialect.key(*key))),
            )
            .cond_where(sql.condition(&rule, grant.filter())?);
        let rows = tx.fetch(dialect.build(&select).aged(model.epoch())).await?;
        let found = rows.first().map_or(Ok(0), |row| row.count(0))?;
        if usize::try_from(found) != Ok(part.len()) {
            return Err(Error::from(Code::Conflict));
        }
    }
    Ok(Reached {
        action,
        collection,
        keys,
    })
}

/// Changes a record that still has this version.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for updating; `CONFLICT` when the record has changed or is out of
/// the grant's reach by now; `RECORD_NOT_UNIQUE`, `INVALID_FOREIGN_KEY`.
pub async fn update(
    tx: &mut Tx,
    model: &Model,
    reach: Reach<'_>,
    key: Key,
    version: i64,
    valid: &Valid,
    generation: Generation,
) -> Result<()> {
    let schema = valid.schema();
    let collection = schema.collection();
    let filter = reach.filter(Action::Update, collection, key)?;
    check_links(tx, model, valid).await?;
    let dialect = tx.dialect();
    let sql = Sql::new(dialect, model);
    let rule = Scope::root(schema, None);
    let mut update = Build::update();
    update.table(Alias::new(collection.table())).values(
        columns(tx, valid)?
            .into_iter()
            .map(|(name, value)| (Alias::new(name), value)),
    );
    update.value(Alias::new("roster_version"), version + 1);
    if generation == Generation::Raise {
        let raised = Expr::col(Alias::new("roster_generation")).add(1);
        update.value(Alias::new("roster_generation"), raised);
    }
    update
        .and_where(rule.column("id").eq(dialect.key(key)))
        .and_where(rule.column("roster_version").eq(version))
        .cond_where(sql.condition(&rule, filter)?);
    let done = tx.write(dialect.build(&update).aged(model.epoch())).await?;
    exactly_one(done.map_err(|violation| refusal(&violation, valid))?)
}

/// Removes a record that still has this version, with what hangs on it in the database.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for deleting; `CONFLICT` as for [`update`];
/// `INVALID_FOREIGN_KEY` where another record points at it and keeps it.
pub async fn delete(
    tx: &mut Tx,
    model: &Model,
    reach: Reach<'_>,
    key: Key,
    version: i64,
    schema: &Schema,
) -> Result<()> {
    let collection = schema.collection();
    let filter = reach.filter(Action::Delete, collection, key)?;
    let dialect = tx.dialect();
    let sql = Sql::new(dialect, model);
    let rule = Scope::root(schema, None);
    let mut delete = Build::delete();
    delete
        .from_table(Alias::new(collection.table()))
        .and_where(rule.column("id").eq(dialect.key(key)))
        .and_where(rule.column("roster_version").eq(version))
        .cond_where(sql.condition(&rule, filter)?);
    let done = tx.write(dialect.build(&delete).aged(model.epoch())).await?;
    tx.present.clear();
    let done = done.map_err(|_| {
        let key = key.value().to_json();
        Error::from(problem::foreign_key(collection.as_str(), "id", Some(key)))
    })?;
    exactly_one(done)
}

/// Refuses a key that leads to no record. The databases check most of them too, but SQLite does
/// not say which it was, and knows nothing of relations that were added. A batch that leads to the
/// same record over and over looks once.
async fn check_links(tx: &mut Tx, model: &Model, valid: &Valid) -> Result<()> {
    let schema = valid.schema();
    for field in schema.fields() {
        let (Some(to), Some(value)) = (field.leads_to(), valid.get(&field.name)) else {
            continue;
        };
        // A picture may be elsewhere (contract/users.md §1).
        let Some(key) = Key::of(value).filter(|_| to != Collection::Files) else {
            continue;
        };
        let is_itself = schema.collection() == to && valid.get("id") == Some(value);
        if is_itself || tx.present.contains(&(to, key)) {
            continue;
        }
        if exists(tx, model, to, key).await? {
            tx.present.insert((to, key));
            continue;
        }
        let name = schema.collection().as_str();
        return Err(problem::foreign_key(name, &field.name, Some(value.to_json())).into());
    }
    Ok(())
}

async fn exists(tx: &mut Tx, model: &Model, collection: Collection, key: Key) -> Result<bool> {
    let dialect = tx.dialect();
    let mut select = Build::select();
    select
        .from(Alias::new(collection.table()))
        .expr(Expr::cust("1"))
        .and_where(Expr::col(Alias::new("id")).eq(dialect.key(key)));
    Ok(!tx
        .fetch(dialect.build(&select).aged(model.epoch()))
        .await?
        .is_empty())
}

fn columns<'v>(tx: &Tx, valid: &'v Valid) -> Result<Vec<(&'v str, Expr)>> {
    let mut columns = bound(tx.dialect(), valid)?;
    if valid.schema().collection() == Collection::Users
        && let Some(address) = valid.get("email")
    {
        let key = Value::from(address.as_text().map(email::key));
        columns.push(("email_key", tx.dialect().bind(FieldType::String, &key)));
    }
    Ok(columns)
}

fn exactly_one(changed: u64) -> Result<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::from(Code::Conflict))
    }
}

/// The rule of the schema in the caller's words, with the value they sent unless it is a secret.
fn refusal(violation: &Violation, valid: &Valid) -> Error {
    let schema = valid.schema();
    let collection = schema.collection().as_str();
    let sent = |name: &str| {
        let open = schema.field(name).is_some_and(|field| !field.is_concealed);
        valid.get(name).filter(|_| open).map(Value::to_json)
    };
    match violation {
        Violation::Unique { column, .. } => {
            let name = if column == "email_key" {
                "email"
            } else {
                column.as_str()
            };
            problem::not_unique(collection, name, sent(name)).into()
        }
        Violation::ForeignKey => {
            let mut links = schema
                .fields()
                .iter()
                .filter(|field| field.leads_to().is_some());
            let link = links.find(|field| {
                sent(&field.name).is_some_and(|json| json != serde_json::Value::Null)
            });
            let name = link.map_or("id", |field: &Field| field.name.as_str());
            problem::foreign_key(collection, name, sent(name)).into()
        }
    }
}
