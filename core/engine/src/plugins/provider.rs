use std::sync::Arc;

use roster_domain::{Code, Collection, Error, Result, email};
use roster_sdk::{
    AuthProvider, AuthStyle, BeginLogin, Callback, Credentials, Event, Failure, HookError,
    Identity, Redirect,
};

use super::{CallHost, run};
use crate::Inner;
use crate::context::Context;
use crate::convert::{Occasion, refusal};
use crate::login::admission::Proved;
use crate::login::password::Verifier;
use crate::login::{Entry, LOCAL, Mode};
use crate::registry::{LoginSettings, Placed};
use crate::system::new_id;

/// The longest identifier, in bytes.
const IDENTIFIER: usize = 255;
/// The most that a provider may want to be kept of somebody, in bytes.
const DATA: usize = 16 << 10;

/// A provider that somebody wants to log in by.
pub(crate) struct Provider {
    slot: Arc<Placed>,
    asked: Arc<dyn AuthProvider>,
}

impl Provider {
    /// Its name in paths and in the records of its users.
    pub(crate) fn name(&self) -> &str {
        if self.slot.capabilities.credentials {
            LOCAL
        } else {
            &self.slot.name
        }
    }

    /// What logins by it come to.
    pub(crate) fn settings(&self) -> &LoginSettings {
        &self.slot.login
    }

    fn context(&self, cx: &Context) -> Result<roster_sdk::Context> {
        let (call, event) = (new_id(cx.now)?, Event::Authenticate);
        let occasion = Occasion::of(cx);
        let host = CallHost::direct(&self.slot.host);
        Ok(occasion.context(call, event, Collection::Users, None, host))
    }
}

/// A provider as clients are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedProvider {
    /// Its name in paths.
    pub name: String,
    /// What people read.
    pub label: Option<String>,
    /// Its icon.
    pub icon: Option<String>,
    /// Whether the browser is sent elsewhere; else it takes a name and a secret.
    pub redirects: bool,
    /// How tokens are handed over after a redirect.
    pub mode: Mode,
}

/// The providers beside the local password, by name.
pub(crate) fn providers(inner: &Inner) -> Vec<ListedProvider> {
    let all = inner.registry.all();
    let is_further = |slot: &&Arc<Placed>| is_provider(slot) && !slot.capabilities.credentials;
    let slots = all.iter().filter(is_further);
    let mut providers: Vec<_> = slots
        .map(|slot| ListedProvider {
            name: slot.name.clone(),
            label: slot.login.label.clone(),
            icon: slot.login.icon.clone(),
            redirects: styles(slot).contains(&AuthStyle::Redirect),
            mode: slot.login.mode,
        })
        .collect();
    providers.sort_by(|a, b| a.name.cmp(&b.name));
    providers
}

/// Whether sessions that were begun by a provider go on.
pub(crate) fn has_provider(inner: &Inner, name: &str) -> bool {
    slot_of(inner, name).is_some_and(|slot| is_provider(&slot))
}

/// The plugin behind a name of the wire. The local password has one there that no plugin has.
fn slot_of(inner: &Inner, name: &str) -> Option<Arc<Placed>> {
    let all = inner.registry.all();
    let mut slots = all.iter();
    let is_meant = |slot: &&Arc<Placed>| match (slot.capabilities.credentials, name) {
        (is_local, LOCAL) => is_local,
        (is_local, name) => !is_local && slot.name == name,
    };
    slots.find(is_meant).cloned()
}

fn is_provider(slot: &Placed) -> bool {
    slot.instance.auth_provider.is_some() && !styles(slot).is_empty()
}

fn styles(slot: &Placed) -> &[AuthStyle] {
    &slot.instance.manifest.authenticates
}

/// The provider of that name, if it can be used so.
///
/// # Errors
/// `ROUTE_NOT_FOUND`.
pub(crate) fn provider(inner: &Inner, name: &str, style: AuthStyle) -> Result<Provider> {
    let slot = slot_of(inner, name);
    let slot = slot.filter(|slot| styles(slot).contains(&style));
    let slot = slot.ok_or(Code::RouteNotFound)?;
    let asked = slot.instance.auth_provider.clone();
    let asked = asked.ok_or(Code::RouteNotFound)?;
    Ok(Provider { slot, asked })
}

