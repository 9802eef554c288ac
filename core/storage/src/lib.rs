//! Records in SQLite or PostgreSQL. The only crate that knows SQL.
//!
//! Every function on a collection takes a [`roster_domain::Grant`] and puts its filter into the
//! statement; every write takes a [`roster_domain::Valid`]. What runs before a grant can exist
//! stands on one page, [`unguarded`].

#![forbid(unsafe_code)]

pub mod activity;
pub mod api_tokens;
pub mod bootstrap;
pub mod deliveries;
mod dialect;
mod error;
pub mod fields;
pub mod files;
pub mod limits;
pub mod logins;
pub mod mail_tokens;
pub mod migrate;
pub mod outbox;
mod plans;
pub mod plugin_store;
pub mod recipients;
pub mod records;
mod row;
pub mod second_factors;
pub mod sessions;
pub mod settings;
mod sql;
mod statement;
mod store;
pub mod tree;
pub mod unguarded;
pub mod users;

pub use store::{Location, Settings, Store, Tx};
