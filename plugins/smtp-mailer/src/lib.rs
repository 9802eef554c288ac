//! Sends messages through a mail server, by SMTP (RFC 5321).
//!
//! Native only: a component has no sockets.

#![forbid(unsafe_code)]

mod compose;
mod config;

pub use config::Config;

use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use roster_sdk::{
    Context, Failure, Host, Level, Mailer, Manifest, Message, Plugin, StartError, Value,
    async_trait, schema_of,
};

/// The mailer, with its connections.
#[derive(Debug)]
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

#[async_trait]
impl Plugin for SmtpMailer {
    type Config = Config;

    /// Connects to nothing yet: a mail server that is down must not keep the server from starting.
    async fn start(config: Config, host: &dyn Host) -> Result<Self, StartError> {
        let url = address(&config.url)?;
        if config.pool_size == 0 {
            return Err(StartError::new("`pool_size`: expected at least 1, got 0"));
        }
        if is_exposed(url) {
            let line = "the mail server's password travels unencrypted: add `?tls=required`";
            host.log(Level::Warn, line);
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|error| StartError(format!("`url`: {error}")))?
            .timeout(Some(config.timeout))
            .pool_config(PoolConfig::new().max_size(config.pool_size));
        Ok(Self {
            transport: transport.build(),
        })
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("smtp-mailer", env!("CARGO_PKG_VERSION"))
    }

    fn schema() -> Option<Value> {
        Some(schema_of::<Config>())
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, _cx: &Context, message: &Message) -> Result<(), Failure> {
        let mail = compose::compose(message)?;
        let sent = self.transport.send(mail).await;
        sent.map(drop)
            .map_err(|error| Failure::new(error.to_string()))
    }
}

/// The URL as the library reads it. It holds a password, so no message quotes it.
fn address(url: &str) -> Result<&str, StartError> {
    let (server, query) = url.split_once('?').unwrap_or((url, ""));
    match (server.split("://").next(), query) {
        (Some("smtp"), "" | "tls=none") | (Some("smtps"), "") => Ok(server),
        (Some("smtp"), "tls=required" | "tls=opportunistic") => Ok(url),
        (Some("smtp"), _) => Err(StartError::new(
            "`url`: expected `?tls=required`, `?tls=opportunistic` or `?tls=none` after the server",
        )),
        (Some("smtps"), _) => Err(StartError::new("`url`: expected nothing after the server")),
        _ => Err(StartError::new("`url`: expected `smtp://…` or `smtps://…`")),
    }
}

/// Whether a password crosses a network in the clear.
fn is_exposed(url: &str) -> bool {
    let Some((_, host)) = url
        .strip_prefix("smtp://")
        .and_then(|rest| rest.rsplit_once('@'))
    else {
        return false;
    };
    let is_local = ["localhost", "127.", "[::1]"]
        .iter()
        .any(|local| host.starts_with(local));
    !is_local && !url.ends_with("?tls=required")
}

#[cfg(test)]
mod tests;
