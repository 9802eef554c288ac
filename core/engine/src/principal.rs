//! Token → principal.

use std::sync::Arc;

use roster_domain::{Code, Principal, Result, Rights, SessionId, Status, Timestamp};
use roster_storage::unguarded::{self, Bearer};

use crate::access::Actor;
use crate::context::{Client, Context};
use crate::plugins::Effects;
use crate::secrets::{AccessClaims, is_access_token};
use crate::{Inner, access};

/// Finds out who acts, and checks them against their row as it is now (design: freshness).
pub(crate) async fn authenticate(
    inner: &Inner,
    token: Option<&str>,
    client: Client,
) -> Result<Context> {
    let now = inner.clock.now();
    let client = Arc::new(client);
    let Some(token) = token else {
        return public(inner, client, now).await;
    };
    let (bearer, session) = match access_claims(inner, token, now)? {
        Some(claims) => {
            let bearer = unguarded::bearer_of_session(&inner.store, claims.id, claims.sid, now);
            (bearer.await?, Some(claims.sid))
        }
        None => (bearer_of_token(inner, token).await?, None),
    };
    let bearer = bearer
        .filter(|bearer| bearer.status == Status::Active.as_str())
        .ok_or(Code::InvalidCredentials)?;
    let model = inner.model_at(bearer.schema_epoch).await?;
    let actor = Actor {
        user: Some(bearer.id),
        role: bearer.role,
        generation: bearer.generation,
        rules_epoch: bearer.rules_epoch,
    };
    let mut rights = access::rights(inner, &model, actor, client.ip, now).await?;
    // A session without the second factor that is asked of it may set it up, and nothing else.
    if rights.enforce_tfa && session.is_some() && !bearer.has_second_factor {
        rights = Arc::new(Rights {
            is_locked: true,
            ..rights.as_ref().clone()
        });
    }
    Ok(Context {
        principal: user(&bearer, session),
        rights,
        actor: Some(actor),
        model,
        client,
        now,
        effects: Effects::default(),
    })
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
    Ok(Context {
        principal: Principal::Public,
        rights,
        actor: Some(actor),
        model,
        client,
        now,
        effects: Effects::default(),
    })
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

async fn bearer_of_token(inner: &Inner, token: &str) -> Result<Option<Bearer>> {
    // Longer ones are never stored; do not hash what a stranger makes arbitrarily long.
    if token.is_empty() || token.len() > 255 {
        return Ok(None);
    }
    for hash in inner.keys.token_hashes(token) {
        if let Some(bearer) = unguarded::bearer_of_token(&inner.store, &hash).await? {
            return Ok(Some(bearer));
        }
    }
    Ok(None)
}
