//! `/auth`, and what tokens are good for everywhere.

mod canary;
mod freshness;
mod jwt;
mod local;
mod login;
mod logout;
mod providers;
mod refresh;
mod refresh_races;
mod static_token;
mod stored;
