//! What the process says about itself: log lines, metrics and traces.
//!
//! Messages of log lines are constant; what varies is in their fields. Metrics are recorded
//! anywhere through the facade `metrics` and rendered here for `/metrics`.

mod traces;

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use roster_engine::trace;
use tokio::time::{MissedTickBehavior, interval};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{DatabaseUrl, Log, LogFormat};

pub use self::traces::Traces;

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

/// Sends log lines to standard error, as `[log]` says, and spans where `traces` leads.
///
/// The first call in a process decides; later ones, as tests make them, change nothing.
pub fn start_logging(log: &Log, traces: Option<&Traces>) {
    let mut layers = vec![lines(log)];
    layers.extend(traces.map(Traces::layer));
    let started = tracing_subscriber::registry().with(layers).try_init();
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}

/// What is logged: no spans, which are for a collector, unless they are named.
fn filter(level: &str) -> Targets {
    parse_level(&format!("{}=off,{level}", trace::TARGET)).unwrap_or_default()
}

fn lines(log: &Log) -> Box<dyn Layer<Registry> + Send + Sync> {
    let filter = filter(&log.level);
    match log.format {
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
    use tracing::Level;

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
    fn spans_are_no_part_of_log_lines_unless_they_are_named() {
        let is_logged = |level, target| filter(level).would_enable(target, &Level::INFO);

        assert!(!is_logged("trace", trace::TARGET));
        assert!(is_logged("info", "roster_api::request"));
        assert!(is_logged("warn,roster_trace=info", trace::TARGET));
        assert!(!is_logged("warn,roster_trace=info", "roster_api::request"));
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