/// Checks a name and a secret with a provider of the credential style.
pub(crate) async fn authenticate(
    cx: &Context,
    provider: &Provider,
    credentials: &Credentials,
) -> Result<Identity> {
    // A directory takes an empty secret for no wish to prove anything (RFC 4513 §5.1.2).
    if credentials.secret.is_empty() {
        return Err(Code::InvalidCredentials.into());
    }
    let context = provider.context(cx)?;
    let asked = &provider.asked;
    let step = async { fit(asked.authenticate(&context, credentials).await?) };
    let slot = &provider.slot;
    settle(slot, run(slot, Event::Authenticate, step).await)
}

/// Checks an address and a password of ours with their provider. What was found by the check itself
/// is what counts: whoever the provider names has to be the one whose password was right.
pub(crate) async fn authenticate_locally(
    cx: &Context,
    provider: &Provider,
    credentials: &Credentials,
    entry: &Entry<'_>,
) -> Result<Proved> {
    let verifier = Verifier::new(cx, entry.mode);
    let mut context = provider.context(cx)?;
    let slot = &provider.slot;
    context.host = CallHost::verifying(&slot.host, &verifier) as _;
    let step = async { fit(provider.asked.authenticate(&context, credentials).await?) };
    let answer = run(slot, Event::Authenticate, step).await;
    let proved = match verifier.take() {
        // What stood in the way of the check is no failure of the provider.
        Some(Err(error)) => return Err(error),
        Some(Ok(proved)) => Some(proved),
        None => None,
    };
    let identity = settle(slot, answer)?;
    let is_named = |proved: &Proved| {
        let user = proved.credential.user.to_string();
        user == identity.external_identifier
    };
    let proved = proved.filter(is_named);
    proved.ok_or_else(|| Code::InvalidCredentials.into())
}

/// Where a provider of the redirect style sends the browser.
pub(crate) async fn begin_login(
    cx: &Context,
    provider: &Provider,
    request: &BeginLogin,
) -> Result<Redirect> {
    let context = provider.context(cx)?;
    let step = async {
        let redirect = provider.asked.begin(&context, request).await?;
        let is_web = ["https://", "http://"]
            .iter()
            .any(|scheme| redirect.url.starts_with(scheme));
        let is_plain = redirect.url.bytes().all(|byte| byte.is_ascii_graphic());
        if is_web && is_plain {
            Ok(redirect)
        } else {
            Err(Failure::new("it sends the browser to no web address").into())
        }
    };
    let slot = &provider.slot;
    settle(slot, run(slot, Event::Authenticate, step).await)
}

/// Who somebody is, by what the browser brought back.
pub(crate) async fn complete_login(
    cx: &Context,
    provider: &Provider,
    callback: &Callback,
) -> Result<Identity> {
    let context = provider.context(cx)?;
    let step = async { fit(provider.asked.complete(&context, callback).await?) };
    let slot = &provider.slot;
    settle(slot, run(slot, Event::Authenticate, step).await)
}

/// Refuses an identity that nobody could be found by, or that is too much to keep.
fn fit(identity: Identity) -> Result<Identity, HookError> {
    let length = identity.external_identifier.len();
    if length == 0 || length > IDENTIFIER {
        let reason = format!("identified somebody by {length} bytes, expected 1 to {IDENTIFIER}");
        return Err(Failure::new(reason).into());
    }
    let data = serde_json::to_string(&identity.data).map_or(usize::MAX, |data| data.len());
    if data > DATA {
        let reason = format!("wants {data} bytes to be kept, expected at most {DATA}");
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
            // In the words that every refused login has.
            Ok(error) if error.code().as_str() == Code::InvalidCredentials.as_str() => {
                return Err(Code::InvalidCredentials.into());
            }
            Ok(error) => return Err(error),
            Err(reason) => reason,
        },
        Err(HookError::Failed(failure)) => failure.reason,
    };
    // Whoever cannot be asked proves nothing: there is no way round a provider that fails.
    tracing::error!(plugin = slot.name, reason, "auth provider failed");
    Err(Error::from(Code::PluginFailed))
}
