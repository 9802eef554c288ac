//! From bodies to operations: what is nested in a body becomes an operation of its own, under its
//! own grant, and all of them happen together or not at all.

mod nested;
mod removed;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use roster_domain::error::field as problem;
use roster_domain::field::describe;
use roster_domain::schema::Stage;
use roster_domain::value::MASK;
use roster_domain::{
    Action, Collection, Draft, Error, Field, Grant, Key, Reason, Record, Result, Schema, Value,
};
use serde_json::{Map, Value as Json};

use super::read::{load, schema};
use super::{batch, users};
use crate::context::Context;
use crate::system::new_id;
use crate::{Inner, access};

/// One record that is to be written.
pub(crate) struct Op {
    /// What may be written.
    pub(crate) grant: Grant,
    /// The caller's own grant, where the write is made under another: its rules bind the values.
    pub(crate) judge: Option<Grant>,
    /// Which record; nothing for one whose key the database counts up.
    pub(crate) key: Option<Key>,
    /// What is to be done.
    pub(crate) what: What,
    /// Which item of a batch it belongs to.
    pub(crate) item: usize,
    /// Fields of the items above it.
    pub(crate) path: Vec<String>,
}

/// What is to be done with a record.
pub(crate) enum What {
    /// It is made.
    Create(Draft),
    /// It is changed.
    Update(Box<Record>, Draft),
    /// It is removed.
    Delete(Box<Record>),
}

impl Op {
    pub(crate) const fn collection(&self) -> Collection {
        self.grant.collection()
    }
}

/// How deep bodies may be nested.
const DEEPEST: usize = 10;

/// Collects operations.
pub(crate) struct Plan<'a> {
    inner: &'a Inner,
    cx: &'a Context,
    pub(crate) ops: Vec<Op>,
    item: usize,
    removed: BTreeSet<(Collection, Key)>,
    /// What is to be removed and is not planned yet.
    doomed: BTreeMap<(Collection, Key), (Grant, Record)>,
}

type Body = Map<String, Json>;

/// A field of a record that points at the record above it.
type Back<'b> = Option<(&'b str, Key)>;

impl<'a> Plan<'a> {
    pub(crate) const fn new(inner: &'a Inner, cx: &'a Context) -> Self {
        Self {
            inner,
            cx,
            ops: Vec::new(),
            item: 0,
            removed: BTreeSet::new(),
            doomed: BTreeMap::new(),
        }
    }

    /// Which item of a batch comes next.
    pub(crate) const fn begin(&mut self, item: usize) {
        self.item = item;
    }

    fn push(&mut self, grant: Grant, key: Option<Key>, what: What, path: &[String]) -> Result<()> {
        batch::check_size(self.ops.len() + 1)?;
        self.ops.push(Op {
            grant,
            judge: None,
            key,
            what,
            item: self.item,
            path: path.to_vec(),
        });
        Ok(())
    }

