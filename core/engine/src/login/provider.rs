//! Beginning a session with a name and a secret that a provider checks.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use roster_domain::lockout::attempts_allowed;
use roster_domain::{Code, Result, email};
use roster_sdk::{AuthStyle, Credentials};
use roster_storage::{limits, logins};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::{Body, Entry, LOCAL, Mode, Tokens, admission, attempts, identity};
use crate::Inner;
use crate::accounts::limiter::{self, Tried};
use crate::context::Context;
use crate::plugins::{self, Provider};

/// For how long guesses at one name count together.
const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Has a provider check the credentials, and begins a session. A refusal takes the same time
/// whatever its cause.
pub(crate) async fn run(inner: &Inner, cx: &Context, name: &str, body: &Json) -> Result<Tokens> {
    let arrival = Instant::now();
    // The local password has a route of its own.
    if name == LOCAL {
        return Err(Code::RouteNotFound.into());
    }
    let provider = plugins::provider(inner, name, AuthStyle::Credentials)?;
    limiter::count(inner, cx, Tried::Login).await?;
    let mut body = Body::read(body)?;
    // Directories know people by many names; an address is one of them.
    let is_address = body.map.contains_key("email") && !body.map.contains_key("identifier");
    let name = if is_address { "email" } else { "identifier" };
    let (identifier, secret) = (body.required(name), body.required("password"));
    let otp = body.optional("otp");
    let mode = body.mode().unwrap_or(Mode::Json);
    body.finish()?;
    let credentials = Credentials {
        identifier: identifier.to_owned(),
        secret: secret.to_owned(),
    };
    let begun = begin(inner, cx, &provider, &credentials, otp, mode).await;
    admission::settle(inner, arrival, begun).await
}

async fn begin(
    inner: &Inner,
    cx: &Context,
    provider: &Provider,
    credentials: &Credentials,
    otp: Option<&str>,
    mode: Mode,
) -> Result<Tokens> {
    let entry = Entry {
        provider: provider.name(),
        mode: Some(mode),
    };
    let guesses = Guesses::at(&entry, &credentials.identifier);
    let identity = if guesses.take(inner, cx).await? {
        plugins::authenticate(cx, provider, credentials).await
    } else {
        Err(Code::InvalidCredentials.into())
    };
    let identity = match identity {
        Ok(identity) => identity,
        Err(error) => {
            if error.status() < 500 {
                attempts::failed(inner, cx, None, &entry, "credentials").await?;
            }
            return Err(error);
        }
    };
    guesses.forget(inner).await?;
    let proved = identity::admit(inner, cx, &entry, provider.settings(), &identity, otp).await?;
    admission::begin(inner, cx, &proved, &entry, mode).await
}

/// Guesses at a name that only the provider knows: whose it is shows when it is too late to count
/// them with the user's. What was typed is kept as a hash.
struct Guesses(String);

impl Guesses {
    fn at(entry: &Entry<'_>, identifier: &str) -> Self {
        let hash = Sha256::digest(email::key(identifier).as_bytes());
        let hash = URL_SAFE_NO_PAD.encode(hash);
        Self(format!("guess:{}:{hash}", entry.provider))
    }

    /// Counts a guess before it is judged. Whether it may be.
    async fn take(&self, inner: &Inner, cx: &Context) -> Result<bool> {
        let allowed = attempts_allowed(logins::allowed(&inner.store).await?);
        let mut tx = inner.store.begin().await?;
        let window = limits::count(&mut tx, &self.0, cx.now, cx.now + WINDOW).await?;
        tx.commit().await?;
        Ok(window.tries <= allowed)
    }

    async fn forget(&self, inner: &Inner) -> Result<()> {
        let mut tx = inner.store.begin().await?;
        limits::forget(&mut tx, &self.0).await?;
        tx.commit().await
    }
}
