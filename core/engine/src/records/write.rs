//! Writing records: hooks, validation, one transaction, delivery after the commit.

use std::collections::BTreeSet;

use roster_domain::query::Parameters;
use roster_domain::{
    Action, Code, Collection, Draft, Error, Grant, Item, Key, Principal, Record, Result, UserId,
    Valid, Value,
};
use roster_sdk::Event;
use roster_storage::{Tx, records};
use serde_json::Value as Json;
use uuid::Uuid;

use super::batch::{self, Changes};
use super::checks::Touched;
use super::plan::{Op, Plan, What};
use super::read::{Readback, schema, select};
use super::{List, escalation, users};
use crate::context::Context;
use crate::hooks::AfterPayload;
use crate::secrets::{Sealed, seal};
use crate::write::{Attempts, Change, commit, record, tell};
use crate::{Inner, access, hooks, notices};

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
    let mut attempts = Attempts::first();
    loop {
        let done = create_once(inner, cx, collection, bodies).await;
        if !attempts.again(&done) {
            return done;
        }
    }
}

async fn create_once(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    bodies: &[Json],
) -> Result<Vec<Key>> {
    let mut plan = Plan::new(inner, cx);
    let mut planned = Vec::with_capacity(bodies.len());
    for (index, body) in bodies.iter().enumerate() {
        plan.begin(index);
        let key = plan.create(collection, body, None, &[]).await;
        planned.push(key.map_err(|error| batch::of_item(error, index, bodies.len()))?);
    }
    let counted = run(inner, cx, plan.ops, bodies.len()).await?;
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
    let mut attempts = Attempts::first();
    loop {
        let done = update_once(inner, cx, collection, changes).await;
        if !attempts.again(&done) {
            return done;
        }
    }
}

async fn update_once(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    changes: &[(Key, Json)],
) -> Result<()> {
    let mut plan = Plan::new(inner, cx);
    plan.update_many(collection, changes).await?;
    run(inner, cx, plan.ops, changes.len()).await.map(drop)
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
    let mut plan = Plan::new(inner, cx);
    plan.delete_many(collection, keys).await?;
    run(inner, cx, plan.ops, 1).await.map(drop)
}

/// An operation that is fit to be stored.
pub(crate) struct Ready {
    pub(super) collection: Collection,
    pub(super) grant: Grant,
    pub(super) key: Option<Key>,
    pub(super) what: Stored,
    /// Whether the caller asked for it, as against what follows from something else.
    pub(super) is_asked: bool,
    item: usize,
}

/// What is to be stored.
pub(crate) enum Stored {
    /// A new record.
    Create(Valid),
    /// A change.
    Update(Box<Record>, Valid),
    /// A removal.
    Delete(Box<Record>),
}

/// Runs operations: hooks and validation first, then one transaction. Gives the keys that the
/// database counted up.
async fn run(
    inner: &Inner,
    cx: &Context,
    ops: Vec<Op>,
    items: usize,
) -> Result<Vec<(usize, Collection, Key)>> {
    let mut ready = Vec::with_capacity(ops.len());
    for op in ops {
        let item = op.item;
        let one = prepare(inner, cx, op).await;
        ready.extend(one.map_err(|error| batch::of_item(error, item, items))?);
    }
    if ready.is_empty() {
        return Ok(Vec::new());
    }
    escalation::check(inner, cx, &ready).await?;
    let mut tx = inner.store.begin().await?;
    let (mut told, mut counted) = (false, Vec::new());
    let mut touched = Touched::default();
    for one in &ready {
        let stored = store(inner, cx, &mut tx, one, &mut touched).await;
        let (key, heard) = stored.map_err(|error| batch::of_item(error, one.item, items))?;
        told |= heard;
        if one.key.is_none() {
            counted.push((one.item, one.collection, key));
        }
    }
    touched.settle(&mut tx).await?;
    commit(inner, tx, told).await?;
    Ok(counted)
}

/// Everything before the transaction: hooks, stamps, validation, hashing. Nothing when nothing is
/// to be changed.
pub(crate) async fn prepare(inner: &Inner, cx: &Context, op: Op) -> Result<Option<Ready>> {
    let collection = op.collection();
    let Op {
        grant,
        key,
        what,
        item,
        path,
    } = op;
    let prepared = match what {
        What::Create(mut draft) => {
            hooks::before_create(inner, cx, collection, key, &mut draft).await?;
            let valid = fit(inner, cx, &grant, key, draft, None).await;
            valid.map(|mut valid| {
                if let Some(key) = key {
                    valid.identify(key);
                }
                Some(Stored::Create(valid))
            })
        }
        What::Update(stored, mut draft) => {
            let Some(key) = key else { return Ok(None) };
            hooks::before_update(inner, cx, collection, key, &stored, &mut draft).await?;
            let valid = fit(inner, cx, &grant, Some(key), draft, Some(&stored)).await;
            valid.map(|valid| (!valid.is_empty()).then_some(Stored::Update(stored, valid)))
        }
        What::Delete(stored) => {
            let Some(key) = key else { return Ok(None) };
            hooks::before_delete(inner, cx, collection, key, &stored).await?;
            Ok(Some(Stored::Delete(stored)))
        }
    };
    let prepared = prepared.map_err(|error| error.beneath(&path))?;
    Ok(prepared.map(|what| Ready {
        collection,
        is_asked: grant.rules().is_some(),
        grant,
        key,
        what,
        item,
    }))
}

