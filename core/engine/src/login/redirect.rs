//! Logging in elsewhere: the browser goes there and comes back (contract/auth.md §14).

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use roster_domain::{Code, Error, Result};
use roster_sdk::{AuthStyle, BeginLogin, Callback, Map, Value};
use roster_storage::limits;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use url::Url;

use super::{Entry, Tokens, admission, attempts, destination, identity};
use crate::Inner;
use crate::accounts::limiter::{self, Tried};
use crate::context::Context;
use crate::plugins::{self, Provider};
use crate::system::new_id;

/// How long somebody may take elsewhere.
const PATIENCE: Duration = Duration::from_mins(5);
/// How much of a login is kept in the browser, in bytes: a cookie has 4,096, and encryption takes
/// a third.
const LONGEST: usize = 2_800;

/// How a login by redirect is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedirectLogin<'a> {
    /// The page to end on.
    pub redirect: Option<&'a str>,
    /// Whether the provider has to ask, also whom it knows already.
    pub prompt: bool,
    /// The code of users with a second factor.
    pub otp: Option<&'a str>,
}

/// A login that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// Where the browser goes.
    pub url: String,
    /// What it has to bring back in a cookie: encrypted, and good for one login by this provider.
    pub pass: String,
    /// For how long that is good.
    pub lives: Duration,
}

/// A login that has come to its end.
#[derive(Debug)]
pub struct Arrival {
    /// What came of it.
    pub outcome: Result<Tokens>,
    /// Where the browser goes now, with the reason where there are no tokens.
    pub url: String,
}

/// What the browser carries, unreadably, while it is elsewhere.
#[derive(Serialize, Deserialize)]
struct Pass {
    id: String,
    state: Map<String, Value>,
    redirect: String,
    prompt: bool,
    otp: Option<String>,
    until: i64,
}

/// Begins a login by a provider.
///
/// # Errors
/// `ROUTE_NOT_FOUND`, `INVALID_PAYLOAD`, `REQUESTS_EXCEEDED`, `PLUGIN_FAILED`, the codes of plugins.
pub(crate) async fn begin(
    inner: &Inner,
    cx: &Context,
    name: &str,
    asked: &RedirectLogin<'_>,
) -> Result<Departure> {
    let provider = plugins::provider(inner, name, AuthStyle::Redirect)?;
    limiter::count(inner, cx, Tried::Login).await?;
    let listed = &provider.settings().redirect_urls;
    let public_url = &inner.settings.accounts.public_url;
    let redirect = destination::choose(public_url, listed, asked.redirect)?;
    let request = BeginLogin {
        redirect_uri: callback_of(inner, name),
        prompt: asked.prompt,
    };
    let begun = plugins::begin_login(cx, &provider, &request).await?;
    let pass = Pass {
        id: new_id(cx.now)?.to_string(),
        state: begun.state,
        redirect: redirect.into(),
        prompt: asked.prompt,
        otp: asked.otp.map(ToOwned::to_owned),
        until: (cx.now + PATIENCE).timestamp(),
    };
    let text = serde_json::to_string(&pass).map_err(Error::internal)?;
    if text.len() > LONGEST {
        let reason = format!(
            "what a login has to remember takes {} bytes, expected at most {LONGEST}",
            text.len()
        );
        tracing::warn!(provider = name, reason, "login not begun");
        return Err(Error::invalid_payload(reason));
    }
    Ok(Departure {
        url: begun.url,
        pass: inner.keys.lock(&place(name), &text)?,
        lives: PATIENCE,
    })
}

/// Ends a login by a provider with what the browser brought back.
///
/// # Errors
/// `ROUTE_NOT_FOUND`; `INVALID_CREDENTIALS` for a browser that did not begin this login, lately and
/// here, and for one that has ended it already.
pub(crate) async fn complete(
    inner: &Inner,
    cx: &Context,
    name: &str,
    pass: Option<&str>,
    parameters: BTreeMap<String, String>,
) -> Result<Arrival> {
    let arrival = Instant::now();
    let provider = plugins::provider(inner, name, AuthStyle::Redirect)?;
    let pass = match take(inner, cx, name, pass).await {
        Ok(pass) => pass,
        Err(error) => return admission::settle(inner, arrival, Err(error)).await,
    };
    let redirect = Url::parse(&pass.redirect).map_err(Error::internal)?;
    let callback = Callback {
        redirect_uri: callback_of(inner, name),
        state: pass.state,
        parameters,
    };
    let outcome = enter(inner, cx, &provider, &callback, pass.otp.as_deref()).await;
    let outcome = admission::settle(inner, arrival, outcome).await;
    let url = match &outcome {
        Ok(_) => redirect.into(),
        // The provider's own session was not good enough: it has to ask.
        Err(error) if error.code().as_str() == "INVALID_TOKEN" && !pass.prompt => {
            let mut again = Url::parse(&login_of(inner, name)).map_err(Error::internal)?;
            again
                .query_pairs_mut()
                .append_pair("redirect", redirect.as_str())
                .append_pair("prompt", "true");
            again.into()
        }
        Err(error) => destination::with_reason(&redirect, &error.code().as_str()),
    };
    Ok(Arrival { outcome, url })
}

async fn enter(
    inner: &Inner,
    cx: &Context,
    provider: &Provider,
    callback: &Callback,
    otp: Option<&str>,
) -> Result<Tokens> {
    let settings = provider.settings();
    let entry = Entry {
        provider: provider.name(),
        mode: Some(settings.mode),
    };
    let identity = match plugins::complete_login(cx, provider, callback).await {
        Ok(identity) => identity,
        Err(error) => {
            if error.status() < 500 {
                attempts::failed(inner, cx, None, &entry, "callback").await?;
            }
            return Err(error);
        }
    };
    let proved = identity::admit(inner, cx, &entry, settings, &identity, otp).await?;
    admission::begin(inner, cx, &proved, &entry, settings.mode).await
}

/// Reads what the browser carried, once.
async fn take(inner: &Inner, cx: &Context, name: &str, pass: Option<&str>) -> Result<Pass> {
    let refused = || Error::from(Code::InvalidCredentials);
    let text = pass.and_then(|pass| inner.keys.unlock(&place(name), pass).ok());
    let pass: Option<Pass> = text.and_then(|text| serde_json::from_str(&text).ok());
    let pass = pass.filter(|pass| cx.now.timestamp() < pass.until);
    let pass = pass.ok_or_else(refused)?;
    let patience = TimeDelta::from_std(PATIENCE).unwrap_or(TimeDelta::MAX);
    let key = format!("pass:{}", pass.id);
    let mut tx = inner.store.begin().await?;
    let window = limits::count(&mut tx, &key, cx.now, cx.now + patience).await?;
    limits::sweep(&mut tx, cx.now).await?;
    tx.commit().await?;
    if window.tries == 1 {
        Ok(pass)
    } else {
        Err(refused())
    }
}

/// Where it is encrypted for: what one provider began is none of another's.
fn place(provider: &str) -> String {
    format!("login by {provider}")
}

fn login_of(inner: &Inner, name: &str) -> String {
    format!("{}/auth/login/{name}", inner.settings.accounts.public_url)
}

fn callback_of(inner: &Inner, name: &str) -> String {
    format!("{}/callback", login_of(inner, name))
}
