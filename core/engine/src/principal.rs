//! Token → principal.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::TimeDelta;
use roster_domain::{Code, Principal, Result, Rights, SessionId, Status, Timestamp, UserId};
use roster_storage::sessions;
use roster_storage::unguarded::{self, Bearer};
use uuid::Uuid;

use crate::access::Actor;
use crate::accounts::limiter::{self, Tried};
use crate::accounts::tokens;
use crate::context::{Client, Context};
use crate::plugins::Effects;
use crate::secrets::{AccessClaims, RefreshToken, is_access_token};
use crate::settings::Secret;
use crate::{Inner, access, login, plugins};

/// How exactly the last use of a session is known.
const USE: TimeDelta = TimeDelta::minutes(1);

/// Finds out who acts, and checks them against their row as it is now (design: freshness).
pub(crate) async fn authenticate(
    inner: &Inner,
    token: Option<&str>,
    client: Client,
) -> Result<Context> {
    let now = inner.clock.now();
    let client = Arc::new(client);
    limiter::count_of(inner, client.ip, now, Tried::Api).await?;
    let Some(token) = token else {
        return public(inner, client, now).await;
    };
    let presented = presented(inner, token, client.ip, now).await?;
    let presented = presented.ok_or(Code::InvalidCredentials)?;
    admit(inner, presented, client, now).await
}

/// What somebody may do whose token was good.
async fn admit(
    inner: &Inner,
    presented: Presented,
    client: Arc<Client>,
    now: Timestamp,
) -> Result<Context> {
    let Presented {
        bearer,
        session,
        impersonator,
        narrowed,
        is_personal,
        opaque,
    } = presented;
    if bearer.status != Status::Active.as_str() {
        return Err(Code::InvalidCredentials.into());
    }
    if let Some(impersonator) = impersonator {
        still_administers(inner, impersonator, &client, now).await?;
    }
    let model = inner.model_at(bearer.schema_epoch).await?;
    let actor = actor(&bearer);
    let all = access::rights(inner, &model, actor, client.ip, now).await?;
    let mut rights = match narrowed.as_deref() {
        None => Arc::clone(&all),
        some => access::narrowed_rights(inner, &model, actor, client.ip, now, some).await?,
    };
    // Without the second factor that is asked of them, users may set it up, and nothing else. A
    // policy asks it of them whatever a token leaves out.
    let is_due = all.enforce_tfa && !bearer.has_second_factor;
    if is_due && is_personal && impersonator.is_none() {
        rights = Arc::new(Rights {
            is_locked: true,
            ..rights.as_ref().clone()
        });
    }
    limited(
        inner,
        Context {
            principal: user(&bearer, session),
            rights,
            actor: Some(actor),
            impersonator,
            is_narrowed: narrowed.is_some(),
            token: opaque,
            model,
            client,
            now,
            effects: Effects::default(),
        },
    )
    .await
}

/// The same as far as the policy plugins let it be.
async fn limited(inner: &Inner, cx: Context) -> Result<Context> {
    let rights = plugins::narrow_rights(inner, &cx).await?;
    Ok(Context { rights, ..cx })
}

/// The same caller again, later in the same work: as their row, their session and the rules are now.
pub(crate) async fn again(inner: &Inner, cx: &Context) -> Result<Context> {
    let (client, now) = (Arc::clone(&cx.client), inner.clock.now());
    let (id, session) = match cx.principal {
        Principal::User { id, session, .. } => (id, session),
        Principal::Public => return public(inner, client, now).await,
        Principal::System(_) => {
            return Ok(Context {
                model: inner.model().await?,
                now,
                effects: Effects::default(),
                ..cx.clone()
            });
        }
    };
    let presented = match (session, &cx.token) {
        (Some(session), _) => {
            let oldest = login::oldest(inner, now);
            let found = unguarded::bearer_of_session(&inner.store, id, session, now, oldest);
            found.await?.map(|found| Presented {
                bearer: found.bearer,
                session: Some(session),
                impersonator: cx.impersonator,
                narrowed: None,
                is_personal: true,
                opaque: None,
            })
        }
        (None, Some(token)) => presented(inner, token.expose(), client.ip, now).await?,
        (None, None) => None,
    };
    let presented = presented.ok_or(Code::InvalidCredentials)?;
    admit(inner, presented, client, now).await
}

/// Whose a token is, and how they act by it.
struct Presented {
    bearer: Bearer,
    /// The session, if it is a token of one.
    session: Option<SessionId>,
    /// Who acts instead of the bearer, if somebody does.
    impersonator: Option<UserId>,
    /// The policies that it is narrowed to, if it is.
    narrowed: Option<Vec<Uuid>>,
    /// Whether a person holds it: static tokens are for programs, which have no second factor.
    is_personal: bool,
    /// The token itself, if it is none of a session.
    opaque: Option<Arc<Secret>>,
}

