//! What the process says about itself: log lines and metrics.
//!
//! Messages of log lines are constant; what varies is in their fields. Metrics are recorded
//! anywhere through the facade `metrics` and rendered here for `/metrics`.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::{MissedTickBehavior, interval};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{DatabaseUrl, Log, LogFormat};

/// Upper bounds of the buckets of every metric that counts seconds.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// How often histograms are drained while nobody asks for `/metrics`.
const UPKEEP: Duration = Duration::from_secs(5);

/// A level such as `info`, or levels of targets such as `info,roster_storage=debug`.
///
/// A word that is no level would name a target and turn everything on for it; that is a mistake
/// far more often than a wish, so a target needs its level.
pub fn parse_level(text: &str) -> Option<Targets> {
    const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];
    let is_known = |part: &str| {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level))
    };
    if !text.split(',').all(is_known) {
        return None;
    }
    text.parse().ok()
}

/// Sends log lines to standard error, as `[log]` says.
///
/// The first call in a process decides; later ones, as tests make them, change nothing.
pub fn start_logging(log: &Log) {
    let filter = parse_level(&log.level).unwrap_or_default();
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        LogFormat::Pretty => fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .with_filter(filter)
            .boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(io::stderr)
            .with_filter(filter)
            .boxed(),
    };
    if tracing_subscriber::registry()
        .with(lines)
        .try_init()
        .is_err()
    {
        tracing::debug!("logging was started before");
    }
}

/// The metrics of this process, as Prometheus reads them.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the recorder on the first call, and gives the same one on every later call.
    pub fn install() -> Self {
        static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
        Self(HANDLE.get_or_init(install).clone())
    }

    /// All metrics in the Prometheus text format.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Keeps the memory of histograms bounded while nobody renders them; never returns.
    ///
    /// One task of the process should run this.
    pub async fn keep_up(self) {
        let mut ticks = interval(UPKEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.0.run_upkeep();
        }
    }
}

fn install() -> PrometheusHandle {
    let builder = PrometheusBuilder::new();
    let suffix = Matcher::Suffix("_seconds".to_owned());
    let recorder = builder
        .set_buckets_for_metric(suffix, SECONDS)
        .unwrap_or_else(|_| PrometheusBuilder::new())
        .build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::warn!("another recorder of metrics is installed, `/metrics` stays empty");
    }
    handle
}

/// Logs that the server listens.
pub fn log_started(address: SocketAddr, public_url: &str, database: &DatabaseUrl) {
    tracing::info!(%address, public_url, %database, "server started");
}

/// Logs that the server stops accepting requests, and because of which signal.
pub fn log_stopping(signal: &str) {
    tracing::info!(signal, "server stopping");
}

/// Logs that the last request ended.
pub fn log_stopped() {
    tracing::info!("server stopped");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_level_or_one_for_a_target() {
        for good in [
            "info",
            "OFF",
            "info,roster_storage=debug",
            "roster_engine::outbox=trace",
        ] {
            assert!(parse_level(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "inof",
            "info,",
            "info,roster_storage",
            "roster=loud",
            "info;debug",
        ] {
            assert!(parse_level(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn installing_twice_gives_the_same_metrics() {
        let first = Metrics::install();
        let second = Metrics::install();

        metrics::counter!("roster_test_installs_total").increment(2);
        metrics::histogram!("roster_test_wait_seconds").record(0.003);

        assert!(first.render().contains("roster_test_installs_total 2"));
        assert!(second.render().contains("roster_test_installs_total 2"));
        assert!(
            second
                .render()
                .contains(r#"roster_test_wait_seconds_bucket{le="0.005"} 1"#)
        );
    }
}
