//! The public contract between Roster and its plugins.
//!
//! A plugin is a type that implements [`Plugin`] and one or more kinds: [`Hooks`], [`Mailer`].
//! The same source is linked natively or built as a WASM component; the host cannot tell them apart.

#![forbid(unsafe_code)]

mod context;
mod draft;
mod hooks;
mod host;
mod linked;
mod mailer;
mod manifest;
mod plugin;
mod rejection;

pub use async_trait::async_trait;
pub use serde_json::{self, Map, Value, json};

pub use context::{Context, Principal};
pub use draft::{Draft, FieldError, Record};
pub use hooks::{Hooks, Login};
pub use host::{Host, Level};
pub use linked::{Instance, Linked, LinkedBuilder};
pub use mailer::{Mailer, Message};
pub use manifest::{Event, Manifest, Subscription};
pub use plugin::{Plugin, StartError};
pub use rejection::{Failure, HookError, Rejection};
