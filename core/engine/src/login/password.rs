//! Beginning a session with e-mail and password.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use roster_domain::{Code, Result, email};
use roster_sdk::{AuthStyle, Credentials, HostError, HostErrorCode, Identity};
use roster_storage::unguarded;
use serde_json::Value as Json;
use tokio::time::Instant;

use super::admission::{self, Proved};
use super::{Body, Entry, LOCAL, Mode, Tokens, attempts};
use crate::Inner;
use crate::accounts::limiter::{self, Tried};
use crate::context::Context;
use crate::plugins;
use crate::secrets::Verified;

/// Checks the credentials and begins a session. A refusal takes the same time whatever its cause.
pub(crate) async fn run(inner: &Inner, cx: &Context, body: &Json) -> Result<Tokens> {
    let arrival = Instant::now();
    let provider = plugins::provider(inner, LOCAL, AuthStyle::Credentials)?;
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
    let credentials = Credentials {
        identifier: address.to_owned(),
        secret: password.to_owned(),
    };
    let begun = async {
        let entry = Entry {
            provider: LOCAL,
            mode: Some(mode),
        };
        let proved = plugins::authenticate_locally(cx, &provider, &credentials, &entry).await?;
        admission::second_factor(inner, cx, &proved.credential, &entry, otp).await?;
        admission::begin(inner, cx, &proved, &entry, mode).await
    };
    admission::settle(inner, arrival, begun.await).await
}

/// What the local password's provider may ask, once in a login, and what was found.
pub(crate) struct Verifier {
    cx: Context,
    mode: Option<Mode>,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    is_asked: bool,
    proved: Option<Result<Proved>>,
}

impl Verifier {
    pub(crate) fn new(cx: &Context, mode: Option<Mode>) -> Arc<Self> {
        Arc::new(Self {
            cx: cx.clone(),
            mode,
            found: Mutex::default(),
        })
    }

    /// Whose password it is. The proof stays here: it says as what the user was found when the
    /// password was right.
    pub(crate) async fn verify(
        &self,
        inner: &Inner,
        credentials: &Credentials,
    ) -> Result<Option<Identity>, HostError> {
        if std::mem::replace(&mut self.locked().is_asked, true) {
            let message = "one password is checked in a login";
            return Err(HostError::new(HostErrorCode::Denied, message));
        }
        let Credentials { identifier, secret } = credentials;
        let entry = Entry {
            provider: LOCAL,
            mode: self.mode,
        };
        match prove(inner, &self.cx, &entry, identifier, secret).await {
            Ok(proved) => {
                let external_identifier = proved.credential.user.to_string();
                self.locked().proved = Some(Ok(proved));
                Ok(Some(Identity {
                    external_identifier,
                    ..Identity::default()
                }))
            }
            Err(error) if *error.code() == Code::InvalidCredentials => Ok(None),
            Err(error) => {
                let refused = HostError::new(HostErrorCode::Failed, error.to_string());
                self.locked().proved = Some(Err(error));
                Err(refused)
            }
        }
    }

    /// What was found.
    pub(crate) fn take(&self) -> Option<Result<Proved>> {
        self.locked().proved.take()
    }

    fn locked(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The user with this address, if the password is theirs and they may log in by it. One hash is
/// computed on every path, and every guess is counted before it is judged.
async fn prove(
    inner: &Inner,
    cx: &Context,
    entry: &Entry<'_>,
    address: &str,
    password: &str,
) -> Result<Proved> {
    let credential = unguarded::credential(&inner.store, &email::key(address)).await?;
    let is_open = credential
        .as_ref()
        .is_some_and(|c| c.provider == LOCAL && admission::is_open(cx, c));
    let may = match &credential {
        Some(credential) if is_open => attempts::take(inner, cx, credential.user).await?,
        _ => false,
    };
    let hash = credential
        .as_ref()
        .filter(|_| may)
        .and_then(|c| c.password.as_deref());
    let outdated = match inner.hasher.verify(password, hash).await? {
        Verified::No => None,
        Verified::Yes => Some(None),
        Verified::Outdated(hash) => Some(Some(hash)),
    };
    match (credential, outdated) {
        (Some(credential), Some(outdated)) => Ok(Proved {
            credential,
            outdated,
        }),
        (credential, _) => {
            let user = credential.map(|credential| credential.user);
            attempts::failed(inner, cx, user, entry, "password").await?;
            Err(Code::InvalidCredentials.into())
        }
    }
}
