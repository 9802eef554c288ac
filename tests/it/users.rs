//! `/users`

mod batch;
mod create;
mod delete;
mod email;
mod filter;
mod import;
mod last_admin;
mod list;
mod me;
mod read;
mod secrets;
mod update;
