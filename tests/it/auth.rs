//! `/auth`, and what tokens are good for everywhere.

mod canary;
mod freshness;
mod jwt;
mod login;
mod logout;
mod refresh;
mod static_token;
mod stored;