async fn fit(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    key: Option<Key>,
    mut draft: Draft,
    stored: Option<&Record>,
) -> Result<Valid> {
    let (user, role) = match &cx.principal {
        Principal::User { id, role, .. } => (Some(id.0), role.map(|role| role.0)),
        Principal::Public | Principal::System(_) => (None, None),
    };
    let fresh = crate::system::new_id(cx.now)?;
    draft.stamp(cx.now, user, role, Some(fresh));
    let mut valid = draft.validate(&cx.model, grant.validations())?;
    if let (Some(key), None) = (key, stored) {
        valid.identify(key);
    }
    let address = valid.get("email").or_else(|| stored?.item.get("email"));
    let address = address.and_then(Value::as_text).map(ToOwned::to_owned);
    let Sealed(valid) = seal(inner, valid, address.as_deref()).await?;
    Ok(valid)
}

/// Writes one record with all that goes with it. Its key, and whether somebody is to be told.
async fn store(
    inner: &Inner,
    cx: &Context,
    tx: &mut Tx,
    ready: &Ready,
    touched: &mut Touched,
) -> Result<(Key, bool)> {
    let collection = ready.collection;
    let model = &cx.model;
    let missing = || Error::internal("an operation without a key");
    match &ready.what {
        Stored::Create(valid) => {
            let key = records::insert(tx, model, &ready.grant, valid).await?;
            touched.create(collection, key, valid);
            let snapshot = valid.to_json();
            let revision = Some((&snapshot, snapshot.clone()));
            record(tx, cx, Change::of(collection, "create", key, revision)).await?;
            let told = tell(
                inner,
                tx,
                cx,
                collection,
                Event::AfterCreate,
                key,
                |occasion| AfterPayload::of(occasion, snapshot.clone()),
            );
            Ok((key, told.await?))
        }
        Stored::Update(stored, valid) => {
            let key = ready.key.ok_or_else(missing)?;
            let delta = valid.to_json();
            let mut after = stored.item.to_json();
            after.extend(delta.clone());
            let changed: Vec<String> = delta.keys().cloned().collect();
            let is_user = collection == Collection::Users;
            let generation = if is_user {
                users::generation(valid)
            } else {
                records::Generation::Keep
            };
            let (grant, version) = (&ready.grant, stored.version);
            records::update(tx, model, grant, key, version, valid, generation).await?;
            touched.update(collection, key, valid);
            let change = Change::of(collection, "update", key, Some((&after, delta)));
            record(tx, cx, change).await?;
            let mut noticed = false;
            if let (true, Some(id)) = (is_user, key.uuid()) {
                users::end_sessions(tx, UserId(id), valid).await?;
                noticed = notices::changed(inner, tx, cx, stored, valid).await?;
            }
            let told = tell(
                inner,
                tx,
                cx,
                collection,
                Event::AfterUpdate,
                key,
                |occasion| AfterPayload {
                    changed,
                    ..AfterPayload::of(occasion, after.clone())
                },
            );
            Ok((key, told.await? || noticed))
        }
        Stored::Delete(stored) => {
            let key = ready.key.ok_or_else(missing)?;
            let (grant, version) = (&ready.grant, stored.version);
            let schema = schema(cx, collection)?;
            records::delete(tx, model, grant, key, version, schema).await?;
            touched.delete(collection);
            record(tx, cx, Change::of(collection, "delete", key, None)).await?;
            let told = tell(
                inner,
                tx,
                cx,
                collection,
                Event::AfterDelete,
                key,
                |occasion| AfterPayload::of(occasion, stored.item.to_json()),
            );
            Ok((key, told.await?))
        }
    }
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
        key: Some(Key::Uuid(id)),
        what: What::Create(draft),
        item: 0,
        path: Vec::new(),
    };
    let ready = prepare(inner, cx, op).await?;
    ready.ok_or_else(|| Error::internal("a new user without values"))
}

impl Ready {
    /// The id of the user that will be made.
    pub(crate) fn id(&self) -> Option<Uuid> {
        self.key.and_then(Key::uuid)
    }
}

/// Stores a prepared user in a transaction that does more, and commits it.
pub(crate) async fn within(inner: &Inner, cx: &Context, mut tx: Tx, ready: &Ready) -> Result<()> {
    let mut touched = Touched::default();
    let (_, told) = store(inner, cx, &mut tx, ready, &mut touched).await?;
    touched.settle(&mut tx).await?;
    commit(inner, tx, told).await
}