    /// Plans to make a record; gives its key unless the database counts it up.
    pub(crate) fn create<'p>(
        &'p mut self,
        collection: Collection,
        body: &'p Json,
        back: Back<'p>,
        path: &'p [String],
    ) -> BoxFuture<'p, Result<Option<Key>>> {
        Box::pin(async move {
            let grant = access::grant(self.cx, Action::Create, collection)?;
            let schema = std::sync::Arc::clone(schema(self.cx, collection)?);
            let mut own = object(body)?.clone();
            check_depth(path)?;
            let lists = take_lists(&schema, &mut own);
            permit(&grant, &own, &lists, back)?;
            if let Some(revived) =
                super::revive::find(self.inner, self.cx, collection, &own).await?
            {
                let revived = self.revive(revived, grant, own, lists, path).await;
                return revived.map(Some);
            }
            let given = own.get("id").filter(|id| !id.is_null());
            let key = match given {
                Some(id) => Some(schema.key(id).ok_or_else(|| wrong_key(&schema, id))?),
                None if schema.counts_keys() => None,
                None => Some(Key::Uuid(new_id(self.cx.now)?)),
            };
            self.ones(&schema, &mut own, path).await?;
            let mut draft = Draft::parse(&schema, Stage::Create, &Json::Object(own))?;
            refuse_unknown(&schema, &draft, &grant)?;
            refuse_readonly(&schema, &draft)?;
            if let Some((field, owner)) = back {
                draft.set(field, owner.value());
            }
            draft.preset(&grant.presets())?;
            super::collections::guard_create(self.cx, collection, &draft)?;
            self.push(grant, key, What::Create(draft), path)?;
            if let Some(key) = key {
                self.lists(&schema, key, lists, true, path).await?;
            }
            Ok(key)
        })
    }

    /// An archived user takes the place of the new one that has their address.
    async fn revive(
        &mut self,
        key: Key,
        asked: Grant,
        own: Body,
        lists: Vec<(String, Json)>,
        path: &[String],
    ) -> Result<Key> {
        let users = std::sync::Arc::clone(self.cx.model.users());
        let update = Grant::system(Reason::Consequence, Action::Update, Collection::Users);
        let mut own = super::revive::fresh(own);
        self.ones(&users, &mut own, path).await?;
        let stored = load(self.inner, self.cx, &update, &[key]).await?;
        let mut draft = Draft::parse(&users, Stage::Update, &Json::Object(own))?;
        refuse_unknown(&users, &draft, &asked)?;
        refuse_readonly(&users, &draft)?;
        draft.preset(&asked.presets())?;
        super::revive::complete(&users, &mut draft);
        let attached = self.related(Collection::Access, "user", key).await?;
        let delete = Grant::system(Reason::Consequence, Action::Delete, Collection::Access);
        for record in load(self.inner, self.cx, &delete, &attached).await? {
            let key = record.key();
            self.push(delete.clone(), key, What::Delete(Box::new(record)), path)?;
        }
        for stored in stored {
            let what = What::Update(Box::new(stored), draft.clone());
            self.push(update.clone(), Some(key), what, path)?;
            // The write is the server's; what it may say is what the caller may.
            if let Some(op) = self.ops.last_mut() {
                op.judge = Some(asked.clone());
            }
        }
        self.lists(&users, key, lists, true, path).await?;
        Ok(key)
    }

    /// Plans to change several records of a collection, each in its own way.
    pub(crate) async fn update_many(
        &mut self,
        collection: Collection,
        changes: &[(Key, Json)],
    ) -> Result<()> {
        let grant = access::grant(self.cx, Action::Update, collection)?;
        let mut narrowed = Vec::with_capacity(changes.len());
        for (index, (_, body)) in changes.iter().enumerate() {
            let one = self.narrowed(&grant, body, None);
            narrowed.push(one.map_err(|error| batch::of_item(error, index, changes.len()))?);
        }
        // Records whose changes need the same rights are loaded together.
        let mut stored: Vec<Option<Record>> = vec![None; changes.len()];
        for first in 0..changes.len() {
            if stored[first].is_some() {
                continue;
            }
            let alike: Vec<usize> = (first..changes.len())
                .filter(|&index| stored[index].is_none() && narrowed[index] == narrowed[first])
                .collect();
            let keys: Vec<Key> = alike.iter().map(|&index| changes[index].0).collect();
            let loaded = load(self.inner, self.cx, &narrowed[first], &keys).await?;
            for (index, record) in alike.into_iter().zip(loaded) {
                stored[index] = Some(record);
            }
        }
        for (index, (((key, body), grant), stored)) in
            changes.iter().zip(narrowed).zip(stored).enumerate()
        {
            self.begin(index);
            let stored = stored.ok_or_else(Error::forbidden)?;
            let one = self.change(grant, *key, stored, body, None, &[]).await;
            one.map_err(|error| batch::of_item(error, index, changes.len()))?;
        }
        Ok(())
    }

    /// The grant for records on which every field of a body may be written.
    fn narrowed(&self, grant: &Grant, body: &Json, back: Back<'_>) -> Result<Grant> {
        let schema = schema(self.cx, grant.collection())?;
        let is_masked = |name: &str, json: &Json| {
            let is_secret = schema.field(name).is_some_and(|field| field.is_concealed);
            is_secret && json.as_str() == Some(MASK)
        };
        let sent = object(body)?.iter().filter(|(name, json)| {
            *name != "id" && *name != "current_password" && !is_masked(name, json)
        });
        let names = sent.map(|(name, _)| name.as_str());
        let known = |name: &&str| schema.field(name).is_some() || grant.rules().is_some();
        grant.writing(names.filter(known).chain(back.map(|(name, _)| name)))
    }

    /// Plans to change one record, as those that are nested in others.
    pub(crate) fn update<'p>(
        &'p mut self,
        collection: Collection,
        key: Key,
        body: &'p Json,
        back: Back<'p>,
        path: &'p [String],
    ) -> BoxFuture<'p, Result<()>> {
        Box::pin(async move {
            let grant = access::grant(self.cx, Action::Update, collection)?;
            let grant = self.narrowed(&grant, body, back)?;
            let stored = load(self.inner, self.cx, &grant, &[key]).await?;
            for stored in stored {
                self.change(grant.clone(), key, stored, body, back, path)
                    .await?;
            }
            Ok(())
        })
    }

    fn change<'p>(
        &'p mut self,
        grant: Grant,
        key: Key,
        stored: Record,
        body: &'p Json,
        back: Back<'p>,
        path: &'p [String],
    ) -> BoxFuture<'p, Result<()>> {
        Box::pin(async move {
            let schema = std::sync::Arc::clone(schema(self.cx, grant.collection())?);
            check_depth(path)?;
            let mut own = object(body)?.clone();
            if grant.collection() == Collection::Users {
                users::prove_password_change(self.inner, self.cx, key, &stored, &mut own).await?;
            }
            let lists = take_lists(&schema, &mut own);
            self.ones(&schema, &mut own, path).await?;
            let mut draft = Draft::parse(&schema, Stage::Update, &Json::Object(own))?;
            refuse_unknown(&schema, &draft, &grant)?;
            refuse_readonly(&schema, &draft)?;
            if let Some((field, owner)) = back {
                draft.set(field, owner.value());
            }
            if draft.names().next().is_some() || !lists.is_empty() {
                draft.preset(&grant.presets())?;
            }
            super::collections::guard_update(self.cx, &stored, &mut draft)?;
            if draft.names().next().is_some() {
                let what = What::Update(Box::new(stored), draft);
                self.push(grant, Some(key), what, path)?;
            }
            self.lists(&schema, key, lists, false, path).await
        })
    }

    /// Plans to remove records, with what follows from that for those that point at them.
    pub(crate) async fn delete_many(&mut self, collection: Collection, keys: &[Key]) -> Result<()> {
        let grant = access::grant(self.cx, Action::Delete, collection)?;
        let stored = load(self.inner, self.cx, &grant, keys).await?;
        for (key, stored) in keys.iter().zip(stored) {
            let doomed = (grant.clone(), stored);
            self.doomed.insert((collection, *key), doomed);
        }
        for key in keys {
            if let Some((grant, stored)) = self.doomed.remove(&(collection, *key)) {
                self.remove(grant, *key, stored, &[]).await?;
            }
        }
        Ok(())
    }
}

