//! `[server]`, `[rate_limit]` and `[log]`: how the process listens, protects itself and speaks.

use std::net::SocketAddr;
use std::time::Duration;

use roster_api::Network;

use super::network::{base_url, network, origin, socket};
use super::raw::{Bad, Raw, choice, flag, list};
use super::reader::Reader;
use super::units::{ByteSize, Rate, duration, rate, size};
use crate::telemetry;

/// `[server]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Address and port to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where clients reach the server, with no slash at its end.
    pub public_url: String,
    /// Peers whose forwarded headers count.
    pub trusted_proxies: Vec<Network>,
    /// Largest request body.
    pub max_body: ByteSize,
    /// Origins that browsers may call from, in lower case and without a slash; never `*`.
    pub cors_origins: Vec<String>,
    /// Whether there are pages for people under `/admin`.
    pub pages: bool,
    /// How long running requests may take to finish at shutdown.
    pub shutdown_timeout: Duration,
}

impl Server {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            bind: reader.read("server.bind", socket),
            public_url: reader.read("server.public_url", base_url),
            trusted_proxies: reader.read("server.trusted_proxies", list(network)),
            max_body: reader.read("server.max_body", size),
            cors_origins: reader.read("server.cors_origins", list(origin)),
            pages: reader.read("server.pages", flag),
            shutdown_timeout: reader.read("server.shutdown_timeout", duration),
        }
    }
}

/// `[rate_limit]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Whether requests are counted at all.
    pub enabled: bool,
    /// Logins for each client address; none is no limit.
    pub login: Option<Rate>,
    /// Registrations for each client address; none is no limit.
    pub register: Option<Rate>,
    /// Requests for each client address; none is no limit.
    pub api: Option<Rate>,
}

impl RateLimit {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            enabled: reader.read("rate_limit.enabled", flag),
            login: reader.read("rate_limit.login", rate),
            register: reader.read("rate_limit.register", rate),
            api: reader.read("rate_limit.api", rate),
        }
    }
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// A level, or levels of single targets; known to be valid.
    pub level: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl Log {
    pub(super) fn read(reader: &mut Reader) -> Self {
        const FORMATS: &[(&str, LogFormat)] =
            &[("pretty", LogFormat::Pretty), ("json", LogFormat::Json)];
        Self {
            format: reader.read("log.format", choice(FORMATS)),
            level: reader.read("log.level", level),
        }
    }
}

fn level(raw: &Raw<'_>) -> Result<String, Bad> {
    const EXPECTED: &str = "`off`, `error`, `warn`, `info`, `debug`, `trace`, \
                            or levels of targets as in `info,roster_storage=debug`";
    let text = raw.text(EXPECTED)?;
    telemetry::parse_level(text)
        .map(|_| text.to_owned())
        .ok_or(Bad::expected(EXPECTED))
}
