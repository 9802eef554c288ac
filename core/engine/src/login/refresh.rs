//! Going on with a session: rotation, grace, reuse.

use chrono::TimeDelta;
use roster_domain::session::{Rotation, Session};
use roster_domain::{Code, Error, Result, Status};
use roster_sdk::Event;
use roster_storage::{logins, sessions, unguarded};
use serde_json::{Map, Value as Json};

use super::mode::{Presented, presented};
use super::{Cookies, Mode, Owner, Tokens, attempts, idle, oldest, shown, tokens};
use crate::context::Context;
use crate::plugins::{self, claims};
use crate::secrets::RefreshToken;
use crate::write::{Change, record};
use crate::{Inner, access};

/// How often a rotation that met another one looks again.
const ATTEMPTS: usize = 4;

/// Rotates the token. Two uses at a time get the same successor; a stale one that proves to be ours
/// ends the session; garbage harms nobody.
pub(crate) async fn run(
    inner: &Inner,
    cx: &Context,
    body: &Json,
    cookies: &Cookies,
) -> Result<Tokens> {
    let refused = || Error::from(Code::InvalidCredentials);
    let Presented { mode, token } = presented(inner, cx, body, cookies)?;
    let token = token.ok_or_else(refused)?;
    let grace = TimeDelta::from_std(inner.settings.refresh_grace).unwrap_or(TimeDelta::MAX);
    for _ in 0..ATTEMPTS {
        let session = sessions::find(&inner.store, token.session)
            .await?
            .ok_or_else(refused)?;
        let owner = owner(inner, cx, &session).await?.ok_or_else(refused)?;
        let proof = token.proof(&inner.keys, &session);
        let rotation = session.rotation(proof, cx.now, grace);
        // Before the token is used up: whoever cannot be given the next one keeps this one.
        let owner = match rotation {
            Rotation::Rotate | Rotation::Repeat => named(inner, cx, &session, mode, owner).await?,
            Rotation::Reuse | Rotation::Refuse => owner,
        };
        let next = match rotation {
            Rotation::Rotate => match rotate(inner, cx, &session, &token, mode).await? {
                Some(next) => next,
                None => continue,
            },
            Rotation::Repeat => token
                .known_successor(&inner.keys, &session)
                .ok_or_else(refused)?,
            Rotation::Reuse => {
                revoke(inner, cx, &session).await?;
                return Err(refused());
            }
            Rotation::Refuse => return Err(refused()),
        };
        return tokens(inner, cx, owner, &next, mode);
    }
    Err(Code::Conflict.into())
}

/// The owner with what plugins say of them, if the provider they came by is still there.
///
/// # Errors
/// `INVALID_PROVIDER_CONFIG`, `PLUGIN_FAILED`.
async fn named(
    inner: &Inner,
    cx: &Context,
    session: &Session,
    mode: Mode,
    owner: Owner,
) -> Result<Owner> {
    let provider = session.provider.as_str();
    if !plugins::has_provider(inner, provider) {
        return Err(Code::InvalidProviderConfig.into());
    }
    let user = shown(inner, cx, owner.user, &[Event::Claims]).await?;
    let claims = claims(inner, cx, owner.user.0, &user, provider, mode.as_str()).await?;
    Ok(Owner { claims, ..owner })
}

/// The session's user, if they may still act.
async fn owner(inner: &Inner, cx: &Context, session: &Session) -> Result<Option<Owner>> {
    let (user, id) = (session.user, session.id);
    let oldest = oldest(inner, cx.now);
    let found = unguarded::bearer_of_session(&inner.store, user, id, cx.now, oldest).await?;
    let bearer = found.map(|found| found.bearer);
    let active = bearer.filter(|bearer| bearer.status == Status::Active.as_str());
    let Some(bearer) = active else {
        return Ok(None);
    };
    let until = logins::locked_until(&inner.store, bearer.id).await?;
    if attempts::is_locked(until, cx.now) {
        return Ok(None);
    }
    let rights = access::of_bearer(inner, cx, &bearer).await?;
    Ok(Some(Owner {
        user: bearer.id,
        role: bearer.role,
        rights,
        enforce_tfa: false,
        claims: Map::new(),
    }))
}

async fn rotate(
    inner: &Inner,
    cx: &Context,
    session: &Session,
    token: &RefreshToken,
    mode: Mode,
) -> Result<Option<RefreshToken>> {
    let next = token.successor(&inner.keys);
    let rotated = Session {
        sequence: next.sequence,
        secret_hash: next.hash(),
        rotated_at: Some(cx.now),
        expires_at: session.ends_at.min(cx.now + idle(inner, mode)),
        ..session.clone()
    };
    let mut tx = inner.store.begin().await?;
    if !sessions::rotate(&mut tx, &rotated, cx.now).await? {
        return Ok(None);
    }
    unguarded::touch(&mut tx, session.user, cx.now).await?;
    tx.commit().await?;
    Ok(Some(next))
}

async fn revoke(inner: &Inner, cx: &Context, session: &Session) -> Result<()> {
    let (user, session_id) = (session.user.to_string(), session.id.to_string());
    tracing::warn!(user, session_id, "refresh token reused, session revoked");
    let mut tx = inner.store.begin().await?;
    sessions::end(&mut tx, session.id).await?;
    let change = Change::failure("refresh_reuse", session.user.0, "the session was ended");
    record(&mut tx, cx, change).await?;
    tx.commit().await
}
