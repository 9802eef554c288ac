//! Spans on their way to the operator's collector: OTLP over HTTP.
//!
//! A thread of its own sends what was gathered. Requests put their spans into a bounded queue and
//! never wait: what does not fit is dropped, and counted (`queue`).

mod queue;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::global::set_text_map_propagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
};
use roster_engine::{Collector, trace};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::Registry;

use self::queue::{Queue, Queued};
use crate::{StartError, config};

/// What a start that ends here says.
const FAILED: &str = "cannot send traces";

/// How many spans wait at most.
const QUEUE: usize = 2_048;

/// How often it is said at most that spans cannot be sent.
const QUIET: Duration = Duration::from_mins(1);

/// The way to the collector, open until it is closed.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    timeout: Duration,
}

impl Traces {
    /// Opens the way that `[traces]` names; none if it names none.
    ///
    /// # Errors
    /// What of the section, or of OpenTelemetry's variables, cannot be used.
    pub fn open(section: &config::Traces) -> Result<Option<Self>, StartError> {
        let Some(endpoint) = &section.endpoint else {
            return Ok(None);
        };
        let collector = Collector::new(&section.headers, section.timeout)
            .map_err(|error| StartError::engine(FAILED, &error))?;
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(collector)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(section.timeout)
            .build()
            .map_err(|error| StartError::new(FAILED, error))?;
        let resource = Resource::builder()
            .with_service_name(section.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let queue = Arc::new(Queue::of(QUEUE));
        let batches = BatchConfigBuilder::default().with_max_queue_size(QUEUE);
        let sending = BatchSpanProcessor::builder(Patient::over(exporter, Arc::clone(&queue)))
            .with_batch_config(batches.build())
            .build();
        let share = Sampler::TraceIdRatioBased(section.sampling);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Queued::before(sending, queue))
            .with_sampler(Sampler::ParentBased(Box::new(share)))
            .with_resource(resource)
            .build();
        set_text_map_propagator(TraceContextPropagator::new());
        Ok(Some(Self {
            provider,
            timeout: section.timeout,
        }))
    }

    /// What gathers spans. It takes our own alone, and no log lines: their texts are not for others.
    pub(super) fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let ours = Targets::new().with_target(trace::TARGET, LevelFilter::INFO);
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("roster"))
            .with_context_activation(false)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_filter(ours)
            .boxed()
    }

    /// Sends what is left, for as long as one export may take.
    pub async fn close(self) {
        let closing =
            tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(self.timeout));
        if let Ok(Err(_)) = closing.await {
            tracing::warn!("the last spans were not sent in time");
        }
    }
}

/// An exporter whose losses are counted, and told once in a while.
#[derive(Debug)]
struct Patient<E> {
    exporter: E,
    queue: Arc<Queue>,
    told: Mutex<Option<Instant>>,
}

impl<E> Patient<E> {
    const fn over(exporter: E, queue: Arc<Queue>) -> Self {
        Self {
            exporter,
            queue,
            told: Mutex::new(None),
        }
    }

    /// Whether nothing was said for long enough; if so, something is said now.
    fn may_tell(&self, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let may = told.is_none_or(|last| now.duration_since(last) >= QUIET);
        if may {
            *told = Some(now);
        }
        may
    }
}

impl<E: SpanExporter> SpanExporter for Patient<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.queue.left(batch.len());
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let sent = self.exporter.export(batch).await;
        let dropped = self.queue.take_dropped();
        metrics::counter!("roster_trace_spans_total", "outcome" => "dropped").increment(dropped);
        let outcome = if sent.is_ok() { "sent" } else { "failed" };
        metrics::counter!("roster_trace_spans_total", "outcome" => outcome).increment(count);
        match &sent {
            Err(error) if self.may_tell(Instant::now()) => {
                tracing::warn!(%error, count, dropped, "spans not sent");
            }
            Ok(()) if dropped > 0 && self.may_tell(Instant::now()) => {
                tracing::warn!(dropped, "spans did not fit into their queue");
            }
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_wrong_is_told_once_a_minute() {
        let patient = Patient::over((), Arc::new(Queue::of(1)));
        let begun = Instant::now();
        let told = [0, 1, 59, 60, 61, 119, 121]
            .map(|seconds| patient.may_tell(begun + Duration::from_secs(seconds)));

        assert_eq!(told, [true, false, false, true, false, false, true]);
    }
}
