//! Changing a user.

use std::borrow::Cow;

use roster_domain::error::field as problem;
use roster_domain::query::Parameters;
use roster_domain::schema::Stage;
use roster_domain::value::MASK;
use roster_domain::{
    Action, Code, Collection, Draft, Error, Grant, Item, Principal, Record, Result, Status, UserId,
    Valid, Value,
};
use roster_sdk::Event;
use roster_storage::users::{self, Generation};
use roster_storage::{Tx, sessions, unguarded};
use serde_json::Value as Json;

use super::List;
use super::batch::{self, Changes};
use super::create::permit;
use super::read::{Readback, load, select};
use crate::context::Context;
use crate::hooks::AfterPayload;
use crate::secrets::{Sealed, Verified, seal};
use crate::write::{Attempts, Change, commit, is_own, record, tell};
use crate::{Inner, access, hooks, notices};

/// What tokens and rights depend on.
const DECISIVE: [&str; 6] = ["status", "role", "password", "email", "token", "provider"];

/// Changes the user of that id.
pub(crate) async fn run(
    inner: &Inner,
    cx: &Context,
    id: &str,
    body: &Json,
    parameters: &Parameters,
) -> Result<Option<Item>> {
    let grant = access::grant(cx, Action::Update, Collection::Users)?;
    let readback = Readback::prepare(inner, cx, parameters)?;
    let id = UserId::parse(id).ok_or_else(Error::forbidden)?;
    repeat(inner, cx, &grant, id, body).await?;
    readback.read(inner, id).await
}

/// Changes the caller.
pub(crate) async fn me(
    inner: &Inner,
    cx: &Context,
    body: &Json,
    parameters: &Parameters,
) -> Result<Item> {
    let Principal::User { id, .. } = cx.principal else {
        return Err(Code::InvalidCredentials.into());
    };
    let item = run(inner, cx, &id.to_string(), body, parameters).await?;
    item.ok_or_else(Error::forbidden)
}

/// Changes many users, all or none; reads them back as far as the caller may.
pub(crate) async fn many(
    inner: &Inner,
    cx: &Context,
    body: &Json,
    parameters: &Parameters,
) -> Result<Option<List>> {
    let grant = access::grant(cx, Action::Update, Collection::Users)?;
    let readback = Readback::prepare(inner, cx, parameters)?;
    let changes = match batch::changes(body)? {
        Changes::Each(changes) => changes,
        Changes::Same(selection, data) => {
            let ids = select(inner, cx, &selection).await?;
            ids.into_iter().map(|id| (id, data.clone())).collect()
        }
    };
    repeat_all(inner, cx, &grant, &changes).await?;
    let ids: Vec<UserId> = changes.iter().map(|(id, _)| *id).collect();
    readback.read_many(inner, &ids).await
}

/// Changes a user under a grant, again where another change came in between.
pub(crate) async fn repeat(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    id: UserId,
    body: &Json,
) -> Result<()> {
    repeat_all(inner, cx, grant, &[(id, body.clone())]).await
}

async fn repeat_all(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    changes: &[(UserId, Json)],
) -> Result<()> {
    let mut attempts = Attempts::first();
    loop {
        let done = once(inner, cx, grant, changes).await;
        if !attempts.again(&done) {
            return done;
        }
    }
}

async fn once(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    changes: &[(UserId, Json)],
) -> Result<()> {
    let ids: Vec<UserId> = changes.iter().map(|(id, _)| *id).collect();
    let stored = load(inner, grant, Action::Update, &ids).await?;
    let mut ready = Vec::with_capacity(changes.len());
    for (index, ((id, body), stored)) in changes.iter().zip(stored).enumerate() {
        let one = prepare(inner, cx, grant, *id, stored, body).await;
        ready.extend(one.map_err(|error| batch::of_item(error, index, changes.len()))?);
    }
    if ready.is_empty() {
        return Ok(());
    }
    let mut tx = inner.store.begin().await?;
    let mut told = false;
    for (index, one) in ready.iter().enumerate() {
        let stored = store(inner, cx, &mut tx, grant, one).await;
        told |= stored.map_err(|error| batch::of_item(error, index, changes.len()))?;
    }
    if ready
        .iter()
        .any(|one| touches(&one.valid, &["status", "role"]))
    {
        users::keep_an_administrator(&mut tx).await?;
    }
    commit(inner, tx, told).await
}

/// A change that is fit to be stored.
struct Ready {
    id: UserId,
    stored: Record,
    valid: Valid,
}

