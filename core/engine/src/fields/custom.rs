//! Adding, changing and removing custom fields of users. Every node follows with its next request.

mod checks;

use std::sync::Arc;

use roster_domain::schema::Definition;
use roster_domain::{Action, Collection, Error, FieldType, Grant, Model, Result};
use roster_sdk::Event;
use roster_storage::{Tx, fields};
use serde_json::{Map, Value as Json};

use self::checks::{
    built_in, changed, check, check_name, column, is_built_in, kind, meta_of, object, only_users,
    place, refuse_duplicates, refuse_nulls,
};
use super::said::item;
use super::{Said, administer, custom_field};
use crate::context::Context;
use crate::write::commit;
use crate::{Inner, hooks};

/// How often a change that met another one is tried.
const ATTEMPTS: usize = 4;

const FIELDS: Collection = Collection::Fields;

fn payload(reason: impl std::fmt::Display) -> Error {
    Error::invalid_payload(reason)
}

/// Adds a field.
pub(crate) async fn create(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    body: &Json,
) -> Result<Json> {
    let grant = administer(cx, Action::Create, FIELDS)?;
    only_users(cx, collection)?;
    let map = object(body)?;
    let allowed = ["field", "type", "schema", "meta", "collection"];
    if let Some(stranger) = map.keys().find(|key| !allowed.contains(&key.as_str())) {
        return Err(payload(format!("\"{stranger}\" is not allowed")));
    }
    let name = match map.get("field") {
        Some(Json::String(name)) => name.as_str(),
        Some(_) => return Err(payload("\"field\" must be a string")),
        None => return Err(payload("\"field\" is required")),
    };
    let draft = Said::created(FIELDS, name, map);
    // A malformed body is refused before any hook is asked.
    wanted(name, &draft)?;
    let made = repeat(inner, cx, |model| {
        create_once(inner, cx, &grant, model, name, draft.clone())
    });
    let made = made.await?;
    if let Err(error) = fields::index(&inner.store, &grant, &made).await {
        undo_create(inner, cx, &made).await?;
        return Err(error);
    }
    shown(inner, name).await
}

async fn create_once(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    model: Arc<Model>,
    name: &str,
    mut draft: Said,
) -> Result<Option<Definition>> {
    hooks::before_create(inner, cx, FIELDS, Some(item(name)), &mut draft).await?;
    let mut wanted = wanted(name, &draft)?;
    check_name(&model, name)?;
    check(&model, &wanted)?;
    if let Some(meta) = &mut wanted.meta {
        place(&model, meta);
    }
    let Some(mut tx) = begin(inner, &model).await? else {
        return Ok(None);
    };
    fields::insert(&mut tx, grant, &wanted).await?;
    let field = wanted.field();
    let update = administer(cx, Action::Update, FIELDS)?;
    if !field.is_nullable && field.is_stored() {
        refuse_nulls(&mut tx, &update, &wanted).await?;
    }
    if field.is_unique {
        refuse_duplicates(&mut tx, &update, &wanted).await?;
    }
    let said = Said::field(&wanted);
    let told = said.note(inner, &mut tx, cx, Event::AfterCreate, Vec::new());
    let told = told.await?;
    commit(inner, tx, told).await?;
    Ok(Some(wanted))
}

/// The field that a body asks for.
fn wanted(name: &str, said: &Said) -> Result<Definition> {
    let values = said.values();
    let kind = match values.get("type") {
        None | Some(Json::Null) => FieldType::Alias,
        Some(json) => kind(json)?,
    };
    Ok(Definition {
        id: 0,
        field: name.to_owned(),
        kind,
        schema: column(kind, Map::new(), values.get("schema"))?,
        meta: match values.get("meta") {
            None | Some(Json::Null) => None,
            Some(meta) => Some(meta_of(Map::new(), meta)?),
        },
    })
}

/// Takes a field away whose index could not be built: a field that was asked to be unique is not
/// there unless it is. Whoever was told that it was made is told that it is gone.
async fn undo_create(inner: &Inner, cx: &Context, made: &Definition) -> Result<()> {
    let remove = administer(cx, Action::Delete, FIELDS)?;
    let mut tx = inner.store.begin().await?;
    fields::delete(&mut tx, &remove, made).await?;
    let said = Said::field(made);
    let told = said.note(inner, &mut tx, cx, Event::AfterDelete, Vec::new());
    let told = told.await?;
    commit(inner, tx, told).await
}

