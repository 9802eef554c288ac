//! The inner side of a component: from the WIT's exports to the traits of this crate.
//!
//! Only for [`export_plugin!`](crate::export_plugin); nothing here is part of the contract.

mod auth_provider;
pub mod bindings;
mod call;
mod config;
mod hooks;
mod imported;
mod lifecycle;
mod mailer;
mod policy;
mod preparation;

pub use wit_bindgen;

use std::marker::PhantomData;

/// What a component of this plugin exports.
pub struct Exported<P>(PhantomData<P>);
