//! The binary: the built-in plugins and no others.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    roster_server::run([])
}
