//! What a client can see of Roster, on the database that `ROSTER_TEST_DATABASE` names.
//!
//! One binary; the modules follow the paths of the API, then come what stands across them.

mod access;
mod accounts;
mod auth;
mod fields;
mod files;
mod hooks;
mod migrations;
mod oracle;
mod pages;
mod plugins;
mod process;
mod query;
mod sdk;
mod server;
mod settings;
mod tidy;
mod users;