/// Everything before the transaction: draft, permission, hooks, validation, hashing. Nothing when
/// nothing is to be changed.
async fn prepare(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    id: UserId,
    stored: Record,
    body: &Json,
) -> Result<Option<Ready>> {
    let body = prove_password_change(inner, cx, id, &stored, body).await?;
    let mut draft = Draft::parse(&inner.schema, Stage::Update, &body)?;
    permit(&draft, grant)?;
    guard(&mut draft)?;
    hooks::before_update(inner, cx, id.0, &stored, &mut draft).await?;
    let valid = draft.validate()?;
    if valid.is_empty() {
        return Ok(None);
    }
    let address = valid.get("email").or_else(|| stored.item.get("email"));
    let address = address.and_then(Value::as_text).map(ToOwned::to_owned);
    let Sealed(valid) = seal(inner, valid, address.as_deref()).await?;
    Ok(Some(Ready { id, stored, valid }))
}

/// Writes one change with all that goes with it. Whether somebody is to be told.
async fn store(
    inner: &Inner,
    cx: &Context,
    tx: &mut Tx,
    grant: &Grant,
    ready: &Ready,
) -> Result<bool> {
    let Ready { id, stored, valid } = ready;
    let delta = valid.to_json();
    let mut after = stored.item.to_json();
    after.extend(delta.clone());
    let changed: Vec<String> = delta.keys().cloned().collect();
    users::update(tx, grant, *id, stored.version, valid, generation(valid)).await?;
    end_sessions(tx, *id, valid).await?;
    let change = Change::user("update", id.0, Some((&after, delta)));
    record(tx, cx, change).await?;
    let noticed = notices::changed(inner, tx, cx, stored, valid).await?;
    let told = tell(inner, tx, cx, Event::AfterUpdate, id.0, |occasion| {
        AfterPayload {
            occasion,
            record: after.clone(),
            changed,
            provider: None,
            mode: None,
        }
    });
    Ok(told.await? || noticed)
}

fn touches(valid: &Valid, fields: &[&str]) -> bool {
    valid.names().any(|name| fields.contains(&name))
}

fn generation(valid: &Valid) -> Generation {
    if touches(valid, &DECISIVE) {
        Generation::Raise
    } else {
        Generation::Keep
    }
}

/// Values that nobody writes by hand, and those that go with others (contract/users.md §1.2).
fn guard(draft: &mut Draft) -> Result<()> {
    if draft.get("tfa_secret").is_some() {
        let reason = "You can't change the \"tfa_secret\" value manually";
        return Err(Error::invalid_payload(reason));
    }
    if draft.get("provider").is_some() || draft.get("external_identifier").is_some() {
        draft.set("auth_data", Value::Null);
    }
    Ok(())
}

/// Sessions end with the status that allowed them, and with the credential that began them.
async fn end_sessions(tx: &mut Tx, id: UserId, valid: &Valid) -> Result<()> {
    let active = Status::Active.as_str();
    let is_out = valid
        .get("status")
        .is_some_and(|status| status.as_text() != Some(active));
    if is_out || touches(valid, &["password", "email"]) {
        sessions::end_all(tx, id, None).await?;
    }
    Ok(())
}

/// Changing one's own password needs the present one, `current_password`, in the same body, unless
/// the operator turned that off or there is none. Gives the body without it.
async fn prove_password_change<'b>(
    inner: &Inner,
    cx: &Context,
    id: UserId,
    stored: &Record,
    body: &'b Json,
) -> Result<Cow<'b, Json>> {
    let Json::Object(map) = body else {
        return Ok(Cow::Borrowed(body));
    };
    let changes = map
        .get("password")
        .is_some_and(|password| password.as_str() != Some(MASK));
    let Some(current) = map.get("current_password") else {
        let has_one = stored.item.get("password") == Some(&Value::Concealed);
        let must = inner.settings.password.require_current && is_own(&cx.principal, id.0);
        return if changes && must && has_one {
            Err(problem::failed("current_password", "required", "Value is required.").into())
        } else {
            Ok(Cow::Borrowed(body))
        };
    };
    let mut rest = map.clone();
    rest.remove("current_password");
    if changes && is_own(&cx.principal, id.0) && inner.settings.password.require_current {
        verify_current(inner, id, current.as_str().unwrap_or_default()).await?;
    }
    Ok(Cow::Owned(Json::Object(rest)))
}

async fn verify_current(inner: &Inner, id: UserId, current: &str) -> Result<()> {
    let hash = unguarded::password_hash(&inner.store, id).await?;
    match inner.hasher.verify(current, hash.as_deref()).await? {
        Verified::No => Err(Code::InvalidCredentials.into()),
        Verified::Yes | Verified::Outdated(_) => Ok(()),
    }
}
