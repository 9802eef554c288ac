//! Acting as another user, for a while and for a reason.

use std::time::Duration;

use roster_domain::session::Session;
use roster_domain::{Code, Error, Principal, Result, Status, UserId};
use roster_sdk::Event;
use roster_storage::sessions::{self, Origin};
use roster_storage::unguarded::{self, Bearer};
use serde::Serialize;
use serde_json::Value as Json;

use super::{Body, LOCAL, origin, session_id, shown};
use crate::context::Context;
use crate::plugins::claims;
use crate::secrets::{AccessClaims, Actor, Keys, RefreshToken};
use crate::write::{Change, record};
use crate::{Inner, access};

/// How long somebody acts as another at most, and when nothing is said.
const LONGEST: Duration = Duration::from_hours(1);
/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;
/// The mode of such sessions: they have no refresh token.
const MODE: &str = "impersonation";

/// The token with which an administrator acts as another user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Impersonation {
    /// The access token.
    pub access_token: String,
    /// How long it lives, in milliseconds.
    pub expires: u64,
}

/// Gives an administrator a token of another user: one hour at most, with who acts in its `act`
/// claim, and the reason in the activity.
pub(crate) async fn run(
    inner: &Inner,
    cx: &Context,
    id: &str,
    body: &Json,
) -> Result<Impersonation> {
    let admin = administrator(cx)?;
    let mut body = Body::read(body)?;
    let reason = body.required("reason").trim();
    if reason.chars().count() > LONGEST_REASON {
        let reason = format!("\"reason\" takes at most {LONGEST_REASON} characters");
        body.reasons.push(reason);
    }
    let minutes = match body.map.get("minutes") {
        None | Some(Json::Null) => Some(LONGEST.as_secs() / 60),
        Some(minutes) => minutes
            .as_u64()
            .filter(|minutes| (1..=60).contains(minutes)),
    };
    let Some(minutes) = minutes else {
        body.reasons
            .push("\"minutes\" must be a whole number from 1 to 60".to_owned());
        body.finish()?;
        return Err(Code::InvalidPayload.into());
    };
    body.finish()?;
    let user = UserId::parse(id).ok_or_else(Error::forbidden)?;
    let target = unguarded::bearer_of_user(&inner.store, user).await?;
    let target = target
        .filter(|target| target.status == Status::Active.as_str() && target.id != admin)
        .ok_or_else(Error::forbidden)?;
    begin(
        inner,
        cx,
        admin,
        &target,
        reason,
        Duration::from_mins(minutes),
    )
    .await
}

/// The administrator who asks, in a session of their own: a token that may have leaked does not
/// become another user, and who acts as another does not act as a third.
fn administrator(cx: &Context) -> Result<UserId> {
    let Principal::User { id, session, .. } = cx.principal else {
        return Err(Code::InvalidCredentials.into());
    };
    if session.is_some() && cx.rights.admin_access && cx.impersonator.is_none() {
        Ok(id)
    } else {
        Err(Error::forbidden())
    }
}

async fn begin(
    inner: &Inner,
    cx: &Context,
    admin: UserId,
    target: &Bearer,
    reason: &str,
    time: Duration,
) -> Result<Impersonation> {
    let rights = access::of_bearer(inner, cx, target).await?;
    let refresh = RefreshToken::first(session_id(inner)?)?;
    let ends_at = cx.now + time;
    let session = Session {
        id: refresh.session,
        user: target.id,
        sequence: refresh.sequence,
        secret_hash: refresh.hash(),
        rotated_at: None,
        expires_at: ends_at,
        ends_at,
        mode: MODE.to_owned(),
        provider: LOCAL.to_owned(),
    };
    let origin = Origin {
        actor: Some(admin),
        reason: Some(reason.to_owned()),
        ..origin(cx)
    };
    let user = shown(inner, cx, target.id, &[Event::Claims]).await?;
    let added = claims(inner, cx, target.id.0, &user, LOCAL, MODE).await?;
    let mut tx = inner.store.begin().await?;
    sessions::insert(&mut tx, &session, &origin, cx.now).await?;
    let change = Change {
        detail: Some(reason),
        ..Change::user("impersonate", target.id.0)
    };
    record(&mut tx, cx, change).await?;
    tx.commit().await?;
    let access_token = inner.keys.sign(&AccessClaims {
        id: target.id,
        role: target.role,
        app_access: rights.app_access,
        admin_access: rights.admin_access,
        sid: refresh.session,
        session: None,
        act: Some(Actor { sub: admin }),
        enforce_tfa: false,
        iat: cx.now.timestamp(),
        exp: ends_at.timestamp(),
        iss: Keys::issuer(),
        added,
    })?;
    Ok(Impersonation {
        access_token,
        expires: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
    })
}
