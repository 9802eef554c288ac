//! Components as the operator meets them.

mod abi;
mod breaker;
mod host;
mod hostile;
mod http;
mod kinds;
mod parity;
mod refused;
mod reload;
mod signed;
mod two_kinds;
