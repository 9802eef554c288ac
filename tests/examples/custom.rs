//! A server with native plugins of one's own: the built-in ones are there as well.

use std::process::ExitCode;

use roster_sdk::Linked;
use roster_tests::{Journal, Shout};

fn main() -> ExitCode {
    roster_server::run([
        Linked::hooks::<Shout>("shout"),
        Linked::hooks::<Journal>("journal"),
    ])
}
