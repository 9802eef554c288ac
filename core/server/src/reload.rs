//! Loading plugins again while the server runs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use roster_engine::{Engine, PluginSlot};
use tokio::sync::{Mutex, watch};

use crate::config::{self, Config, Sources};
use crate::plugins::{LoadError, Loader};

/// How often a node looks whether it was asked, and whether files changed.
const LOOK: Duration = Duration::from_secs(1);

/// Loads plugins again: those whose sections or files changed, all of them or none.
pub(crate) struct Reloader {
    loader: Mutex<Loader>,
    engine: Engine,
    /// What the server was started with.
    config: Config,
    /// Where that came from, if it is to be read again.
    sources: Option<Sources>,
}

/// What tells a file from the one it was.
type Stamp = Option<(SystemTime, u64)>;

impl Reloader {
    /// Over what was loaded at the start.
    pub(crate) fn new(
        loader: Loader,
        engine: Engine,
        config: Config,
        sources: Option<Sources>,
    ) -> Arc<Self> {
        Arc::new(Self {
            loader: Mutex::new(loader),
            engine,
            config,
            sources,
        })
    }

    /// Loads what changed. If something cannot be loaded, everything stays as it is.
    pub(crate) async fn reload(&self) -> Result<(), LoadError> {
        match self.load().await {
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

    async fn load(&self) -> Result<Vec<PluginSlot>, LoadError> {
        let mut loader = self.loader.lock().await;
        let Some(sources) = self.sources.clone() else {
            return loader.load().await;
        };
        let reading = tokio::task::spawn_blocking(|| config::load(sources));
        let found = reading
            .await
            .map_err(|error| LoadError(error.to_string()))?;
        let found = found.map_err(|mistakes| {
            let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            LoadError(lines.join("; "))
        })?;
        let slots = loader.load_with(&found.plugins).await?;
        let others = Config {
            plugins: self.config.plugins.clone(),
            ..found
        };
        if others != self.config {
            tracing::warn!(
                "only the sections of plugins were read again, others wait for a restart"
            );
        }
        Ok(slots)
    }

    /// Reloads whenever it is asked for at any node, or a file changes if that is wished for.
    pub(crate) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
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
            // A file that was not there before has just been loaded.
            let is_changed = found
                .iter()
                .any(|(file, stamp)| stamps.get(file).is_some_and(|before| before != stamp));
            stamps = found;
            if is_asked || is_changed {
                // What went wrong is in the log; the next change is another chance.
                drop(self.reload().await);
            }
        }
    }

    /// The files that are watched: those of components, and that of the configuration.
    async fn stamps(&self) -> BTreeMap<PathBuf, Stamp> {
        if !self.config.plugin_host.watch {
            return BTreeMap::new();
        }
        let mut files = self.loader.lock().await.files();
        files.extend(self.sources.as_ref().map(Sources::file_path));
        let mut stamps = BTreeMap::new();
        for file in files {
            let found = tokio::fs::metadata(&file).await.ok();
            let stamp = found.and_then(|found| Some((found.modified().ok()?, found.len())));
            stamps.insert(file, stamp);
        }
        stamps
    }
}
