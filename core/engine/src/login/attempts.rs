//! How often somebody may guess at one user, whichever way they try.

use chrono::TimeDelta;
use roster_domain::lockout::attempts_allowed;
use roster_domain::{Code, Collection, Key, Reason, Result, Timestamp, UserId};
use roster_sdk::Event;
use roster_storage::{Tx, logins, unguarded};
use serde_json::{Map, json};
use uuid::Uuid;

use super::{Entry, is_told, shown};
use crate::Inner;
use crate::accounts::Lockout;
use crate::context::Context;
use crate::convert::Occasion;
use crate::hooks::AfterPayload;
use crate::plugins::Effects;
use crate::records::write;
use crate::secrets::Verified;
use crate::write::{Change, commit, record, tell};

/// For how long those are locked who cannot be suspended, such as the last administrator.
const INSTEAD: TimeDelta = TimeDelta::minutes(15);

/// Counts an attempt before it is judged. Whether it may be judged: the one too many locks the
/// user out.
pub(crate) async fn take(inner: &Inner, cx: &Context, user: UserId) -> Result<bool> {
    let allowed = attempts_allowed(logins::allowed(&inner.store).await?);
    let mut tx = inner.store.begin().await?;
    let count = logins::count(&mut tx, user).await?;
    tx.commit().await?;
    if count <= allowed {
        return Ok(true);
    }
    lock_out(inner, cx, user).await?;
    Ok(false)
}

/// Takes an attempt back that was none: the right password without a code, or a login that was
/// refused for another reason.
pub(crate) async fn forgive(inner: &Inner, user: UserId) -> Result<()> {
    let mut tx = inner.store.begin().await?;
    logins::forgive(&mut tx, user).await?;
    tx.commit().await
}

/// Forgets the attempts of somebody who has proved who they are.
pub(crate) async fn clear(inner: &Inner, user: UserId) -> Result<()> {
    let mut tx = inner.store.begin().await?;
    logins::clear(&mut tx, user).await?;
    tx.commit().await
}

/// Whether nobody gets in as this user for now.
pub(crate) fn is_locked(until: Option<Timestamp>, now: Timestamp) -> bool {
    until.is_some_and(|until| now < until)
}

/// Notes an attempt that failed, and tells those who want to know. Of a login of nobody there is
/// nothing to note.
pub(crate) async fn failed(
    inner: &Inner,
    cx: &Context,
    user: Option<UserId>,
    entry: &Entry<'_>,
    what: &str,
) -> Result<()> {
    let event = Event::AfterLoginFailed;
    let shown = match user {
        Some(user) => shown(inner, cx, user, &[event]).await?,
        None if !is_told(inner, event) => return Ok(()),
        None => Map::new(),
    };
    let mut tx = inner.store.begin().await?;
    if let Some(user) = user {
        let change = Change::failure("login_failed", user.0, what);
        record(&mut tx, cx, change).await?;
    }
    let user = user.unwrap_or(UserId(Uuid::nil()));
    let told = security(inner, &mut tx, cx, event, user, |occasion| AfterPayload {
        provider: Some(entry.provider.to_owned()),
        mode: Some(entry.word().to_owned()),
        ..AfterPayload::of(occasion, shown)
    });
    let told = told.await?;
    commit(inner, tx, told).await
}

/// Proves that the caller knows the password of a user who is signed in already. Counted as a login.
///
/// # Errors
/// `INVALID_CREDENTIALS`.
pub(crate) async fn prove_password(
    inner: &Inner,
    cx: &Context,
    user: UserId,
    password: &str,
) -> Result<()> {
    let until = logins::locked_until(&inner.store, user).await?;
    let may = !is_locked(until, cx.now) && take(inner, cx, user).await?;
    let hash = if may {
        unguarded::password_hash(&inner.store, user).await?
    } else {
        None
    };
    match inner.hasher.verify(password, hash.as_deref()).await? {
        Verified::No => {
            failed(inner, cx, Some(user), &Entry::AGAIN, "password").await?;
            Err(Code::InvalidCredentials.into())
        }
        Verified::Yes | Verified::Outdated(_) => clear(inner, user).await,
    }
}

async fn lock_out(inner: &Inner, cx: &Context, user: UserId) -> Result<()> {
    let until = match inner.settings.accounts.lockout {
        Lockout::For(time) => Some(cx.now + TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX)),
        Lockout::Suspend => suspend(inner, cx, user).await?,
    };
    tracing::warn!(%user, until = until.map(tracing::field::display), "too many failed logins");
    let detail = match until {
        Some(until) => format!("until {}", roster_domain::clock::format(until)),
        None => "suspended".to_owned(),
    };
    let shown = shown(inner, cx, user, &[Event::AfterLocked]).await?;
    let mut tx = inner.store.begin().await?;
    logins::lock(&mut tx, user, until).await?;
    let change = Change {
        detail: Some(&detail),
        ..Change::user("locked", user.0)
    };
    record(&mut tx, cx, change).await?;
    let event = Event::AfterLocked;
    let told = security(inner, &mut tx, cx, event, user, |occasion| {
        AfterPayload::of(occasion, shown)
    });
    let told = told.await?;
    commit(inner, tx, told).await
}

/// Tells of what happened at the door. What hooks wanted to be stored with a record is not stored
/// with this.
async fn security(
    inner: &Inner,
    tx: &mut Tx,
    cx: &Context,
    event: Event,
    user: UserId,
    payload: impl FnOnce(Occasion) -> AfterPayload,
) -> Result<bool> {
    let alone = Context {
        effects: Effects::default(),
        ..cx.clone()
    };
    let key = Key::from(user);
    tell(inner, tx, &alone, Collection::Users, event, key, payload).await
}

/// Suspends a user; gives until when they are locked if they cannot be suspended.
async fn suspend(inner: &Inner, cx: &Context, user: UserId) -> Result<Option<Timestamp>> {
    let system = cx.as_system(Reason::Lockout);
    let change = json!({ "status": "suspended" });
    let changes = [(user.into(), change)];
    // A change of the password proves the old one, so this leads back here: it has to be boxed.
    match Box::pin(write::update_all(
        inner,
        &system,
        Collection::Users,
        &changes,
    ))
    .await
    {
        Ok(()) => Ok(None),
        Err(error) if error.status() < 500 => {
            tracing::warn!(%user, %error, "user not suspended, locked for a while instead");
            Ok(Some(cx.now + INSTEAD))
        }
        Err(error) => Err(error),
    }
}
