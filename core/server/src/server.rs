//! A running server: started from a configuration, stopped without dropping a request.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use roster_engine::{Engine, FirstAdministrator, Registry, SystemClock};
use roster_sdk::Linked;
use roster_storage::{Store, migrate};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{Config, Sources};
use crate::plugins::Loader;
use crate::reload::Reloader;
use crate::telemetry::Metrics;
use crate::{builtin, wiring};

/// Why the server cannot start, in a sentence for the operator.
#[derive(Debug)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

impl StartError {
    pub(crate) fn new(what: &str, error: impl fmt::Display) -> Self {
        Self(format!("{what}: {error}"))
    }

    pub(crate) fn engine(what: &str, error: &roster_domain::Error) -> Self {
        match error.cause() {
            Some(cause) => Self(format!("{what}: {error}: {cause}")),
            None => Self::new(what, error),
        }
    }
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    first_administrator: Option<FirstAdministrator>,
    engine: Engine,
    stop: watch::Sender<bool>,
    serving: JoinHandle<std::io::Result<()>>,
    delivering: JoinHandle<()>,
    reloader: Arc<Reloader>,
    reloading: JoinHandle<()>,
    patience: Duration,
}

/// Opens the database and starts the engine with its plugins.
pub(crate) async fn engine(
    config: &Config,
    linked: Vec<Linked>,
) -> Result<(Engine, Loader), StartError> {
    let store = open(config).await?;
    let settings =
        wiring::engine(config).map_err(|error| StartError::new("cannot start", error))?;
    let linked: Vec<Linked> = builtin::plugins().into_iter().chain(linked).collect();
    let cache = wiring::cache(config);
    let mut loader = Loader::new(config, linked, cache);
    let slots = loader
        .load()
        .await
        .map_err(|error| StartError::new("cannot load the plugins", error))?;
    let clock = Arc::new(SystemClock);
    let engine = Engine::new(store, settings, clock, Registry::new(slots))
        .map_err(|error| StartError::engine("cannot start", &error))?;
    Ok((engine, loader))
}

/// Listens with answers sent at once; accepted connections take the option over.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(1_024)
}

/// Opens the database, its schema up to date.
async fn open(config: &Config) -> Result<Store, StartError> {
    let settings = roster_storage::Settings::new(wiring::location(config));
    let store = Store::open(&settings)
        .await
        .map_err(|error| StartError::engine("cannot start", &error))?;
    migrate::up(&store)
        .await
        .map_err(|error| StartError::engine("cannot migrate the database", &error))?;
    Ok(store)
}

impl Server {
    /// Opens the database, brings its schema up to date, loads the plugins, makes the first
    /// administrator on an empty database, and serves.
    ///
    /// # Errors
    /// The first thing that cannot work, named.
    pub async fn start(config: &Config, linked: Vec<Linked>) -> Result<Self, StartError> {
        Self::start_from(config, None, linked).await
    }

    /// The same, of a configuration that came from these sources: whenever plugins are reloaded,
    /// their sections are read again from there.
    ///
    /// # Errors
    /// The first thing that cannot work, named.
    pub async fn start_from(
        config: &Config,
        sources: Option<Sources>,
        linked: Vec<Linked>,
    ) -> Result<Self, StartError> {
        // First of all: who looks a metric up before there are any counts for nobody.
        let metrics = Metrics::install();
        let (engine, loader) = engine(config, linked).await?;
        let configured = config.admin.as_ref();
        let configured = configured.map(|admin| (admin.email.clone(), admin.password.clone()));
        let first_administrator = engine
            .bootstrap(configured)
            .await
            .map_err(|error| StartError::engine("cannot make the first administrator", &error))?;
        let bind = config.server.bind;
        let listener = listen(bind)
            .map_err(|error| StartError::new(&format!("cannot listen on {bind}"), error))?;
        let address = listener
            .local_addr()
            .map_err(|error| StartError::new("cannot listen", error))?;

        let (stop, stopped) = watch::channel(false);
        let patience = config.server.shutdown_timeout;
        let endpoint = roster_api::endpoint(
            engine.clone(),
            wiring::api(config),
            Arc::new(move || metrics.render()),
        );
        let mut until = stopped.clone();
        let until = async move { drop(until.wait_for(|stop| *stop).await) };
        let serving = tokio::spawn(roster_api::serve(endpoint, listener, until, patience));
        let delivering = tokio::spawn(engine.deliverer().run(stopped.clone()));
        let reloader = Reloader::new(loader, engine.clone(), config.clone(), sources);
        let reloading = tokio::spawn(Arc::clone(&reloader).run(stopped));
        Ok(Self {
            address,
            first_administrator,
            engine,
            stop,
            serving,
            delivering,
            reloader,
            reloading,
            patience,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The administrator that was made, on a fresh database.
    pub const fn first_administrator(&self) -> Option<&FirstAdministrator> {
        self.first_administrator.as_ref()
    }

    /// The system behind the API.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Loads the plugins whose sections or files changed; no request notices. If one cannot be
    /// loaded, all stay as they are.
    ///
    /// # Errors
    /// What cannot be loaded, named.
    pub async fn reload_plugins(&self) -> Result<(), StartError> {
        let reloaded = self.reloader.reload().await;
        reloaded.map_err(|error| StartError::new("cannot load the plugins", error))
    }

    /// Stops accepting, finishes running requests and deliveries, closes the database.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Ok(Err(error)) = self.serving.await {
            tracing::error!(%error, "server ended");
        }
        if tokio::time::timeout(self.patience, self.delivering)
            .await
            .is_err()
        {
            tracing::warn!("deliveries did not end in time");
        }
        self.reloading.abort();
        self.engine.close(self.patience).await;
    }
}
