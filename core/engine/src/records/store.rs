//! One operation: made fit to be stored, then stored with all that goes with it.

use std::collections::BTreeSet;

use roster_domain::{
    Action, Collection, Draft, Error, Filter, Grant, Key, Principal, Record, Result, UserId, Valid,
    Value,
};
use roster_sdk::Event;
use roster_storage::Tx;
use roster_storage::records::{self, Reach, Reached};
use uuid::Uuid;

use super::checks::Touched;
use super::plan::{Op, What};
use super::read::schema;
use super::{collections, users};
use crate::context::Context;
use crate::hooks::AfterPayload;
use crate::secrets::{Sealed, seal};
use crate::write::{Change, record, tell};
use crate::{Inner, hooks, mail};

/// What the grants of a request reach, where that was asked before its first write.
#[derive(Default)]
pub(super) struct Reaches(Vec<(Grant, Reached)>);

impl Reaches {
    /// Asks the grants that look at other records: what is written first may change what they see.
    pub(super) async fn of(cx: &Context, tx: &mut Tx, ready: &[Ready]) -> Result<Self> {
        let mut asked: Vec<(&Grant, BTreeSet<Key>)> = Vec::new();
        for one in ready.iter().filter(|_| ready.len() > 1) {
            let is_new = matches!(one.what, Stored::Create(_));
            let of_others = !one.grant.filter().is_of_own(schema(cx, one.collection)?);
            let Some(key) = one.key.filter(|_| !is_new && of_others) else {
                continue;
            };
            match asked.iter_mut().find(|(grant, _)| **grant == one.grant) {
                Some((_, keys)) => drop(keys.insert(key)),
                None => asked.push((&one.grant, BTreeSet::from([key]))),
            }
        }
        let mut answers = Vec::with_capacity(asked.len());
        for (grant, keys) in asked {
            let schema = schema(cx, grant.collection())?;
            let reached = records::reach(tx, &cx.model, grant, schema, keys).await?;
            answers.push((grant.clone(), reached));
        }
        Ok(Self(answers))
    }

    fn find<'a>(&'a self, grant: &'a Grant) -> Reach<'a> {
        let asked = self.0.iter().find(|(asked, _)| asked == grant);
        asked.map_or(Reach::Now(grant), |(_, reached)| Reach::Before(reached))
    }
}

/// An operation that is fit to be stored.
pub(crate) struct Ready {
    pub(super) collection: Collection,
    pub(super) grant: Grant,
    pub(super) key: Option<Key>,
    pub(super) what: Stored,
    /// Whether the caller asked for it, as against what follows from something else.
    pub(super) is_asked: bool,
    pub(super) item: usize,
    /// Whether it brings an archived user back: what let the old one in is gone.
    revives: bool,
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

/// Everything before the transaction: hooks, stamps, validation, hashing. Nothing when nothing is
/// to be changed.
pub(crate) async fn prepare(inner: &Inner, cx: &Context, op: Op) -> Result<Option<Ready>> {
    let collection = op.collection();
    let Op {
        grant,
        judge,
        key,
        what,
        item,
        path,
    } = op;
    let revives = judge.is_some();
    let rules = judge.as_ref().unwrap_or(&grant);
    let prepared = match what {
        What::Create(mut draft) => {
            let item = key.map(|key| key.to_string());
            hooks::before_create(inner, cx, collection, item, &mut draft).await?;
            let valid = fit(inner, cx, rules, key, draft, None).await;
            valid.map(|mut valid| {
                if let Some(key) = key {
                    valid.identify(key);
                }
                Some(Stored::Create(valid))
            })
        }
        What::Update(stored, mut draft) => {
            let Some(key) = key else { return Ok(None) };
            let item = key.to_string();
            hooks::before_update(inner, cx, collection, item, &*stored, &mut draft).await?;
            let valid = fit(inner, cx, rules, Some(key), draft, Some(&stored)).await;
            valid.map(|valid| (!valid.is_empty()).then_some(Stored::Update(stored, valid)))
        }
        What::Delete(stored) => {
            let Some(key) = key else { return Ok(None) };
            hooks::before_delete(inner, cx, collection, &key.to_string(), &*stored).await?;
            Ok(Some(Stored::Delete(stored)))
        }
    };
    let is_asked = rules.rules().is_some();
    let prepared = prepared.map_err(|error| error.beneath(&path))?;
    Ok(prepared.map(|what| Ready {
        collection,
        grant,
        key,
        what,
        is_asked,
        item,
        revives,
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
    admit(grant, &valid, stored)?;
    let address = valid.get("email").or_else(|| stored?.item.get("email"));
    let address = address.and_then(Value::as_text).map(ToOwned::to_owned);
    let Sealed(valid) = seal(inner, valid, address.as_deref()).await?;
    Ok(valid)
}

/// Refuses a new record that is none of those which may be made. What hangs on other records cannot
/// be told before it is there, and is refused.
fn admit(grant: &Grant, valid: &Valid, stored: Option<&Record>) -> Result<()> {
    let filter = grant.filter();
    if grant.action() != Action::Create || *filter == Filter::Everything {
        return Ok(());
    }
    let value = |name: &str| {
        let value = valid.get(name).or_else(|| stored?.item.get(name));
        value.cloned().unwrap_or(Value::Null)
    };
    if filter.is_of_own(valid.schema()) && filter.matches(&value) {
        Ok(())
    } else {
        Err(Error::forbidden())
    }
}

/// Writes one record with all that goes with it. Its key, and whether somebody is to be told.
pub(super) async fn store(
    inner: &Inner,
    cx: &Context,
    tx: &mut Tx,
    ready: &Ready,
    reaches: &Reaches,
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
            let (reach, version) = (reaches.find(&ready.grant), stored.version);
            records::update(tx, model, reach, key, version, valid, generation).await?;
            touched.update(collection, key, valid);
            let change = Change::of(collection, "update", key, Some((&after, delta)));
            record(tx, cx, change).await?;
            let mut noticed = false;
            if let (true, Some(id)) = (is_user, key.uuid()) {
                if ready.revives {
                    users::forget_credentials(tx, UserId(id)).await?;
                }
                users::end_sessions(tx, UserId(id), valid).await?;
                noticed = mail::changed(inner, tx, cx, stored, valid).await?;
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
            let (reach, version) = (reaches.find(&ready.grant), stored.version);
            let schema = schema(cx, collection)?;
            records::delete(tx, model, reach, key, version, schema).await?;
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

impl Op {
    /// Comes after another operation on the same record: what that one writes is there already.
    ///
    /// # Errors
    /// Those of what only fits the record as it was.
    pub(super) fn follow(&mut self, cx: &Context, before: &Ready) -> Result<()> {
        if let (What::Update(stored, draft), Stored::Update(earlier, written)) =
            (&mut self.what, &before.what)
        {
            **stored = earlier.with(written);
            collections::guard_following(cx, stored, draft)?;
        }
        Ok(())
    }
}

impl Ready {
    pub(crate) const fn collection(&self) -> Collection {
        self.collection
    }

    pub(crate) const fn key(&self) -> Option<Key> {
        self.key
    }

    pub(crate) const fn what(&self) -> &Stored {
        &self.what
    }

    /// The id of the user that will be made.
    pub(crate) fn id(&self) -> Option<Uuid> {
        self.key.and_then(Key::uuid)
    }
}
