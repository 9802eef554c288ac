//! SIGINT and SIGTERM, and SIGHUP.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits until the process is told to stop; gives the name of the signal.
///
/// # Errors
/// When the handlers cannot be installed.
pub(crate) async fn stop() -> io::Result<&'static str> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => Ok("SIGINT"),
        _ = terminate.recv() => Ok("SIGTERM"),
    }
}

/// Hears the wish that plugins are loaded again.
///
/// # Errors
/// When the handler cannot be installed.
pub(crate) fn reload() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}
