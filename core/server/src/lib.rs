//! The server as a library: what `roster` runs, for a `main.rs` of one's own and for tests.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     // Further native plugins go into this list; `[plugins.<name>]` turns them on.
//!     roster_server::run([])
//! }
//! ```

#![forbid(unsafe_code)]

mod builtin;
pub mod cli;
mod commands;
pub mod config;
mod plugins;
mod reload;
mod scaffold;
mod schema;
mod scratch;
mod secret_file;
mod server;
mod signals;
pub mod telemetry;
mod trial;
mod wiring;

use std::io;
use std::process::ExitCode;

use roster_sdk::Linked;

pub use server::{Server, StartError};

use cli::{Cli, Exit};

/// Runs the command line of this process with these plugins beside the built-in ones.
pub fn run(plugins: impl IntoIterator<Item = Linked>) -> ExitCode {
    let cli = Cli::from_process();
    let plugins: Vec<Linked> = plugins.into_iter().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let exit = match runtime {
        Ok(runtime) => {
            let exit = runtime.block_on(commands::execute(cli, plugins));
            // A hash or a lookup that is still going on must not keep the process.
            runtime.shutdown_timeout(std::time::Duration::from_secs(2));
            exit
        }
        Err(error) => Err(error),
    };
    exit.unwrap_or_else(|error| fail(&error)).into()
}

fn fail(error: &io::Error) -> Exit {
    // A reader that went away, as in `roster openapi | head`, is no failure worth a word.
    if error.kind() != io::ErrorKind::BrokenPipe {
        tracing::error!(%error, "command failed");
    }
    Exit::Failed
}
