//! Writing records: hooks, validation, one transaction, delivery after the commit.

use std::collections::{BTreeSet, HashMap};

use roster_domain::query::Parameters;
use roster_domain::{
    Action, Code, Collection, Draft, Error, Grant, Item, Key, Principal, Result, Value,
};
use roster_storage::Tx;
use roster_storage::unguarded::{self, Standing};
use serde_json::Value as Json;
use uuid::Uuid;

use super::batch::{self, Changes};
use super::checks::Touched;
use super::plan::{Op, Plan, What};
use super::read::{Readback, schema, select};
use super::store::{Reaches, prepare, store};
use super::{List, escalation};
use crate::context::Context;
use crate::write::{Attempts, commit};
use crate::{Inner, access};

pub(crate) use super::store::Ready;

/// How a transaction ends that nothing went wrong in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// What was written stays.
    Commit,
    /// Nothing of it stays: it was a trial.
    Undo,
}

/// Makes a record from a body; reads it back as far as the caller may.
pub(crate) async fn create(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    body: &Json,
    parameters: &Parameters,
) -> Result<Option<Item>> {
    access::grant(cx, Action::Create, collection)?;
    let readback = Readback::prepare(inner, cx, collection, parameters).await?;
    let made = create_all(inner, cx, collection, std::slice::from_ref(body)).await?;
    match made.first() {
        Some(key) => readback.read(inner, cx, *key).await,
        None => Ok(None),
    }
}

/// Makes several records, all or none; reads them back as far as the caller may.
pub(crate) async fn create_many(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    bodies: &[Json],
    parameters: &Parameters,
) -> Result<Option<List>> {
    access::grant(cx, Action::Create, collection)?;
    batch::check_size(bodies.len())?;
    let readback = Readback::prepare(inner, cx, collection, parameters).await?;
    let made = create_all(inner, cx, collection, bodies).await?;
    readback.read_many(inner, cx, &made).await
}

/// Makes records in one transaction; gives their keys.
pub(crate) async fn create_all(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    bodies: &[Json],
) -> Result<Vec<Key>> {
    save_all(inner, cx, collection, bodies, &[], End::Commit).await
}

/// Makes records and changes others in one transaction, again where another change came in between;
/// gives the keys of those that were made.
pub(crate) async fn save_all(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    bodies: &[Json],
    changes: &[(Key, Json)],
    end: End,
) -> Result<Vec<Key>> {
    let mut attempts = Attempts::first();
    loop {
        let done = save_once(inner, cx, collection, bodies, changes, end).await;
        if !attempts.again(&done) {
            return done;
        }
    }
}

async fn save_once(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    bodies: &[Json],
    changes: &[(Key, Json)],
    end: End,
) -> Result<Vec<Key>> {
    cx.effects.forget();
    let mut plan = Plan::new(inner, cx);
    let mut planned = Vec::with_capacity(bodies.len());
    for (index, body) in bodies.iter().enumerate() {
        plan.begin(index);
        let key = plan.create(collection, body, None, &[]).await;
        planned.push(key.map_err(|error| batch::of_item(error, index, bodies.len()))?);
    }
    if !changes.is_empty() {
        plan.update_many(collection, changes).await?;
    }
    let items = bodies.len().max(changes.len());
    let counted = run(inner, cx, plan.ops, items, end).await?;
    // A key that the database counted up belongs to the only such operation of its item.
    let keys = planned.into_iter().enumerate().map(|(index, key)| {
        let of_item =
            |&&(item, made, _): &&(usize, Collection, Key)| item == index && made == collection;
        key.or_else(|| counted.iter().find(of_item).map(|(_, _, key)| *key))
    });
    Ok(keys.flatten().collect())
}

/// Changes a record; reads it back as far as the caller may.
pub(crate) async fn update(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    id: &str,
    body: &Json,
    parameters: &Parameters,
) -> Result<Option<Item>> {
    access::grant(cx, Action::Update, collection)?;
    let readback = Readback::prepare(inner, cx, collection, parameters).await?;
    let key = schema(cx, collection)?.key_of(id);
    let key = key.ok_or_else(Error::forbidden)?;
    update_all(inner, cx, collection, &[(key, body.clone())]).await?;
    readback.read(inner, cx, key).await
}

