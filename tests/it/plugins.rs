//! Components as the operator meets them.

mod abi;
mod breaker;
mod config;
mod host;
mod hostile;
mod http;
mod kinds;
mod labels;
pub(crate) mod logins;
mod parity;
mod pooled;
mod refused;
mod reload;
mod signed;
mod two_kinds;
