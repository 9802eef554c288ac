//! The users collection.

use std::sync::Arc;

use roster_domain::error::field as problem;
use roster_domain::{
    Action, Code, Collection, Error, FieldType, Filter, Grant, Item, Projection, Query, Record,
    Result, UserId, Valid, Value, email,
};
use sea_query::{Alias, Expr, ExprTrait, Query as Sql};

use crate::error::Violation;
use crate::plans::Plan;
use crate::select;
use crate::statement::{Statement, bound};
use crate::store::{Store, Tx};

const USERS: Collection = Collection::Users;

/// Whether a change touches what tokens and rights depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// It does not.
    Keep,
    /// It does: what was cached for the user is void on every node.
    Raise,
}

/// The records a query reaches, in its order.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for reading.
pub async fn list(store: &Store, grant: &Grant, query: &Query) -> Result<Vec<Item>> {
    grant.permits(Action::Read, USERS)?;
    let schema = query.projection.schema();
    let mut select = select::from(store.dialect(), &query.projection);
    select.cond_where(select::reached(
        store.dialect(),
        schema,
        grant,
        &query.filter,
    ));
    select::order(&mut select, USERS, &query.sort);
    // SQLite takes no OFFSET without a LIMIT.
    if query.limit.is_some() || query.offset > 0 {
        let most = i64::MAX.unsigned_abs();
        select.limit(Ord::min(query.limit.unwrap_or(most), most));
        select.offset(query.offset);
    }
    let rows = store.fetch(store.dialect().build(&select)).await?;
    rows.iter()
        .map(|row| select::item(row, &query.projection))
        .collect()
}

/// How many records the grant and the filter reach.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for reading.
pub async fn count(store: &Store, grant: &Grant, query: &Query, filter: &Filter) -> Result<u64> {
    grant.permits(Action::Read, USERS)?;
    let schema = query.projection.schema();
    let statement = Sql::select()
        .from(Alias::new(USERS.table()))
        .expr(Expr::cust("COUNT(*)"))
        .cond_where(select::reached(store.dialect(), schema, grant, filter))
        .to_owned();
    let row = store
        .fetch_optional(store.dialect().build(&statement))
        .await?;
    let count = row.map_or(Ok(0), |row| row.count(0))?;
    Ok(count.unsigned_abs())
}

/// The asked fields of one record, if the grant and the filter reach it.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for reading.
pub async fn get(
    store: &Store,
    grant: &Grant,
    id: UserId,
    projection: &Arc<Projection>,
    filter: &Filter,
) -> Result<Option<Item>> {
    grant.permits(Action::Read, USERS)?;
    let statement = by_id(store, Plan::Read, grant, id, projection, filter);
    let row = store.fetch_optional(statement).await?;
    row.map(|row| select::item(&row, projection)).transpose()
}

/// The whole record as it is about to be changed or removed, if the grant reaches it.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for that action.
pub async fn load(
    store: &Store,
    grant: &Grant,
    action: Action,
    id: UserId,
    projection: &Arc<Projection>,
) -> Result<Option<Record>> {
    grant.permits(action, USERS)?;
    let statement = by_id(
        store,
        Plan::Load,
        grant,
        id,
        projection,
        &Filter::Everything,
    );
    let Some(row) = store.fetch_optional(statement).await? else {
        return Ok(None);
    };
    let version = row.count(projection.fields().len())?;
    Ok(Some(Record {
        item: select::item(&row, projection)?,
        version,
    }))
}

/// The whole records of these ids as they are about to be changed or removed, as far as the grant
/// reaches, in no order.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for that action.
pub async fn load_many(
    store: &Store,
    grant: &Grant,
    action: Action,
    ids: &[UserId],
    projection: &Arc<Projection>,
) -> Result<Vec<Record>> {
    grant.permits(action, USERS)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = store.dialect();
    let among = Filter::one_of("id", ids.iter().map(|id| id.0));
    let mut select = select::from(dialect, projection);
    select.expr(select::name(USERS, "roster_version"));
    select.cond_where(select::reached(dialect, projection.schema(), grant, &among));
    let rows = store.fetch(dialect.build(&select)).await?;
    let version = projection.fields().len();
    rows.iter()
        .map(|row| {
            let item = select::item(row, projection)?;
            Ok(Record {
                item,
                version: row.count(version)?,
            })
        })
        .collect()
}

/// The statement that reads one record, as far as the grant and the filter reach.
fn by_id(
    store: &Store,
    plan: Plan,
    grant: &Grant,
    id: UserId,
    projection: &Projection,
    filter: &Filter,
) -> Statement {
    let dialect = store.dialect();
    let build = || {
        let mut select = select::from(dialect, projection);
        if plan == Plan::Load {
            select.expr(select::name(USERS, "roster_version"));
        }
        let reached = select::reached(dialect, projection.schema(), grant, filter);
        select
            .and_where(select::name(USERS, "id").eq(dialect.uuid(id.0)))
            .cond_where(reached);
        dialect.build(&select)
    };
    match (grant.filter(), filter) {
        (Filter::Everything, Filter::Everything) => {
            let key = (
                plan,
                projection.schema().epoch(),
                projection.positions().to_vec(),
            );
            let text = store.plans.text(key, build);
            Statement::planned(text, vec![dialect.uuid(id.0)])
        }
        _ => build(),
    }
}

