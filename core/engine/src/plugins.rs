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
mod meters;
mod narrow;
mod provider;
mod status;

use std::sync::Arc;

use roster_domain::{Action, Collection, Result};

use crate::context::Context;
use crate::registry::PluginSlot;
use crate::{Engine, Inner};

pub(crate) use call::{note, run, span};
pub(crate) use claims::claims;
pub(crate) use deferred::CallHost;
pub use effects::Effects;
pub(crate) use effects::send_mail;
pub(crate) use health::Health;
pub(crate) use http::{HttpClient, tls};
pub(crate) use lookup::find;
pub(crate) use meters::{Ended, Meters};
pub use narrow::{Narrowed, Narrowing};
pub(crate) use narrow::{narrow as ask_policies, narrow_rights};
pub use provider::ListedProvider;
pub(crate) use provider::{
    Provider, authenticate, authenticate_locally, begin_login, complete_login, has_provider,
    provider, providers,
};
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
}
