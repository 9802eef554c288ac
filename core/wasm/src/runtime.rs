use std::path::{Path, PathBuf};
use std::sync::Arc;

use roster_sdk::{Host, Instance, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::engine::IDLE_PLACES;
use crate::host::{self, State};
use crate::ticker::Ticker;
use crate::trust::digest;
use crate::{Inspected, Limits, LoadCause, LoadError, Loaded, Trust, engine, load};

/// How components run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeSettings {
    /// Where compiled components are kept; none to compile at every start.
    pub cache_dir: Option<PathBuf>,
    /// How many calls run at once; further ones wait, on their own time.
    pub max_concurrent_calls: u32,
}

impl Default for RuntimeSettings {
    fn default() -> Self {
        Self {
            cache_dir: None,
            max_concurrent_calls: 256,
        }
    }
}

/// What components run on. One is enough for a process; what it loaded keeps it alive.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

/// What all loaded components share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<State>,
    places: Arc<Semaphore>,
    idle_places: Arc<Semaphore>,
    pub(crate) ticker: Ticker,
}

impl Shared {
    /// A place for a running call, once there is one.
    pub(crate) async fn place(&self) -> wasmtime::Result<OwnedSemaphorePermit> {
        Ok(Arc::clone(&self.places).acquire_owned().await?)
    }

    /// A place for an instance that waits for its call, if there is one.
    pub(crate) fn idle_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.idle_places).try_acquire_owned().ok()
    }
}

impl Runtime {
    /// A runtime with these settings.
    ///
    /// # Errors
    /// [`LoadError::Engine`], naming the cache directory if that is the reason.
    pub fn new(settings: RuntimeSettings) -> Result<Arc<Self>, LoadError> {
        let RuntimeSettings {
            cache_dir,
            max_concurrent_calls,
        } = settings;
        let calls = max_concurrent_calls.max(1);
        let engine = engine::engine(cache_dir.as_deref(), calls)?;
        let linker = host::linker(&engine).map_err(|error| LoadError::engine(error.to_string()))?;
        let ticker = Ticker::start(engine.clone())
            .map_err(|error| LoadError::engine(format!("thread: {error}")))?;
        let permits = |count: u32| {
            let count = usize::try_from(count).unwrap_or(Semaphore::MAX_PERMITS);
            Arc::new(Semaphore::new(count))
        };
        Ok(Arc::new(Self {
            shared: Arc::new(Shared {
                engine,
                linker,
                places: permits(calls),
                idle_places: permits(IDLE_PLACES),
                ticker,
            }),
        }))
    }

    /// Loads the component in `file` under the name and with the configuration of a plugin.
    ///
    /// The component is compiled, unless the cache has it, and asked once what it is, with `host`
    /// behind its imports; every later call has the host of its own context. Loading a file again
    /// makes a new instance; the calls of the old one end on the old one.
    ///
    /// # Errors
    /// [`LoadError::Plugin`], naming plugin, file and cause.
    pub async fn load(
        &self,
        name: &str,
        file: &Path,
        config: Value,
        limits: Limits,
        host: Arc<dyn Host>,
    ) -> Result<Instance, LoadError> {
        let source = Source {
            name,
            file,
            config: &config,
            limits,
            trust: &Trust::default(),
        };
        let loaded = self.load_from(&source, host).await?;
        Ok(loaded.instance)
    }

    /// The same, of a file that has to be trusted; says which file it was.
    ///
    /// # Errors
    /// [`LoadError::Plugin`], naming plugin, file and cause.
    pub async fn load_from(
        &self,
        source: &Source<'_>,
        host: Arc<dyn Host>,
    ) -> Result<Loaded, LoadError> {
        load::load(&self.shared, source, host)
            .await
            .map_err(|cause| source.refused(cause))
    }

    /// Looks into a file: what it exports, imports and says of itself.
    ///
    /// # Errors
    /// [`LoadError::Plugin`] if it cannot be read or is no component.
    pub async fn inspect(
        &self,
        source: &Source<'_>,
        host: Arc<dyn Host>,
    ) -> Result<Inspected, LoadError> {
        load::inspect(&self.shared, source, host)
            .await
            .map_err(|cause| source.refused(cause))
    }
}

/// Where a component comes from and how it is run.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The name configuration gives it.
    pub name: &'a str,
    /// Its file.
    pub file: &'a Path,
    /// Its configuration table.
    pub config: &'a Value,
    /// What a call may use.
    pub limits: Limits,
    /// Which file it may be.
    pub trust: &'a Trust,
}

impl Source<'_> {
    fn refused(&self, cause: LoadCause) -> LoadError {
        LoadError::Plugin {
            name: self.name.to_owned(),
            file: self.file.to_owned(),
            cause,
        }
    }
}

/// The SHA-256 of a plugin's file, in lower-case hexadecimal; none if it cannot be read.
pub fn file_digest(file: &Path) -> Option<String> {
    load::read(file).ok().map(|bytes| digest(&bytes))
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}