/// Stores a new record.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for creating; `RECORD_NOT_UNIQUE`, `INVALID_FOREIGN_KEY`.
pub async fn insert(tx: &mut Tx, grant: &Grant, valid: &Valid) -> Result<()> {
    grant.permits(Action::Create, USERS)?;
    let columns = columns(tx, valid)?;
    let mut insert = Sql::insert();
    insert
        .into_table(Alias::new(USERS.table()))
        .columns(columns.iter().map(|(name, _)| Alias::new(*name)))
        .values_panic(columns.into_iter().map(|(_, value)| value));
    let statement = tx.dialect().build(&insert);
    tx.write(statement)
        .await?
        .map(drop)
        .map_err(|violation| refusal(&violation, valid))
}

/// Changes a record that still has this version.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for updating; `CONFLICT` when the record has changed or is out of
/// the grant's reach by now; `RECORD_NOT_UNIQUE`, `INVALID_FOREIGN_KEY`.
pub async fn update(
    tx: &mut Tx,
    grant: &Grant,
    id: UserId,
    version: i64,
    valid: &Valid,
    generation: Generation,
) -> Result<()> {
    grant.permits(Action::Update, USERS)?;
    let dialect = tx.dialect();
    let mut update = Sql::update();
    update.table(Alias::new(USERS.table())).values(
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
        .and_where(select::name(USERS, "id").eq(dialect.uuid(id.0)))
        .and_where(select::name(USERS, "roster_version").eq(version))
        .cond_where(select::reached(
            dialect,
            valid.schema(),
            grant,
            &Filter::Everything,
        ));
    let done = tx.write(dialect.build(&update)).await?;
    exactly_one(done.map_err(|violation| refusal(&violation, valid))?)
}

/// Removes a record that still has this version, with its sessions and attachments.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for deleting; `CONFLICT` as for [`update`].
pub async fn delete(
    tx: &mut Tx,
    grant: &Grant,
    id: UserId,
    version: i64,
    schema: &roster_domain::Schema,
) -> Result<()> {
    grant.permits(Action::Delete, USERS)?;
    let dialect = tx.dialect();
    let mut delete = Sql::delete();
    delete
        .from_table(Alias::new(USERS.table()))
        .and_where(select::name(USERS, "id").eq(dialect.uuid(id.0)))
        .and_where(select::name(USERS, "roster_version").eq(version))
        .cond_where(select::reached(dialect, schema, grant, &Filter::Everything));
    exactly_one(tx.execute(dialect.build(&delete)).await?)
}

/// Refuses a transaction after which nobody active would administer. Concurrent ones wait for
/// each other.
///
/// # Errors
/// `UNPROCESSABLE_CONTENT`.
pub async fn keep_an_administrator(tx: &mut Tx) -> Result<()> {
    if let Some(lock) = tx.dialect().lock_administration() {
        tx.fetch(Statement::new(lock, Vec::new())).await?;
    }
    if tx
        .fetch(Statement::new(ADMINISTRATORS, Vec::new()))
        .await?
        .is_empty()
    {
        return Err(Error::unprocessable(
            "Cannot remove the last admin user from the system",
        ));
    }
    Ok(())
}

/// One active user with admin access by their own policy, their role's or an ancestor's.
const ADMINISTRATORS: &str = r#"
WITH RECURSIVE admin_role(id) AS (
    SELECT a."role" FROM "access" a JOIN "policies" p ON p."id" = a."policy"
    WHERE p."admin_access" AND a."role" IS NOT NULL
    UNION
    SELECT r."id" FROM "roles" r JOIN admin_role t ON r."parent" = t.id
)
SELECT u."id" FROM "users" u
WHERE u."status" = 'active' AND (
    u."role" IN (SELECT id FROM admin_role)
    OR EXISTS (
        SELECT 1 FROM "access" a JOIN "policies" p ON p."id" = a."policy"
        WHERE a."user" = u."id" AND p."admin_access"
    )
)
LIMIT 1"#;

fn columns<'v>(tx: &Tx, valid: &'v Valid) -> Result<Vec<(&'v str, Expr)>> {
    let mut columns = bound(tx.dialect(), valid)?;
    if let Some(address) = valid.get("email") {
        let key = Value::from(address.as_text().map(email::key));
        let key = tx.dialect().bind(FieldType::String, &key);
        columns.push(("email_key", Expr::val(key)));
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
    let sent = |name: &str| {
        let open = valid
            .schema()
            .field(name)
            .is_some_and(|field| !field.is_concealed);
        valid.get(name).filter(|_| open).map(Value::to_json)
    };
    match violation {
        Violation::Unique { column, .. } => {
            let name = if column == "email_key" {
                "email"
            } else {
                column.as_str()
            };
            problem::not_unique(USERS.as_str(), name, sent(name)).into()
        }
        Violation::ForeignKey => problem::foreign_key(USERS.as_str(), "role", sent("role")).into(),
    }
}
