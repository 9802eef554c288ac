//! Beginning a session with e-mail and password.

use roster_domain::session::Session;
use roster_domain::{
    Action, Code, Collection, Error, Filter, Grant, Key, Query, Reason, Result, Status, email,
};
use roster_sdk::{Event, Map, Value};
use roster_storage::records;
use roster_storage::sessions::{self, Origin};
use roster_storage::unguarded::{self, Bearer, Credential};
use serde_json::Value as Json;
use tokio::time::Instant;

use super::{Body, Owner, Tokens, session_id, tokens};
use crate::context::Context;
use crate::hooks::AfterPayload;
use crate::secrets::{RefreshToken, Verified};
use crate::write::{Attempts, Change, commit, record, tell};
use crate::{Inner, access, hooks};

/// Checks the credentials and begins a session. A refusal takes the same time whatever its cause.
pub(crate) async fn run(inner: &Inner, cx: &Context, body: &Json) -> Result<Tokens> {
    let arrival = Instant::now();
    let mut body = Body::read(body)?;
    let (address, password) = (body.required("email"), body.required("password"));
    let _otp = body.optional("otp");
    body.mode();
    if !address.is_empty() && !email::is_valid(address) {
        body.reasons
            .push("\"email\" must be a valid email".to_owned());
    }
    body.finish()?;
    let outcome = begin(inner, cx, address, password).await;
    let word = if outcome.is_ok() { "ok" } else { "refused" };
    metrics::counter!("roster_logins_total", "outcome" => word).increment(1);
    if outcome.is_err() {
        tokio::time::sleep_until(arrival + inner.settings.login_stall).await;
    }
    outcome
}

async fn begin(inner: &Inner, cx: &Context, address: &str, password: &str) -> Result<Tokens> {
    let (credential, outdated) = prove(inner, address, password).await?;
    let bearer = Bearer {
        id: credential.user,
        status: credential.status.clone(),
        role: credential.role,
        generation: credential.generation,
        rules_epoch: credential.rules_epoch,
        schema_epoch: credential.schema_epoch,
        has_second_factor: credential.has_second_factor,
    };
    let rights = access::of_bearer(inner, cx, &bearer).await?;
    let user = shown(inner, cx, &credential).await?;
    hooks::before_login(inner, cx, credential.user.0, &user, "default", "json").await?;
    let mut attempts = Attempts::first();
    let refresh = loop {
        let done = store(inner, cx, &credential, outdated.as_deref(), &user).await;
        if !attempts.again(&done) {
            break done?;
        }
    };
    let owner = Owner {
        user: credential.user,
        role: credential.role,
        rights,
    };
    tokens(inner, cx, &owner, &refresh)
}

/// The user with this address, if the password is theirs and they may log in by it. One hash is
/// computed on every path.
async fn prove(
    inner: &Inner,
    address: &str,
    password: &str,
) -> Result<(Credential, Option<String>)> {
    let credential = unguarded::credential(&inner.store, &email::key(address)).await?;
    let may = credential
        .as_ref()
        .is_some_and(|c| c.status == Status::Active.as_str() && c.provider == "default");
    let hash = credential
        .as_ref()
        .filter(|_| may)
        .and_then(|c| c.password.as_deref());
    let verified = inner.hasher.verify(password, hash).await?;
    let credential = credential.ok_or(Code::InvalidCredentials)?;
    let outdated = match verified {
        Verified::No => return Err(Code::InvalidCredentials.into()),
        Verified::Yes => None,
        Verified::Outdated(hash) => Some(hash),
    };
    // No code can be checked yet, so a second factor that is set up keeps everybody out.
    if credential.has_second_factor {
        return Err(Code::InvalidOtp.into());
    }
    Ok((credential, outdated))
}

/// The user's record for hooks; nothing is read when nobody asks.
async fn shown(inner: &Inner, cx: &Context, credential: &Credential) -> Result<Map<String, Value>> {
    let is_asked = [Event::BeforeLogin, Event::AfterLogin]
        .into_iter()
        .any(|event| {
            !inner
                .registry
                .subscribers(Collection::Users, event)
                .is_empty()
        });
    if !is_asked {
        return Ok(Map::new());
    }
    let grant = Grant::system(Reason::Login, Action::Read, Collection::Users);
    let query = Query::stored(cx.model.users(), &grant, Filter::Everything);
    let key = credential.user.into();
    let item = records::get(&inner.store, &cx.model, &query, key).await?;
    Ok(item.map(|item| item.to_json()).unwrap_or_default())
}

async fn store(
    inner: &Inner,
    cx: &Context,
    credential: &Credential,
    outdated: Option<&str>,
    user: &Map<String, Value>,
) -> Result<RefreshToken> {
    let refresh = RefreshToken::first(session_id(inner)?)?;
    let ends_at = cx.now + inner.settings.session_max_age;
    let session = Session {
        id: refresh.session,
        user: credential.user,
        sequence: refresh.sequence,
        secret_hash: refresh.hash(),
        rotated_at: None,
        expires_at: ends_at.min(cx.now + inner.settings.refresh_token_ttl),
        ends_at,
        mode: "json".to_owned(),
    };
    let origin = Origin {
        ip: cx.client.ip.map(|ip| ip.to_string()),
        user_agent: cx.client.user_agent.clone(),
        origin: cx.client.origin.clone(),
    };
    let id = credential.user;
    let mut tx = inner.store.begin().await?;
    if !unguarded::still_as_proved(&mut tx, credential).await? {
        return Err(Error::from(Code::InvalidCredentials));
    }
    sessions::sweep(&mut tx, id, cx.now).await?;
    sessions::insert(&mut tx, &session, &origin, cx.now).await?;
    unguarded::touch(&mut tx, id, cx.now).await?;
    if let (Some(new), Some(old)) = (outdated, &credential.password) {
        unguarded::rehash(&mut tx, id, old, new).await?;
    }
    record(&mut tx, cx, Change::session("login", id.0)).await?;
    let told = tell(
        inner,
        &mut tx,
        cx,
        Collection::Users,
        Event::AfterLogin,
        Key::Uuid(id.0),
        |occasion| AfterPayload {
            occasion,
            record: user.clone(),
            changed: Vec::new(),
            provider: Some("default".to_owned()),
            mode: Some("json".to_owned()),
        },
    )
    .await?;
    commit(inner, tx, told).await?;
    Ok(refresh)
}
