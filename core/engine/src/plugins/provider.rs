use std::sync::Arc;

use roster_domain::{Code, Collection, Error, Result, email};
use roster_sdk::{
    AuthProvider, AuthStyle, BeginLogin, Callback, Credentials, Event, Failure, HookError,
    Identity, Redirect,
};

use super::run;
use crate::Inner;
use crate::context::Context;
use crate::convert::{Occasion, refusal};
use crate::registry::Placed;
use crate::system::new_id;

/// The longest identifier, in bytes.
const IDENTIFIER: usize = 255;

/// Checks a name and a secret with a provider of the credential style.
pub(crate) async fn authenticate(
    inner: &Inner,
    cx: &Context,
    name: &str,
    credentials: &Credentials,
) -> Result<Identity> {
    let (slot, provider) = find(inner, name, AuthStyle::Credentials)?;
    // A directory takes an empty secret for no wish to prove anything (RFC 4513 §5.1.2).
    if credentials.secret.is_empty() {
        return Err(Code::InvalidCredentials.into());
    }
    let context = context(cx, &slot)?;
    let step = async { fit(provider.authenticate(&context, credentials).await?) };
    settle(&slot, run(&slot, Event::Authenticate, step).await)
}

/// Where a provider of the redirect style sends the browser.
pub(crate) async fn begin(
    inner: &Inner,
    cx: &Context,
    name: &str,
    request: &BeginLogin,
) -> Result<Redirect> {
    let (slot, provider) = find(inner, name, AuthStyle::Redirect)?;
    let context = context(cx, &slot)?;
    let step = async {
        let redirect = provider.begin(&context, request).await?;
        let is_web = ["https://", "http://"]
            .iter()
            .any(|scheme| redirect.url.starts_with(scheme));
        if is_web {
            Ok(redirect)
        } else {
            Err(Failure::new("it sends the browser to no web address").into())
        }
    };
    settle(&slot, run(&slot, Event::Authenticate, step).await)
}

/// Who somebody is, by what the browser brought back.
pub(crate) async fn complete(
    inner: &Inner,
    cx: &Context,
    name: &str,
    callback: &Callback,
) -> Result<Identity> {
    let (slot, provider) = find(inner, name, AuthStyle::Redirect)?;
    let context = context(cx, &slot)?;
    let step = async { fit(provider.complete(&context, callback).await?) };
    settle(&slot, run(&slot, Event::Authenticate, step).await)
}

fn find(
    inner: &Inner,
    name: &str,
    style: AuthStyle,
) -> Result<(Arc<Placed>, Arc<dyn AuthProvider>)> {
    let slot = inner.registry.find(name).filter(|slot| {
        let styles = &slot.instance.manifest.authenticates;
        styles.contains(&style)
    });
    let slot = slot.ok_or(Code::RouteNotFound)?;
    let provider = slot.instance.auth_provider.clone();
    let provider = provider.ok_or(Code::RouteNotFound)?;
    Ok((slot, provider))
}

fn context(cx: &Context, slot: &Arc<Placed>) -> Result<roster_sdk::Context> {
    let call = new_id(cx.now)?;
    let users = Collection::Users;
    Ok(Occasion::of(cx).context(slot, call, Event::Authenticate, users, None))
}

/// Refuses an identity that nobody could be found by.
fn fit(identity: Identity) -> Result<Identity, HookError> {
    let length = identity.external_identifier.len();
    if length == 0 || length > IDENTIFIER {
        let reason = format!("identified somebody by {length} bytes, expected 1 to {IDENTIFIER}");
        return Err(Failure::new(reason).into());
    }
    match &identity.email {
        Some(address) if !email::is_valid(address) => {
            Err(Failure::new("identified somebody with an address that is none").into())
        }
        _ => Ok(identity),
    }
}

fn settle<T>(slot: &Placed, answer: Result<T, HookError>) -> Result<T> {
    let reason = match answer {
        Ok(answer) => return Ok(answer),
        Err(HookError::Rejected(rejection)) => match refusal(rejection) {
            Ok(error) => return Err(error),
            Err(reason) => reason,
        },
        Err(HookError::Failed(failure)) => failure.reason,
    };
    // Whoever cannot be asked proves nothing: there is no way round a provider that fails.
    tracing::error!(plugin = slot.name, reason, "auth provider failed");
    Err(Error::from(Code::PluginFailed))
}
