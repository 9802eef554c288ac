use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use roster_sdk::{Failure, Host};
use wasmtime::{Store, Trap};

use crate::host::{self, State};
use crate::limits::{Exceeded, Limits};
use crate::runtime::Shared;

/// A compiled plugin, whatever its kinds.
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) config: Arc<str>,
    pub(crate) limits: Limits,
    pub(crate) shared: Arc<Shared>,
    /// What is behind its imports while no call is running.
    pub(crate) host: Arc<dyn Host>,
    /// The most memory a call has taken so far, in bytes.
    pub(crate) peak: AtomicU64,
}

impl Component {
    /// A store for one call that may take so long.
    pub(crate) fn store(&self, host: &Arc<dyn Host>, budget: Duration) -> Store<State> {
        let (config, limits) = (Arc::clone(&self.config), &self.limits);
        host::store(
            &self.shared.engine,
            limits,
            budget,
            config,
            Arc::clone(host),
        )
    }

    /// Notes how much memory a call has taken.
    pub(crate) fn used(&self, bytes: u64) {
        if self.peak.fetch_max(bytes, Ordering::Relaxed) < bytes {
            #[expect(clippy::cast_precision_loss, reason = "memories are far smaller")]
            metrics::gauge!("roster_plugin_memory_peak_bytes", "plugin" => self.name.clone())
                .set(bytes as f64);
        }
    }

    /// Runs one call, which has its place already, within the plugin's deadline.
    pub(crate) async fn run<T>(
        &self,
        call: impl Future<Output = wasmtime::Result<T>> + Send,
    ) -> Result<T, Failure> {
        self.bounded(self.limits.timeout, call).await
    }

    /// Runs one call within a deadline, the wait for its place included.
    pub(crate) async fn run_within<T>(
        &self,
        deadline: Duration,
        call: impl Future<Output = wasmtime::Result<T>> + Send,
    ) -> Result<T, Failure> {
        let placed = async {
            let _place = self.shared.place().await?;
            call.await
        };
        self.bounded(deadline, placed).await
    }

    /// Runs one call within a deadline. Whatever ends it early ends this call only: a trap, the
    /// deadline, too much memory, even a panic of ours. A guest that computes is stopped by its
    /// store, one that waits for the host or for its place from here.
    async fn bounded<T>(
        &self,
        deadline: Duration,
        call: impl Future<Output = wasmtime::Result<T>> + Send,
    ) -> Result<T, Failure> {
        let _running = self.shared.ticker.run();
        let caught = AssertUnwindSafe(call).catch_unwind();
        match tokio::time::timeout(deadline, caught).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(error))) => Err(self.failed(&error)),
            Ok(Err(_panic)) => {
                tracing::error!(plugin = self.name, "the host panicked in a plugin call");
                Err(Failure::crash("trap: the host panicked"))
            }
            Err(_elapsed) => Err(Failure::crash(Exceeded::Deadline(deadline).to_string())),
        }
    }

    fn failed(&self, error: &wasmtime::Error) -> Failure {
        if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
            if let Exceeded::Memory(bytes) = exceeded {
                self.used(*bytes);
            }
            return Failure::crash(exceeded.to_string());
        }
        tracing::warn!(
            plugin = self.name,
            trace = format!("{error:?}"),
            "a plugin call trapped"
        );
        let reason = match error.downcast_ref::<Trap>() {
            Some(trap) => trap.to_string(),
            None => error.root_cause().to_string(),
        };
        Failure::crash(format!(
            "trap: {}",
            reason.trim_start_matches("wasm trap: ")
        ))
    }
}