/// Changes a field.
pub(crate) async fn update(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    name: &str,
    body: &Json,
) -> Result<Json> {
    let grant = administer(cx, Action::Update, FIELDS)?;
    only_users(cx, collection)?;
    let map = object(body)?;
    if is_built_in(&Model::built_in(), name) {
        return built_in(inner, cx, name, map);
    }
    update_all(inner, cx, &grant, &[(name, map)]).await?;
    shown(inner, name).await
}

/// Changes several fields, in the order in which they are named: all of them or none.
pub(crate) async fn update_many(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    body: &Json,
) -> Result<Vec<Json>> {
    let grant = administer(cx, Action::Update, FIELDS)?;
    let Json::Array(items) = body else {
        return Err(payload("Submitted body has to be an array"));
    };
    only_users(cx, collection)?;
    let (model, mut names) = (Model::built_in(), Vec::new());
    let mut wishes: Vec<(&str, Map<String, Json>)> = Vec::new();
    for item in items {
        let map = object(item)?;
        let name = map.get("field").and_then(Json::as_str);
        let name = name.ok_or_else(|| payload("\"field\" is required"))?;
        if is_built_in(&model, name) {
            let others = map.iter().filter(|(key, _)| *key != "field");
            let others = others.map(|(key, json)| (key.clone(), json.clone()));
            names.push((name, Some(built_in(inner, cx, name, &others.collect())?)));
        } else {
            names.push((name, None));
            // One change of each field: hooks are called once for it, and it is told once.
            match wishes.iter_mut().find(|(known, _)| *known == name) {
                Some((_, wish)) => add(wish, map),
                None => wishes.push((name, map.clone())),
            }
        }
    }
    let wishes: Vec<Wish<'_>> = wishes.iter().map(|(name, wish)| (*name, wish)).collect();
    update_all(inner, cx, &grant, &wishes).await?;
    let mut all = Vec::with_capacity(names.len());
    for (name, built_in) in names {
        all.push(match built_in {
            Some(same) => same,
            None => shown(inner, name).await?,
        });
    }
    Ok(all)
}

/// Adds what is said later of the same field: its settings one by one.
fn add(wish: &mut Map<String, Json>, later: &Map<String, Json>) {
    for (key, json) in later {
        match (wish.get_mut(key), json) {
            (Some(Json::Object(settings)), Json::Object(others)) => settings.extend(others.clone()),
            _ => drop(wish.insert(key.clone(), json.clone())),
        }
    }
}

/// What is wished of a field.
type Wish<'a> = (&'a str, &'a Map<String, Json>);

