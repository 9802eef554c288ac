//! The vocabulary of Roster and its rules, as values.
//!
//! Performs no I/O and reads neither clock, environment nor randomness: time and ids arrive as
//! arguments. [`schema`] is the only maker of [`Valid`], [`access`] the only maker of [`Grant`];
//! storage takes nothing else.

#![forbid(unsafe_code)]

pub mod access;
pub mod address;
pub mod clock;
pub mod code;
pub mod collection;
pub mod email;
pub mod error;
pub mod field;
pub mod filter;
pub mod function;
pub mod id;
mod json_path;
pub mod lockout;
pub mod principal;
pub mod query;
pub mod record;
pub mod schema;
pub mod session;
pub mod status;
pub mod value;
pub mod variables;

pub use access::{Action, Grant, Rights, authorize};
pub use clock::{Clock, Timestamp};
pub use code::Code;
pub use collection::Collection;
pub use error::{Error, Problem, Result};
pub use field::{Field, FieldType};
pub use filter::Filter;
pub use function::Function;
pub use id::{Key, PolicyId, RoleId, SessionId, UserId};
pub use json_path::JsonPath;
pub use principal::{Principal, Reason};
pub use query::Query;
pub use record::{Item, Projection, Record};
pub use schema::{Draft, Model, Schema, Valid};
pub use status::Status;
pub use value::Value;
