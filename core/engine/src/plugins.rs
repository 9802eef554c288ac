//! What plugins are to the rest of the engine: calls with their limits and records, policies, auth
//! providers, claims, security events, and what administrators may know about them.

mod address;
mod call;
mod claims;
mod deferred;
pub(crate) mod effects;
mod health;
mod http;
mod lookup;
mod narrow;
mod provider;
mod security;
mod status;

use std::sync::Arc;

use roster_domain::{Action, Collection, Result};
use roster_sdk::{BeginLogin, Callback, Credentials, Identity, Map, Redirect, Value as Json};
use uuid::Uuid;

use crate::context::Context;
use crate::registry::PluginSlot;
use crate::{Engine, Inner};

pub(crate) use call::run;
pub(crate) use deferred::CallHost;
pub use effects::Effects;
pub(crate) use effects::send_mail;
pub(crate) use health::Health;
pub(crate) use http::HttpClient;
pub(crate) use lookup::find;
pub use narrow::{Narrowed, Narrowing};
pub(crate) use narrow::{narrow as ask_policies, narrow_rights};
pub use security::SecurityEvent;
pub use status::{LastError, PluginStatus};

/// Gives plugins the way back to the system they are part of.
pub(crate) fn attach(inner: &Arc<Inner>) {
    for slot in inner.registry.all().iter() {
        slot.host.attach(Arc::downgrade(inner));
    }
}

impl Engine {
    /// Puts other plugins in the place of the present ones. Calls under way end on the old ones.
    pub fn replace_plugins(&self, slots: Vec<PluginSlot>) {
        self.inner.registry.replace(slots);
        attach(&self.inner);
    }

    /// The loaded plugins, in order.
    ///
    /// # Errors
    /// `FORBIDDEN` for everybody but administrators.
    pub fn plugins(&self, cx: &Context) -> Result<Vec<PluginStatus>> {
        status::all(&self.inner, cx)
    }

    /// What the policy plugins make of an action: they can only make it smaller.
    ///
    /// # Errors
    /// `PLUGIN_FAILED` if one fails that has to be heard.
    pub async fn narrow(
        &self,
        cx: &Context,
        action: Action,
        collection: Collection,
    ) -> Result<Narrowing> {
        narrow::narrow(&self.inner, cx, action, collection).await
    }

    /// Asks an auth provider to check a name and a secret.
    ///
    /// # Errors
    /// The plugin's refusal; `PLUGIN_FAILED`; `ROUTE_NOT_FOUND` if there is no such provider.
    pub async fn authenticate_with(
        &self,
        cx: &Context,
        provider: &str,
        credentials: &Credentials,
    ) -> Result<Identity> {
        provider::authenticate(&self.inner, cx, provider, credentials).await
    }

    /// Asks an auth provider where to send the browser.
    ///
    /// # Errors
    /// As for [`Engine::authenticate_with`].
    pub async fn begin_login_with(
        &self,
        cx: &Context,
        provider: &str,
        request: &BeginLogin,
    ) -> Result<Redirect> {
        provider::begin(&self.inner, cx, provider, request).await
    }

    /// Gives an auth provider what the browser brought back.
    ///
    /// # Errors
    /// As for [`Engine::authenticate_with`].
    pub async fn complete_login_with(
        &self,
        cx: &Context,
        provider: &str,
        callback: &Callback,
    ) -> Result<Identity> {
        provider::complete(&self.inner, cx, provider, callback).await
    }

    /// The claims that hooks add to an access token of this user.
    ///
    /// # Errors
    /// `PLUGIN_FAILED` if a hook fails that has to be heard, or adds a reserved claim.
    pub async fn claims(
        &self,
        cx: &Context,
        id: Uuid,
        user: &Map<String, Json>,
        provider: &str,
        mode: &str,
    ) -> Result<Map<String, Json>> {
        claims::claims(&self.inner, cx, id, user, provider, mode).await
    }

    /// Tells those who subscribe to it of a refused login or a lock-out, by way of the outbox.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn report(&self, cx: &Context, event: SecurityEvent<'_>) -> Result<()> {
        security::report(&self.inner, cx, event).await
    }
}
