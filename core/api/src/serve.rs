//! Accepts connections until told to stop, then lets the running requests finish.

use std::io;
use std::time::Duration;

use poem::listener::TcpAcceptor;
use poem::{Endpoint, Response, Server};
use tokio::net::TcpListener;

/// How long a connection may say nothing.
const IDLE: Duration = Duration::from_secs(75);

/// Serves an endpoint on a listener until `stop` is ready; running requests then have `patience`.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    endpoint: impl Endpoint<Output = Response> + 'static,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send,
    patience: Duration,
) -> io::Result<()> {
    let acceptor = TcpAcceptor::from_tokio(listener)?;
    let server = Server::new_with_acceptor(acceptor).idle_timeout(IDLE);
    server
        .run_with_graceful_shutdown(endpoint, stop, Some(patience))
        .await
}
