//! Making a user.

use roster_domain::error::field as problem;
use roster_domain::query::Parameters;
use roster_domain::schema::Stage;
use roster_domain::{Action, Collection, Draft, Error, Grant, Item, Result, UserId, Valid, Value};
use roster_sdk::Event;
use roster_storage::{Tx, users};
use serde_json::Value as Json;
use uuid::Uuid;

use super::read::Readback;
use super::{List, batch};
use crate::context::Context;
use crate::hooks::AfterPayload;
use crate::secrets::{Sealed, seal};
use crate::system::new_id;
use crate::write::{Attempts, Change, commit, record, tell};
use crate::{Inner, access, hooks};

/// Makes a user from a body; reads it back as far as the caller may.
pub(crate) async fn run(
    inner: &Inner,
    cx: &Context,
    body: &Json,
    parameters: &Parameters,
) -> Result<Option<Item>> {
    let grant = access::grant(cx, Action::Create, Collection::Users)?;
    let readback = Readback::prepare(inner, cx, parameters)?;
    let made = repeat(inner, cx, &grant, std::slice::from_ref(body)).await?;
    match made.first() {
        Some(id) => readback.read(inner, *id).await,
        None => Ok(None),
    }
}

/// Makes several users, all or none; reads them back as far as the caller may.
pub(crate) async fn many(
    inner: &Inner,
    cx: &Context,
    bodies: &[Json],
    parameters: &Parameters,
) -> Result<Option<List>> {
    let grant = access::grant(cx, Action::Create, Collection::Users)?;
    batch::check_size(bodies.len())?;
    let readback = Readback::prepare(inner, cx, parameters)?;
    let made = repeat(inner, cx, &grant, bodies).await?;
    readback.read_many(inner, &made).await
}

async fn repeat(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    bodies: &[Json],
) -> Result<Vec<UserId>> {
    let mut attempts = Attempts::first();
    loop {
        let done = once(inner, cx, grant, bodies).await;
        if !attempts.again(&done) {
            return done;
        }
    }
}

/// Makes users under a grant in one transaction; gives their ids.
async fn once(inner: &Inner, cx: &Context, grant: &Grant, bodies: &[Json]) -> Result<Vec<UserId>> {
    let mut ready = Vec::with_capacity(bodies.len());
    for (index, body) in bodies.iter().enumerate() {
        let one = prepare(inner, cx, grant, body).await;
        ready.push(one.map_err(|error| batch::of_item(error, index, bodies.len()))?);
    }
    let mut tx = inner.store.begin().await?;
    let mut told = false;
    for (index, one) in ready.iter().enumerate() {
        let stored = store(inner, cx, &mut tx, grant, one).await;
        told |= stored.map_err(|error| batch::of_item(error, index, bodies.len()))?;
    }
    commit(inner, tx, told).await?;
    Ok(ready.iter().map(|one| UserId(one.id)).collect())
}

/// Makes a prepared user in a transaction that does more, such as the first administrator's.
pub(crate) async fn within(
    inner: &Inner,
    cx: &Context,
    mut tx: Tx,
    grant: &Grant,
    ready: &Ready,
) -> Result<()> {
    let told = store(inner, cx, &mut tx, grant, ready).await?;
    commit(inner, tx, told).await
}

/// A user that is fit to be stored.
pub(crate) struct Ready {
    id: Uuid,
    valid: Valid,
}

/// Everything before the transaction: draft, permission, hooks, validation, hashing.
pub(crate) async fn prepare(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    body: &Json,
) -> Result<Ready> {
    let mut draft = Draft::parse(&inner.schema, Stage::Create, body)?;
    permit(&draft, grant)?;
    let id = match draft.get("id").and_then(Value::as_uuid) {
        Some(id) => id,
        None => new_id(cx.now)?,
    };
    hooks::before_create(inner, cx, id, &mut draft).await?;
    let mut valid = draft.validate()?;
    valid.identify(id);
    let email = valid
        .get("email")
        .and_then(Value::as_text)
        .map(ToOwned::to_owned);
    let Sealed(valid) = seal(inner, valid, email.as_deref()).await?;
    Ok(Ready { id, valid })
}

async fn store(
    inner: &Inner,
    cx: &Context,
    tx: &mut Tx,
    grant: &Grant,
    ready: &Ready,
) -> Result<bool> {
    let Ready { id, valid } = ready;
    let snapshot = valid.to_json();
    users::insert(tx, grant, valid).await?;
    let revision = Some((&snapshot, snapshot.clone()));
    record(tx, cx, Change::user("create", *id, revision)).await?;
    tell(inner, tx, cx, Event::AfterCreate, *id, |occasion| {
        AfterPayload {
            occasion,
            record: snapshot.clone(),
            changed: Vec::new(),
            provider: None,
            mode: None,
        }
    })
    .await
}

/// Refuses fields that do not exist or that the caller may not write: what hooks add later is theirs.
pub(crate) fn permit(draft: &Draft, grant: &Grant) -> Result<()> {
    let collection = grant.collection().as_str();
    let unknown = draft
        .unknown()
        .iter()
        .map(|name| problem::unknown(collection, name));
    if let Some(error) = Error::of(unknown.collect()) {
        return Err(error);
    }
    let forbidden: Vec<String> = draft
        .names()
        .filter(|name| !grant.allows(name))
        .map(ToOwned::to_owned)
        .collect();
    if forbidden.is_empty() {
        Ok(())
    } else {
        Err(Error::forbidden_fields(collection, &forbidden))
    }
}
