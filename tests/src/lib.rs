//! What the tests of Roster stand on.
//!
//! A [`Setup`] says how a server is configured, in the words users write. It becomes a
//! [`TestServer`] inside the test, or a [`Process`] of the real binary; both are a [`Site`], which
//! hands out signed-in [`Client`]s. [`Recorder`] is a plugin that remembers what it was called for,
//! [`guest`] builds components. Every server has a [`Database`] of its own, of the kind that
//! `ROSTER_TEST_DATABASE` names.

#![forbid(unsafe_code)]
#![expect(
    clippy::missing_panics_doc,
    reason = "a test that cannot go on stops where it stands"
)]

mod answer;
mod bent;
mod client;
mod collector;
mod config;
mod database;
mod dump;
mod journal;
mod one_time;
mod postbox;
mod process;
mod random;
mod recorder;
mod require;
mod server;
mod setup;
mod shout;
mod upstream;
mod wait;
mod wasm;
mod workspace;

pub use answer::Answer;
pub use bent::{garbled, growing_tables};
pub use client::{Client, Site};
pub use collector::{Collector, Span};
pub use config::{ADMIN, PASSWORD, SECRET};
pub use database::{Database, Kind, kind};
pub use journal::Journal;
pub use one_time::OneTime;
pub use postbox::{Mail, Postbox};
pub use process::{Finished, Process};
pub use random::Random;
pub use recorder::{Call, Recorder, RecordingHooks};
pub use require::{is_missing, is_not_on_postgres};
pub use server::TestServer;
pub use setup::Setup;
pub use shout::Shout;
pub use upstream::{Asked, Told, Upstream};
pub use wait::{PATIENCE, eventually};
pub use wasm::guest;
pub use workspace::{files, root};

/// The examples of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
