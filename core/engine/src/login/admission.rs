//! From a proof to a session, whichever way the proof came.

use roster_domain::session::Session;
use roster_domain::{Code, Collection, Error, Key, Result, Status, UserId};
use roster_sdk::{Event, Map, Value};
use roster_storage::sessions;
use roster_storage::unguarded::{self, Bearer, Credential};
use tokio::time::Instant;

use super::{Entry, Owner, Tokens, attempts, idle, origin, second_factor, session_id, shown};
use super::{Mode, tokens};
use crate::context::Context;
use crate::hooks::AfterPayload;
use crate::plugins::claims;
use crate::secrets::RefreshToken;
use crate::write::{Attempts, Change, commit, record, tell};
use crate::{Inner, access, hooks};

/// The hooks that are shown who comes in.
const SHOWN: [Event; 3] = [Event::BeforeLogin, Event::Claims, Event::AfterLogin];

/// Who proved who they are, and as what they were found then.
pub(crate) struct Proved {
    pub(crate) credential: Credential,
    /// A stronger hash of the same password, if the stored one is weak.
    pub(crate) outdated: Option<String>,
}

/// Counts how a login ended; a refusal takes the same time whatever its cause.
pub(super) async fn settle<T>(inner: &Inner, arrival: Instant, outcome: Result<T>) -> Result<T> {
    let word = if outcome.is_ok() { "ok" } else { "refused" };
    metrics::counter!("roster_logins_total", "outcome" => word).increment(1);
    if outcome.is_err() {
        tokio::time::sleep_until(arrival + inner.settings.login_stall).await;
    }
    outcome
}

/// Whether somebody may log in at all, whatever they prove.
pub(super) fn is_open(cx: &Context, credential: &Credential) -> bool {
    credential.status == Status::Active.as_str()
        && !attempts::is_locked(credential.locked_until, cx.now)
}

/// The code that goes with the proof, where one is needed. A wrong one counts as a wrong password
/// does; asking without one is how clients find out that it is needed.
pub(super) async fn second_factor(
    inner: &Inner,
    cx: &Context,
    credential: &Credential,
    entry: &Entry<'_>,
    otp: Option<&str>,
) -> Result<()> {
    if !credential.has_second_factor {
        return Ok(());
    }
    let user = credential.user;
    let Some(otp) = otp.filter(|otp| !otp.is_empty()) else {
        attempts::forgive(inner, user).await?;
        return Err(Code::InvalidOtp.into());
    };
    if second_factor::judge(inner, cx, user, otp).await? {
        return Ok(());
    }
    attempts::failed(inner, cx, Some(user), entry, "otp").await?;
    Err(Code::InvalidOtp.into())
}

/// Begins a session for somebody who proved who they are.
pub(super) async fn begin(
    inner: &Inner,
    cx: &Context,
    proved: &Proved,
    entry: &Entry<'_>,
    mode: Mode,
) -> Result<Tokens> {
    let begun = admit(inner, cx, proved, entry, mode).await;
    if let Err(error) = &begun {
        let user = proved.credential.user;
        // They proved who they are: whatever stands in the way, it was no guess.
        attempts::forgive(inner, user).await?;
        if error.status() < 500 {
            attempts::failed(inner, cx, Some(user), entry, "refused").await?;
        }
    }
    begun
}

async fn admit(
    inner: &Inner,
    cx: &Context,
    proved: &Proved,
    entry: &Entry<'_>,
    mode: Mode,
) -> Result<Tokens> {
    let credential = &proved.credential;
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
    let user = shown(inner, cx, credential.user, &SHOWN).await?;
    let (id, word) = (credential.user.0, mode.as_str());
    cx.effects.forget();
    hooks::before_login(inner, cx, id, &user, entry.provider, word).await?;
    let claims = claims(inner, cx, id, &user, entry.provider, word).await?;
    let mut attempts = Attempts::first();
    let refresh = loop {
        let done = store(inner, cx, proved, entry, &user, mode).await;
        if !attempts.again(&done) {
            break done?;
        }
        cx.effects.rewind();
    };
    let enforce_tfa = rights.enforce_tfa && !bearer.has_second_factor;
    let owner = Owner {
        user: credential.user,
        role: credential.role,
        rights,
        enforce_tfa,
        claims,
    };
    tokens(inner, cx, owner, &refresh, mode)
}

async fn store(
    inner: &Inner,
    cx: &Context,
    proved: &Proved,
    entry: &Entry<'_>,
    user: &Map<String, Value>,
    mode: Mode,
) -> Result<RefreshToken> {
    let Proved {
        credential,
        outdated,
    } = proved;
    let id = credential.user;
    let (session, refresh) = session(inner, cx, id, entry, mode)?;
    let origin = origin(cx);
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
            provider: Some(entry.provider.to_owned()),
            mode: Some(mode.as_str().to_owned()),
            ..AfterPayload::of(occasion, user.clone())
        },
    )
    .await?;
    commit(inner, tx, told).await?;
    Ok(refresh)
}

fn session(
    inner: &Inner,
    cx: &Context,
    user: UserId,
    entry: &Entry<'_>,
    mode: Mode,
) -> Result<(Session, RefreshToken)> {
    let refresh = RefreshToken::first(session_id(inner)?)?;
    let ends_at = cx.now + inner.settings.session_max_age;
    let session = Session {
        id: refresh.session,
        user,
        sequence: refresh.sequence,
        secret_hash: refresh.hash(),
        rotated_at: None,
        expires_at: ends_at.min(cx.now + idle(inner, mode)),
        ends_at,
        mode: mode.as_str().to_owned(),
        provider: entry.provider.to_owned(),
    };
    Ok((session, refresh))
}