async fn presented(
    inner: &Inner,
    token: &str,
    ip: Option<IpAddr>,
    now: Timestamp,
) -> Result<Option<Presented>> {
    let Some(claims) = access_claims(inner, token, now)? else {
        let found = bearer_of_token(inner, token, ip, now).await?;
        return Ok(found.map(|(bearer, narrowed)| Presented {
            bearer,
            session: None,
            impersonator: None,
            narrowed,
            is_personal: tokens::has_prefix(token),
            opaque: Some(Arc::new(Secret::new(token))),
        }));
    };
    let bearer = bearer_of_claims(inner, &claims, now).await?;
    Ok(bearer.map(|bearer| Presented {
        bearer,
        session: Some(claims.sid),
        impersonator: claims.act.map(|actor| actor.sub),
        narrowed: None,
        is_personal: true,
        opaque: None,
    }))
}

/// What decides the rights of a bearer.
const fn actor(bearer: &Bearer) -> Actor {
    Actor {
        user: Some(bearer.id),
        role: bearer.role,
        generation: bearer.generation,
        rules_epoch: bearer.rules_epoch,
    }
}

/// Nobody in particular: what everybody may do.
async fn public(inner: &Inner, client: Arc<Client>, now: Timestamp) -> Result<Context> {
    let (rules_epoch, schema_epoch) = unguarded::epochs(&inner.store).await?;
    let model = inner.model_at(schema_epoch).await?;
    let actor = Actor {
        user: None,
        role: None,
        generation: 0,
        rules_epoch,
    };
    let rights = access::rights(inner, &model, actor, client.ip, now).await?;
    limited(
        inner,
        Context {
            principal: Principal::Public,
            rights,
            actor: Some(actor),
            impersonator: None,
            is_narrowed: false,
            token: None,
            model,
            client,
            now,
            effects: Effects::default(),
        },
    )
    .await
}

/// The bearer of an access token. In mode `session` a cookie that was replaced works as long as its
/// refresh token does: for the grace period.
async fn bearer_of_claims(
    inner: &Inner,
    claims: &AccessClaims,
    now: Timestamp,
) -> Result<Option<Bearer>> {
    let (user, session) = (claims.id, claims.sid);
    let refresh = claims.session.as_ref();
    let refresh = refresh.map(|text| RefreshToken::parse(text).ok_or(Code::InvalidToken));
    let refresh = refresh.transpose()?;
    let oldest = login::oldest(inner, now);
    let found = unguarded::bearer_of_session(&inner.store, user, session, now, oldest).await?;
    let grace = TimeDelta::from_std(inner.settings.refresh_grace).unwrap_or(TimeDelta::MAX);
    let current = found.filter(|found| {
        let Some(refresh) = &refresh else { return true };
        let is_last = refresh.sequence.checked_add(1) == Some(found.sequence)
            && found.rotated_at.is_some_and(|at| now - at < grace);
        refresh.sequence == found.sequence || is_last
    });
    let Some(found) = current else {
        return Ok(None);
    };
    let before = now - USE;
    if found.last_used_at < before && found.bearer.status == Status::Active.as_str() {
        let mut tx = inner.store.begin().await?;
        sessions::touch(&mut tx, session, now, before).await?;
        tx.commit().await?;
    }
    Ok(Some(found.bearer))
}

/// Who acts as another has to be an administrator at that very moment.
async fn still_administers(
    inner: &Inner,
    impersonator: UserId,
    client: &Client,
    now: Timestamp,
) -> Result<()> {
    let bearer = unguarded::bearer_of_user(&inner.store, impersonator).await?;
    let bearer = bearer.filter(|bearer| bearer.status == Status::Active.as_str());
    let bearer = bearer.ok_or(Code::InvalidCredentials)?;
    let model = inner.model_at(bearer.schema_epoch).await?;
    let rights = access::rights(inner, &model, actor(&bearer), client.ip, now).await?;
    if rights.admin_access {
        Ok(())
    } else {
        Err(Code::InvalidCredentials.into())
    }
}

/// The claims of a token that is one of our access tokens; nothing for what looks like any other.
fn access_claims(inner: &Inner, token: &str, now: Timestamp) -> Result<Option<AccessClaims>> {
    match inner.keys.verify(token, now) {
        Ok(claims) => Ok(Some(claims)),
        Err(error) if is_access_token(token) => Err(error),
        Err(_) => Ok(None),
    }
}

const fn user(bearer: &Bearer, session: Option<SessionId>) -> Principal {
    Principal::User {
        id: bearer.id,
        role: bearer.role,
        session,
    }
}

/// The bearer of a token that is no JWT, and the policies that it is narrowed to, if it is.
async fn bearer_of_token(
    inner: &Inner,
    token: &str,
    ip: Option<IpAddr>,
    now: Timestamp,
) -> Result<Option<(Bearer, Option<Vec<Uuid>>)>> {
    // Longer ones are never stored; do not hash what a stranger makes arbitrarily long.
    if token.is_empty() || token.len() > 255 {
        return Ok(None);
    }
    if tokens::has_prefix(token)
        && let Some(found) = tokens::bearer(inner, token, ip, now).await?
    {
        return Ok(Some((found.bearer, found.policies)));
    }
    for hash in inner.keys.token_hashes(token) {
        if let Some(bearer) = unguarded::bearer_of_token(&inner.store, &hash).await? {
            return Ok(Some((bearer, None)));
        }
    }
    Ok(None)
}