/// Changes the caller.
pub(crate) async fn update_me(
    inner: &Inner,
    cx: &Context,
    body: &Json,
    parameters: &Parameters,
) -> Result<Item> {
    let Principal::User { id, .. } = cx.principal else {
        return Err(Code::InvalidCredentials.into());
    };
    let id = id.to_string();
    let item = update(inner, cx, Collection::Users, &id, body, parameters).await?;
    item.ok_or_else(Error::forbidden)
}

/// Changes many records, all or none; reads them back as far as the caller may.
pub(crate) async fn update_many(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    body: &Json,
    parameters: &Parameters,
) -> Result<Option<List>> {
    access::grant(cx, Action::Update, collection)?;
    let readback = Readback::prepare(inner, cx, collection, parameters).await?;
    let changes = match batch::changes(schema(cx, collection)?, body)? {
        Changes::Each(changes) => changes,
        Changes::Same(selection, data) => {
            let keys = select(inner, cx, collection, &selection).await?;
            let keys: BTreeSet<Key> = keys.into_iter().collect();
            keys.into_iter().map(|key| (key, data.clone())).collect()
        }
    };
    update_all(inner, cx, collection, &changes).await?;
    let keys: Vec<Key> = changes.iter().map(|(key, _)| *key).collect();
    readback.read_many(inner, cx, &keys).await
}

/// Changes records in one transaction, again where another change came in between.
pub(crate) async fn update_all(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    changes: &[(Key, Json)],
) -> Result<()> {
    save_all(inner, cx, collection, &[], changes, End::Commit)
        .await
        .map(drop)
}

/// Removes the record of that id.
pub(crate) async fn delete(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    id: &str,
) -> Result<()> {
    access::grant(cx, Action::Delete, collection)?;
    let key = schema(cx, collection)?.key_of(id);
    let key = key.ok_or_else(Error::forbidden)?;
    delete_all(inner, cx, collection, &[key]).await
}

/// Removes many records, all or none.
pub(crate) async fn delete_many(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    body: &Json,
) -> Result<()> {
    access::grant(cx, Action::Delete, collection)?;
    let selection = batch::removals(schema(cx, collection)?, body)?;
    let mut keys = select(inner, cx, collection, &selection).await?;
    keys.sort_unstable();
    keys.dedup();
    delete_all(inner, cx, collection, &keys).await
}

async fn delete_all(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    keys: &[Key],
) -> Result<()> {
    let mut attempts = Attempts::first();
    loop {
        let done = delete_once(inner, cx, collection, keys).await;
        if !attempts.again(&done) {
            return done;
        }
    }
}

async fn delete_once(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    keys: &[Key],
) -> Result<()> {
    cx.effects.forget();
    let mut plan = Plan::new(inner, cx);
    plan.delete_many(collection, keys).await?;
    run(inner, cx, plan.ops, 1, End::Commit).await.map(drop)
}

/// A change that is tried.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trial {
    /// A record is made.
    Create(Collection, Json),
    /// One is changed.
    Update(Collection, Key, Json),
    /// One is removed.
    Delete(Collection, Key),
}

/// Makes changes as they would be made, and undoes them; gives what decides who may do what, with
/// some users, before them and after.
pub(crate) async fn attempt(
    inner: &Inner,
    cx: &Context,
    trials: &[Trial],
    users: &[Uuid],
) -> Result<(Standing, Standing)> {
    cx.effects.forget();
    let mut plan = Plan::new(inner, cx);
    for (index, trial) in trials.iter().enumerate() {
        plan.begin(index);
        let planned = match trial {
            Trial::Create(collection, body) => {
                plan.create(*collection, body, None, &[]).await.map(drop)
            }
            Trial::Update(collection, key, body) => {
                plan.update(*collection, *key, body, None, &[]).await
            }
            Trial::Delete(collection, key) => plan.delete_many(*collection, &[*key]).await,
        };
        planned.map_err(|error| batch::of_item(error, index, trials.len()))?;
    }
    let ready = ready(inner, cx, plan.ops, trials.len()).await?;
    let mut tx = inner.store.begin().await?;
    let before = unguarded::standing(&mut tx, users).await?;
    let reaches = Reaches::of(cx, &mut tx, &ready).await?;
    let mut touched = Touched::default();
    for one in &ready {
        let stored = store(inner, cx, &mut tx, one, &reaches, &mut touched).await;
        stored.map_err(|error| batch::of_item(error, one.item, trials.len()))?;
    }
    touched.settle(&mut tx).await?;
    let after = unguarded::standing(&mut tx, users).await?;
    Ok((before, after))
}

