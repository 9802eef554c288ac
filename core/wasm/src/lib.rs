//! Plugins as WASM components.
//!
//! A component is one more implementor of the SDK's traits: [`Runtime::load`] compiles the file
//! once, asks the component which kinds it exports and what it is, and hands out a
//! [`roster_sdk::Instance`] like that of a linked plugin. Each call gets a store of its own, so
//! nothing is left behind for the next one, and runs under [`Limits`]: a guest that loops, grows or
//! crashes ends in a [`roster_sdk::Failure`] that says so, and nothing else notices.
//!
//! A component sees no files, environment, arguments or network; of WASI it has clock and random.

#![forbid(unsafe_code)]

mod auth_provider;
mod bindings;
mod call;
mod component;
mod engine;
mod error;
mod guests;
mod hooks;
mod host;
mod imports;
mod limits;
mod load;
mod mailer;
mod offered;
mod policy;
mod runtime;
mod schema;
mod ticker;
mod trust;

pub use error::{LoadCause, LoadError};
pub use limits::{Instances, Limits};
pub use load::{Inspected, Loaded};
pub use runtime::{Runtime, RuntimeSettings, Source, file_digest};
pub use trust::{PublicKey, Trust};
