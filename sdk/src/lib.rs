//! The public contract between Roster and its plugins.
//!
//! A plugin is a type that implements [`Plugin`] and one or more kinds: [`Hooks`],
//! [`Mailer`], [`Policy`], [`AuthProvider`].
//! This is a whole one: it fills in the language of new users and keeps one domain out.
//!
//! ```
//! use roster_sdk::{
//!     async_trait, Context, Draft, Event, HookError, Hooks, Host, Manifest, Plugin, Rejection,
//!     StartError,
//! };
//! use serde::Deserialize;
//!
//! struct Welcome {
//!     config: Config,
//! }
//!
//! /// `[plugins.welcome.config]`
//! #[derive(Deserialize)]
//! struct Config {
//!     language: String,
//!     banned_domain: String,
//! }
//!
//! #[async_trait]
//! impl Plugin for Welcome {
//!     type Config = Config;
//!
//!     async fn start(config: Config, _host: &dyn Host) -> Result<Self, StartError> {
//!         if config.language.is_empty() {
//!             return Err(StartError::new("`language` is empty"));
//!         }
//!         Ok(Self { config })
//!     }
//!
//!     fn manifest(&self) -> Manifest {
//!         Manifest::new("welcome", env!("CARGO_PKG_VERSION"))
//!             .on(Event::BeforeCreate)
//!             .reads(["email", "language"])
//!             .writes(["language"])
//!     }
//! }
//!
//! #[async_trait]
//! impl Hooks for Welcome {
//!     async fn before_create(&self, _cx: &Context, draft: &mut Draft) -> Result<(), HookError> {
//!         let domain = draft.text("email").and_then(|email| email.rsplit_once('@'));
//!         if domain.is_some_and(|(_, domain)| domain == self.config.banned_domain) {
//!             let refusal = Rejection::new("DOMAIN_BANNED", "This address is not welcome here.");
//!             return Err(refusal.with_status(403).into());
//!         }
//!         if draft.get("language").is_none() {
//!             draft.set("language", self.config.language.as_str());
//!         }
//!         Ok(())
//!     }
//! }
//!
//! roster_sdk::export_plugin!(Welcome: Hooks);
//! ```
//!
//! The same source is linked natively, as [`Linked`], or built as a WASM component by
//! [`export_plugin!`]; the server cannot tell them apart. What keeps it so:
//!
//! - A plugin awaits nothing but its [`Host`]. Inside a component there is no runtime and nothing
//!   else to wait for. (A plugin that is only ever linked may use any async crate.)
//! - It keeps nothing between calls: a component starts anew for each, with an empty memory.
//! - It has no files, environment or network; time and randomness are there.
//! - A panic ends the call, and the operator decides whether the write goes on without it.
//!
//! With the feature `testing`, the module `testing` has a fake host and the contexts to call a
//! plugin with in its own tests. `README.md` leads from an empty folder to a running hook.

#![forbid(unsafe_code)]

#[cfg(target_family = "wasm")]
extern crate self as roster_sdk;

mod auth_provider;
mod context;
mod draft;
mod export;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod guest;
mod hooks;
mod host;
mod linked;
mod mailer;
mod manifest;
mod plugin;
mod policy;
#[cfg(any(target_family = "wasm", feature = "testing"))]
mod ready;
mod rejection;
#[cfg(feature = "testing")]
pub mod testing;

pub use async_trait::async_trait;
pub use schemars;
pub use serde_json::{self, Map, Value, json};

pub use auth_provider::{
    AuthProvider, AuthStyle, BeginLogin, Callback, Credentials, Identity, Redirect,
};
pub use context::{Context, Principal};
pub use draft::{Draft, FieldError, Record};
pub use hooks::{Hooks, Login};
pub use host::{
    Expected, Host, HostError, HostErrorCode, HttpRequest, HttpResponse, Level, Mail, StoreEntry,
    UserQuery, unix_seconds,
};
pub use linked::{Instance, Linked, LinkedBuilder};
pub use mailer::{Mailer, Message};
pub use manifest::{Event, Manifest, Scope, Subscription};
pub use plugin::{Plugin, StartError, schema_of};
pub use policy::{AccessRequest, Narrowing, Policy};
pub use rejection::{Failure, HookError, Rejection};