/// Makes operations fit to be stored.
async fn ready(inner: &Inner, cx: &Context, ops: Vec<Op>, items: usize) -> Result<Vec<Ready>> {
    let mut ready: Vec<Ready> = Vec::with_capacity(ops.len());
    let mut changed = HashMap::new();
    for mut op in ops {
        let (item, of) = (op.item, (op.collection(), op.key));
        if let Some(&before) = changed.get(&of) {
            let followed = op.follow(cx, &ready[before]);
            followed.map_err(|error| batch::of_item(error, item, items))?;
        }
        let one = prepare(inner, cx, op).await;
        if let Some(one) = one.map_err(|error| batch::of_item(error, item, items))? {
            changed.insert(of, ready.len());
            ready.push(one);
        }
    }
    escalation::check(inner, cx, &ready).await?;
    Ok(ready)
}

/// Runs operations: hooks and validation first, then one transaction. Gives the keys that the
/// database counted up.
async fn run(
    inner: &Inner,
    cx: &Context,
    ops: Vec<Op>,
    items: usize,
    end: End,
) -> Result<Vec<(usize, Collection, Key)>> {
    let ready = ready(inner, cx, ops, items).await?;
    if ready.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = inner.store.begin().await?;
    let (mut told, mut counted) = (false, Vec::new());
    let reaches = Reaches::of(cx, &mut tx, &ready).await?;
    let mut touched = Touched::default();
    for one in &ready {
        let stored = store(inner, cx, &mut tx, one, &reaches, &mut touched).await;
        let (key, heard) = stored.map_err(|error| batch::of_item(error, one.item, items))?;
        told |= heard;
        if one.key.is_none() {
            counted.push((one.item, one.collection, key));
        }
    }
    touched.settle(&mut tx).await?;
    if end == End::Undo {
        // A transaction that is let go of is rolled back.
        return Ok(counted);
    }
    commit(inner, tx, told).await?;
    crate::files::forget(inner, &ready).await;
    Ok(counted)
}

/// A user that is fit to be stored, for use cases that write more in the same transaction.
pub(crate) async fn prepare_user(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    body: &Json,
) -> Result<Ready> {
    let users = cx.model.users();
    let draft = Draft::parse(users, roster_domain::schema::Stage::Create, body)?;
    let id = match draft.get("id").and_then(Value::as_uuid) {
        Some(id) => id,
        None => crate::system::new_id(cx.now)?,
    };
    let op = Op {
        grant: grant.clone(),
        judge: None,
        key: Some(Key::Uuid(id)),
        what: What::Create(draft),
        item: 0,
        path: Vec::new(),
    };
    let ready = prepare(inner, cx, op).await?;
    ready.ok_or_else(|| Error::internal("a new user without values"))
}

/// Stores a prepared record in a transaction that does more, and commits it.
pub(crate) async fn within(inner: &Inner, cx: &Context, mut tx: Tx, ready: &Ready) -> Result<()> {
    let told = put(inner, cx, &mut tx, ready).await?;
    commit(inner, tx, told).await
}

/// Stores a prepared record in a transaction that goes on. Whether somebody is to be told.
pub(crate) async fn put(inner: &Inner, cx: &Context, tx: &mut Tx, ready: &Ready) -> Result<bool> {
    let mut touched = Touched::default();
    let reaches = Reaches::default();
    let (_, told) = store(inner, cx, tx, ready, &reaches, &mut touched).await?;
    touched.settle(tx).await?;
    Ok(told)
}