fn below(path: &[String], name: &str) -> Vec<String> {
    let mut below = path.to_vec();
    below.push(name.to_owned());
    below
}

fn check_depth(path: &[String]) -> Result<()> {
    if path.len() <= DEEPEST {
        return Ok(());
    }
    let reason = format!("records are nested deeper than {DEEPEST} levels");
    Err(Error::invalid_payload(reason))
}

fn object(body: &Json) -> Result<&Body> {
    body.as_object().ok_or_else(|| {
        Error::invalid_payload(format!("expected an object, got {}", describe(body)))
    })
}

/// A key that cannot be one.
pub(crate) fn wrong_key(schema: &Schema, json: &Json) -> Error {
    let expected = if schema.counts_keys() {
        "an integer"
    } else {
        "a UUID"
    };
    problem::wrong_type("id", expected, describe(json)).into()
}

/// Takes the lists out of a body: they are records of other collections.
fn take_lists(schema: &Schema, own: &mut Body) -> Vec<(String, Json)> {
    let lists = schema.fields().iter().filter(|field| !field.is_stored());
    lists
        .filter_map(|field| Some((field.name.clone(), own.remove(&field.name)?)))
        .collect()
}

/// Refuses fields that the caller may not write on a record that is made.
fn permit(grant: &Grant, own: &Body, lists: &[(String, Json)], back: Back<'_>) -> Result<()> {
    if grant.rules().is_none() {
        return Ok(());
    }
    let lists = lists.iter().map(|(name, _)| name.as_str());
    let names = own.keys().map(String::as_str).chain(lists);
    grant
        .writing(names.chain(back.map(|(name, _)| name)))
        .map(drop)
}

/// What does not exist looks like what may not be written to whoever may not write all.
pub(crate) fn refuse_unknown(schema: &Schema, draft: &Draft, grant: &Grant) -> Result<()> {
    let collection = schema.collection().as_str();
    if draft.unknown().is_empty() {
        return Ok(());
    }
    if grant.rules().is_some() {
        return Err(Error::forbidden_fields(collection, draft.unknown()));
    }
    let unknown = draft.unknown().iter();
    let unknown = unknown.map(|name| problem::unknown(collection, name));
    Error::of(unknown.collect()).map_or(Ok(()), Err)
}

/// What callers cannot write; what hooks and specials put there later is theirs.
fn refuse_readonly(schema: &Schema, draft: &Draft) -> Result<()> {
    let is_readonly = |field: &Field| {
        let demands = field.demands.as_ref();
        demands.is_some_and(|demands| demands.readonly)
    };
    let sent = draft.iter().map(|(field, _)| field);
    let readonly = sent.filter(|field| is_readonly(field)).map(|field| {
        problem::failed(&field.name, "readonly", "Value can't be written.")
            .with("collection", schema.collection().as_str())
    });
    Error::of(readonly.collect()).map_or(Ok(()), Err)
}

/// The value a draft or, where it says nothing, the stored record has for a field.
pub(crate) fn final_value<'v>(
    draft: Option<&'v Value>,
    stored: Option<&'v Record>,
    name: &str,
) -> Option<&'v Value> {
    draft.or_else(|| stored.and_then(|record| record.item.get(name)))
}
