//! Components as the operator meets them.

mod hostile;
mod parity;
mod refused;
mod two_kinds;
