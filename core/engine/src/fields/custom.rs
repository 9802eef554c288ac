//! Adding, changing and removing custom fields of users. Every node follows with its next request.

mod checks;

use roster_domain::schema::Definition;
use roster_domain::{Action, Collection, Error, FieldType, Model, Result};
use roster_storage::{Tx, fields};
use serde_json::{Map, Value as Json, json};

use self::checks::{
    built_in, changed, check, check_name, column, is_built_in, kind, meta_of, object, only_users,
    place, refuse_nulls,
};
use super::{administer, custom_field};
use crate::Inner;
use crate::context::Context;
use crate::write::{Change, Outcome, record};

/// How often a change that met another one is tried.
const ATTEMPTS: usize = 4;

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
    let grant = administer(cx, Action::Create, Collection::Fields)?;
    only_users(cx, collection)?;
    let body = object(body)?;
    let allowed = ["field", "type", "schema", "meta", "collection"];
    if let Some(stranger) = body.keys().find(|key| !allowed.contains(&key.as_str())) {
        return Err(payload(format!("\"{stranger}\" is not allowed")));
    }
    let name = match body.get("field") {
        Some(Json::String(name)) => name.clone(),
        Some(_) => return Err(payload("\"field\" must be a string")),
        None => return Err(payload("\"field\" is required")),
    };
    let kind = match body.get("type") {
        None | Some(Json::Null) => FieldType::Alias,
        Some(json) => kind(json)?,
    };
    let wanted = Definition {
        id: 0,
        field: name.clone(),
        kind,
        schema: column(kind, Map::new(), body.get("schema"))?,
        meta: match body.get("meta") {
            None | Some(Json::Null) => None,
            Some(meta) => Some(meta_of(Map::new(), meta)?),
        },
    };
    let made = repeat(inner, |model| {
        let (grant, wanted) = (grant.clone(), wanted.clone());
        async move {
            check_name(&model, &wanted.field)?;
            check(&model, &wanted)?;
            let mut wanted = wanted;
            if let Some(meta) = &mut wanted.meta {
                place(&model, meta);
            }
            let Some(mut tx) = begin(inner, &model).await? else {
                return Ok(None);
            };
            fields::insert(&mut tx, &grant, &wanted).await?;
            let field = wanted.field();
            if !field.is_nullable && field.is_stored() {
                let update = administer(cx, Action::Update, Collection::Fields)?;
                refuse_nulls(&mut tx, &update, &wanted).await?;
            }
            log(&mut tx, cx, "create", &wanted).await?;
            tx.commit().await?;
            Ok(Some(wanted))
        }
    });
    let made = made.await?;
    if let Err(error) = fields::index(&inner.store, &grant, &made).await {
        // A field that was asked to be unique is not there unless it is.
        let remove = administer(cx, Action::Delete, Collection::Fields)?;
        let mut tx = inner.store.begin().await?;
        fields::delete(&mut tx, &remove, &made).await?;
        tx.commit().await?;
        return Err(error);
    }
    shown(inner, &name).await
}

/// Changes a field.
pub(crate) async fn update(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    name: &str,
    body: &Json,
) -> Result<Json> {
    let grant = administer(cx, Action::Update, Collection::Fields)?;
    only_users(cx, collection)?;
    let body = object(body)?.clone();
    if is_built_in(&Model::built_in(), name) {
        return built_in(inner, cx, name, &body);
    }
    let (before, after) = repeat(inner, |model| {
        let (grant, body) = (grant.clone(), body.clone());
        async move {
            let found = model.definitions().iter().find(|known| known.field == name);
            let users = Collection::Users.as_str();
            let before = found
                .cloned()
                .ok_or_else(|| Error::forbidden_fields(users, &[name.to_owned()]))?;
            let after = changed(&before, &body)?;
            check(&model, &after)?;
            let Some(mut tx) = begin(inner, &model).await? else {
                return Ok(None);
            };
            fields::update(&mut tx, &grant, &before, &after).await?;
            let field = after.field();
            if !field.is_nullable && before.field().is_nullable && field.is_stored() {
                refuse_nulls(&mut tx, &grant, &after).await?;
            }
            log(&mut tx, cx, "update", &after).await?;
            tx.commit().await?;
            Ok(Some((before, after)))
        }
    })
    .await?;
    if let Err(error) = fields::index(&inner.store, &grant, &after).await {
        // As it was before: the values that are there are not unique.
        let mut tx = inner.store.begin().await?;
        fields::update(&mut tx, &grant, &after, &before).await?;
        tx.commit().await?;
        return Err(error);
    }
    shown(inner, name).await
}

/// Changes several fields, one after another.
pub(crate) async fn update_many(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    body: &Json,
) -> Result<Vec<Json>> {
    administer(cx, Action::Update, Collection::Fields)?;
    let Json::Array(items) = body else {
        return Err(payload("Submitted body has to be an array"));
    };
    let mut named = Vec::with_capacity(items.len());
    for item in items {
        let name = item.get("field").and_then(Json::as_str);
        named.push((name.ok_or_else(|| payload("\"field\" is required"))?, item));
    }
    let mut changed = Vec::with_capacity(named.len());
    for (name, item) in named {
        changed.push(update(inner, cx, collection, name, item).await?);
    }
    Ok(changed)
}

/// Removes a field, its values and what permissions say of it.
pub(crate) async fn delete(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    name: &str,
) -> Result<()> {
    let grant = administer(cx, Action::Delete, Collection::Fields)?;
    only_users(cx, collection)?;
    if is_built_in(&Model::built_in(), name) {
        return Err(Error::forbidden());
    }
    repeat(inner, |model| {
        let grant = grant.clone();
        async move {
            let found = model.definitions().iter().find(|known| known.field == name);
            let Some(definition) = found.cloned() else {
                return Ok(Some(()));
            };
            let Some(mut tx) = begin(inner, &model).await? else {
                return Ok(None);
            };
            fields::delete(&mut tx, &grant, &definition).await?;
            log(&mut tx, cx, "delete", &definition).await?;
            tx.commit().await?;
            Ok(Some(()))
        }
    })
    .await
}

/// Runs a change on the newest fields, again where another change came in between.
pub(super) async fn repeat<T, F>(
    inner: &Inner,
    change: impl Fn(std::sync::Arc<Model>) -> F,
) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    for _ in 0..ATTEMPTS {
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

async fn log(
    tx: &mut Tx,
    cx: &Context,
    action: &'static str,
    definition: &Definition,
) -> Result<()> {
    let said = json!({
        "collection": Collection::Users.as_str(),
        "field": definition.field,
        "type": definition.kind.as_str(),
        "schema": definition.schema,
        "meta": definition.meta,
    });
    let said = said.as_object().cloned().unwrap_or_default();
    let is_there = action != "delete";
    let change = Change {
        collection: Collection::Fields,
        action,
        item: format!("{}.{}", Collection::Users.as_str(), definition.field),
        actor: None,
        revision: is_there.then(|| (&said, said.clone())),
        outcome: Outcome::Success,
        detail: None,
    };
    record(tx, cx, change).await
}
