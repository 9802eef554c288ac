//! Loading components again while the server runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use roster_engine::Engine;
use tokio::sync::{Mutex, watch};

use crate::plugins::{LoadError, Loader};

/// How often a node looks whether it was asked, and whether files changed.
const LOOK: Duration = Duration::from_secs(1);

/// Loads components again: those whose files changed, all of them or none.
pub(crate) struct Reloader {
    loader: Mutex<Loader>,
    engine: Engine,
    files: Vec<PathBuf>,
    watches_files: bool,
}

/// What tells a file from the one it was.
type Stamp = Option<(SystemTime, u64)>;

impl Reloader {
    /// Over what was loaded at the start.
    pub(crate) fn new(loader: Loader, engine: Engine, watches_files: bool) -> Arc<Self> {
        Arc::new(Self {
            files: loader.files(),
            loader: Mutex::new(loader),
            engine,
            watches_files,
        })
    }

    /// Loads what changed. If something cannot be loaded, everything stays as it is.
    pub(crate) async fn reload(&self) -> Result<(), LoadError> {
        let mut loader = self.loader.lock().await;
        match loader.load().await {
            Ok(slots) => {
                self.engine.replace_plugins(slots);
                metrics::counter!("roster_plugin_reloads_total", "outcome" => "ok").increment(1);
                tracing::info!("plugins reloaded");
                Ok(())
            }
            Err(error) => {
                metrics::counter!("roster_plugin_reloads_total", "outcome" => "failed")
                    .increment(1);
                tracing::error!(%error, "plugins not reloaded, all stay as they are");
                Err(error)
            }
        }
    }

    /// Reloads whenever it is asked for at any node, or a file changes if that is wished for.
    pub(crate) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        if self.files.is_empty() {
            return;
        }
        let mut epoch = self.engine.plugins_epoch().await.ok();
        let mut stamps = self.stamps().await;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            let asked = self.engine.plugins_epoch().await.ok();
            let is_asked = asked.is_some() && epoch.is_some() && asked != epoch;
            epoch = asked.or(epoch);
            let found = self.stamps().await;
            let is_changed = self.watches_files && found != stamps;
            stamps = found;
            if is_asked || is_changed {
                // What went wrong is in the log; the next change is another chance.
                drop(self.reload().await);
            }
        }
    }

    async fn stamps(&self) -> Vec<Stamp> {
        if !self.watches_files {
            return Vec::new();
        }
        let mut stamps = Vec::with_capacity(self.files.len());
        for file in &self.files {
            let found = tokio::fs::metadata(file).await.ok();
            let stamp = found.and_then(|found| Some((found.modified().ok()?, found.len())));
            stamps.push(stamp);
        }
        stamps
    }
}
