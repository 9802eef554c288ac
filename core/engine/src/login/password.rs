//! Beginning a session with e-mail and password.

use roster_domain::session::Session;
use roster_domain::{
    Action, Code, Collection, Error, Filter, Grant, Key, Query, Reason, Result, Status, UserId,
    email,
};
use roster_sdk::{Event, Map, Value};
use roster_storage::records;
use roster_storage::sessions;
use roster_storage::unguarded::{self, Bearer, Credential};
use serde_json::Value as Json;
use tokio::time::Instant;

use super::{Body, Mode, Owner, Tokens, attempts, idle, origin, second_factor, session_id, tokens};
use crate::accounts::limiter::{self, Tried};
use crate::context::Context;
use crate::hooks::AfterPayload;
use crate::secrets::{RefreshToken, Verified};
use crate::write::{Attempts, Change, commit, record, tell};
use crate::{Inner, access, hooks};

/// Checks the credentials and begins a session. A refusal takes the same time whatever its cause.
pub(crate) async fn run(inner: &Inner, cx: &Context, body: &Json) -> Result<Tokens> {
    let arrival = Instant::now();
    limiter::count(inner, cx, Tried::Login).await?;
    let mut body = Body::read(body)?;
    let (address, password) = (body.required("email"), body.required("password"));
    let otp = body.optional("otp");
    let mode = body.mode().unwrap_or(Mode::Json);
    if !address.is_empty() && !email::is_valid(address) {
        body.reasons
            .push("\"email\" must be a valid email".to_owned());
    }
    body.finish()?;
    let sent = Sent {
        address,
        password,
        otp,
        mode,
    };
    let outcome = begin(inner, cx, &sent).await;
    let word = if outcome.is_ok() { "ok" } else { "refused" };
    metrics::counter!("roster_logins_total", "outcome" => word).increment(1);
    if outcome.is_err() {
        tokio::time::sleep_until(arrival + inner.settings.login_stall).await;
    }
    outcome
}

/// What a client sends to log in.
struct Sent<'b> {
    address: &'b str,
    password: &'b str,
    otp: Option<&'b str>,
    mode: Mode,
}

async fn begin(inner: &Inner, cx: &Context, sent: &Sent<'_>) -> Result<Tokens> {
    let (credential, outdated) = prove(inner, cx, sent).await?;
    let begun = admit(inner, cx, &credential, outdated.as_deref(), sent.mode).await;
    if begun.is_err() {
        // They proved who they are: whatever stands in the way, it was no guess.
        attempts::forgive(inner, credential.user).await?;
    }
    begun
}

/// Begins a session for somebody who proved who they are.
async fn admit(
    inner: &Inner,
    cx: &Context,
    credential: &Credential,
    outdated: Option<&str>,
    mode: Mode,
) -> Result<Tokens> {
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
    let user = shown(inner, cx, credential).await?;
    let (id, word) = (credential.user.0, mode.as_str());
    hooks::before_login(inner, cx, id, &user, "default", word).await?;
    let mut attempts = Attempts::first();
    let refresh = loop {
        let done = store(inner, cx, credential, outdated, &user, mode).await;
        if !attempts.again(&done) {
            break done?;
        }
    };
    let enforce_tfa = rights.enforce_tfa && !bearer.has_second_factor;
    let owner = Owner {
        user: credential.user,
        role: credential.role,
        rights,
        enforce_tfa,
    };
    tokens(inner, cx, &owner, &refresh, mode)
}

/// The user with this address, if the password is theirs and they may log in by it. One hash is
/// computed on every path, and every guess is counted before it is judged.
async fn prove(
    inner: &Inner,
    cx: &Context,
    sent: &Sent<'_>,
) -> Result<(Credential, Option<String>)> {
    let credential = unguarded::credential(&inner.store, &email::key(sent.address)).await?;
    let is_open = credential.as_ref().is_some_and(|c| {
        c.status == Status::Active.as_str()
            && c.provider == "default"
            && !attempts::is_locked(c.locked_until, cx.now)
    });
    let may = match &credential {
        Some(credential) if is_open => attempts::take(inner, cx, credential.user).await?,
        _ => false,
    };
    let hash = credential
        .as_ref()
        .filter(|_| may)
        .and_then(|c| c.password.as_deref());
    let verified = inner.hasher.verify(sent.password, hash).await?;
    let credential = credential.ok_or(Code::InvalidCredentials)?;
    let outdated = match verified {
        Verified::No => {
            attempts::failed(inner, cx, credential.user, "password").await?;
            return Err(Code::InvalidCredentials.into());
        }
        Verified::Yes => None,
        Verified::Outdated(hash) => Some(hash),
    };
    if credential.has_second_factor {
        prove_second_factor(inner, cx, credential.user, sent.otp).await?;
    }
    Ok((credential, outdated))
}

/// The code that goes with the password, where one is needed. A wrong one counts as a wrong
/// password does; asking without one is how clients find out that it is needed.
async fn prove_second_factor(
    inner: &Inner,
    cx: &Context,
    user: UserId,
    otp: Option<&str>,
) -> Result<()> {
    let Some(otp) = otp.filter(|otp| !otp.is_empty()) else {
        attempts::forgive(inner, user).await?;
        return Err(Code::InvalidOtp.into());
    };
    if second_factor::judge(inner, cx, user, otp).await? {
        return Ok(());
    }
    attempts::failed(inner, cx, user, "otp").await?;
    Err(Code::InvalidOtp.into())
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
    mode: Mode,
) -> Result<RefreshToken> {
    let refresh = RefreshToken::first(session_id(inner)?)?;
    let ends_at = cx.now + inner.settings.session_max_age;
    let session = Session {
        id: refresh.session,
        user: credential.user,
        sequence: refresh.sequence,
        secret_hash: refresh.hash(),
        rotated_at: None,
        expires_at: ends_at.min(cx.now + idle(inner, mode)),
        ends_at,
        mode: mode.as_str().to_owned(),
    };
    let origin = origin(cx);
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
            mode: Some(mode.as_str().to_owned()),
        },
    )
    .await?;
    commit(inner, tx, told).await?;
    Ok(refresh)
}
