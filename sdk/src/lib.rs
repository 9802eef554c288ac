//! The public contract between Roster and its plugins.
//!
//! A plugin is a type that implements [`Plugin`] and one or more kinds: [`Hooks`], [`Mailer`].
//! The same source is linked natively or built as a WASM component; the host cannot tell them apart.

#![forbid(unsafe_code)]

#[cfg(target_family = "wasm")]
extern crate self as roster_sdk;

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
#[cfg(any(target_family = "wasm", feature = "testing"))]
mod ready;
mod rejection;
#[cfg(feature = "testing")]
pub mod testing;

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