async fn update_all(inner: &Inner, cx: &Context, grant: &Grant, wishes: &[Wish<'_>]) -> Result<()> {
    let done = repeat(inner, cx, |model| {
        update_once(inner, cx, grant, model, wishes)
    });
    let done = done.await?;
    for (at, change) in done.iter().enumerate() {
        if let Err(error) = fields::index(&inner.store, grant, &change.after).await {
            undo_update(inner, cx, grant, &done, at).await?;
            return Err(error);
        }
    }
    Ok(())
}

/// A field before a change and after it, and what the change carried.
struct Changed {
    before: Definition,
    after: Definition,
    carried: Vec<String>,
}

/// Nothing where another change came in between.
async fn update_once(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    model: Arc<Model>,
    wishes: &[Wish<'_>],
) -> Result<Option<Vec<Changed>>> {
    let mut all: Vec<Changed> = Vec::with_capacity(wishes.len());
    for &(name, body) in wishes {
        let before = model.definitions().iter().find(|known| known.field == name);
        let users = Collection::Users.as_str();
        let before = before.ok_or_else(|| Error::forbidden_fields(users, &[name.to_owned()]))?;
        // A malformed body is refused before any hook is asked.
        changed(before, body)?;
        let mut draft = Said::changed(FIELDS, body);
        let stored = Said::field(before);
        hooks::before_update(inner, cx, FIELDS, item(name), &stored, &mut draft).await?;
        let carried = draft.carried();
        if carried.is_empty() {
            continue;
        }
        let (before, after) = (before.clone(), changed(before, draft.values())?);
        check(&model, &after)?;
        all.push(Changed {
            before,
            after,
            carried,
        });
    }
    if all.is_empty() {
        return Ok(Some(all));
    }
    let Some(mut tx) = begin(inner, &model).await? else {
        return Ok(None);
    };
    let mut told = false;
    for change in &all {
        let Changed {
            before,
            after,
            carried,
        } = change;
        fields::update(&mut tx, grant, before, after).await?;
        let field = after.field();
        if !field.is_nullable && before.field().is_nullable && field.is_stored() {
            refuse_nulls(&mut tx, grant, after).await?;
        }
        if field.is_unique {
            refuse_duplicates(&mut tx, grant, after).await?;
        }
        let (said, event) = (Said::field(after), Event::AfterUpdate);
        let noted = said.note(inner, &mut tx, cx, event, carried.clone());
        told |= noted.await?;
    }
    commit(inner, tx, told).await?;
    Ok(Some(all))
}

/// Puts fields back as they were, the last change first: an index could not be built, the values
/// that are there not being unique. Whoever was told is told again.
async fn undo_update(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    done: &[Changed],
    failed: usize,
) -> Result<()> {
    let mut tx = inner.store.begin().await?;
    let mut told = false;
    for change in done.iter().rev() {
        let Changed {
            before,
            after,
            carried,
        } = change;
        fields::update(&mut tx, grant, after, before).await?;
        let said = Said::field(before);
        let noted = said.note(inner, &mut tx, cx, Event::AfterUpdate, carried.clone());
        told |= noted.await?;
    }
    commit(inner, tx, told).await?;
    // The indexes of those that came before it are as they were wished for.
    for change in done.iter().take(failed).rev() {
        fields::index(&inner.store, grant, &change.before).await?;
    }
    Ok(())
}

/// Removes a field, its values and what permissions say of it.
pub(crate) async fn delete(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    name: &str,
) -> Result<()> {
    let grant = administer(cx, Action::Delete, FIELDS)?;
    only_users(cx, collection)?;
    if is_built_in(&Model::built_in(), name) {
        return Err(Error::forbidden());
    }
    repeat(inner, cx, |model| {
        delete_once(inner, cx, &grant, model, name)
    })
    .await
}

async fn delete_once(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    model: Arc<Model>,
    name: &str,
) -> Result<Option<()>> {
    let found = model.definitions().iter().find(|known| known.field == name);
    let Some(definition) = found else {
        return Ok(Some(()));
    };
    let relation = model.relations().iter().find(|known| known.field == name);
    // The relation goes with its field, and goes first.
    let gone = [relation.map(Said::relation), Some(Said::field(definition))];
    for said in gone.iter().flatten() {
        hooks::before_delete(inner, cx, said.collection(), &item(name), said).await?;
    }
    let Some(mut tx) = begin(inner, &model).await? else {
        return Ok(None);
    };
    fields::delete(&mut tx, grant, definition).await?;
    let mut told = false;
    for said in gone.into_iter().flatten() {
        told |= said
            .note(inner, &mut tx, cx, Event::AfterDelete, Vec::new())
            .await?;
    }
    commit(inner, tx, told).await?;
    Ok(Some(()))
}

/// Runs a change on the newest fields, again where another change came in between.
pub(super) async fn repeat<T, F>(
    inner: &Inner,
    cx: &Context,
    change: impl Fn(Arc<Model>) -> F,
) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    for _ in 0..ATTEMPTS {
        cx.effects.forget();
        let model = inner.model().await?;
        match change(model).await {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => {}
            Err(error) if error.code() == &roster_domain::Code::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Err(roster_domain::Code::Conflict.into())
}

/// A transaction in which the fields are as in the model, and stay so; nothing where they are not.
pub(super) async fn begin(inner: &Inner, model: &Model) -> Result<Option<Tx>> {
    let mut tx = inner.store.begin().await?;
    let is_current = fields::lock(&mut tx).await? == model.epoch();
    Ok(is_current.then_some(tx))
}

async fn shown(inner: &Inner, name: &str) -> Result<Json> {
    let model = inner.model().await?;
    let found = model.definitions().iter().find(|known| known.field == name);
    let definition = found.ok_or_else(Error::forbidden)?;
    Ok(custom_field(inner.store.kind(), &model, definition))
}
