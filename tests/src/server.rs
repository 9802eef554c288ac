use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Once};

use roster_sdk::Linked;
use roster_server::config::{Config, Sources, load};
use roster_server::{Server, StartError};

use crate::database::Database;
use crate::{Setup, Site, eventually, root, setup};

/// A server inside of the test: the one that users run, as a library.
pub struct TestServer {
    server: Server,
    database: Arc<Database>,
    text: String,
    overrides: Vec<(String, String)>,
    linked: Vec<Linked>,
    site: Site,
}

impl TestServer {
    /// One as every test has it.
    pub async fn start() -> Self {
        Setup::new().start().await
    }

    pub(crate) async fn over(
        database: Arc<Database>,
        text: String,
        overrides: Vec<(String, String)>,
        linked: Vec<Linked>,
    ) -> Self {
        let started = try_start(&database, &text, &overrides, &linked).await;
        let server = started.unwrap_or_else(|error| panic!("the server does not start: {error}"));
        let site = Site::at(format!("http://{}", server.address()));
        Self {
            server,
            database,
            text,
            overrides,
            linked,
            site,
        }
    }

    pub(crate) async fn refusal(
        database: &Database,
        text: &str,
        overrides: Vec<(String, String)>,
        linked: Vec<Linked>,
    ) -> String {
        match try_start(database, text, &overrides, &linked).await {
            Ok(_) => panic!("the server starts"),
            Err(error) => error.to_string(),
        }
    }

    /// Its database.
    pub const fn database(&self) -> &Arc<Database> {
        &self.database
    }

    /// The server itself.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// Stops it as a signal would; gives the database.
    pub async fn stop(self) -> Arc<Database> {
        self.server.stop().await;
        self.database
    }

    /// Stops it and starts it again over the same database.
    pub async fn restart(self) -> Self {
        self.server.stop().await;
        Self::over(self.database, self.text, self.overrides, self.linked).await
    }

    /// Waits until there is nothing left to deliver.
    pub async fn settled(&self) {
        settled(&self.database).await;
    }
}

/// Waits until a database has nothing left to deliver.
pub(crate) async fn settled(database: &Database) {
    let look = async || {
        let waiting = database
            .count("deliveries", "state IN ('pending', 'leased')")
            .await;
        (waiting == 0).then_some(())
    };
    eventually("an empty outbox", look).await;
}

impl Deref for TestServer {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

async fn try_start(
    database: &Database,
    text: &str,
    overrides: &[(String, String)],
    linked: &[Linked],
) -> Result<Server, StartError> {
    share_compiled(database.folder());
    work_elsewhere();
    let sources = Sources {
        file: Some(setup::file(database, text)),
        environment: Vec::new(),
        overrides: overrides.to_vec(),
    };
    let config = read(sources.clone());
    if std::env::var("ROSTER_TEST_LOG").is_ok() {
        roster_server::telemetry::start_logging(&config.log, None);
    }
    Server::start_from(&config, Some(sources), linked.to_vec()).await
}

fn read(sources: Sources) -> Config {
    load(sources).unwrap_or_else(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        panic!("the configuration is wrong:\n{}", lines.join("\n"))
    })
}

/// Lets a server find what others have compiled: compiling a component takes longer than a test.
pub(crate) fn share_compiled(folder: &Path) {
    let shared = root().join("target/guests/compiled");
    std::fs::create_dir_all(&shared).expect("a folder for compiled components");
    let own = folder.join("cache");
    if !own.exists() {
        std::os::unix::fs::symlink(shared, own).expect("a link to it");
    }
}

/// Servers over PostgreSQL keep what they compile in `data` of the working folder, which is not to
/// be the sources.
fn work_elsewhere() {
    static MOVED: Once = Once::new();
    MOVED.call_once(|| {
        let folder = root().join("target/guests/work");
        std::fs::create_dir_all(folder.join("data")).expect("a working folder");
        share_compiled(&folder.join("data"));
        std::env::set_current_dir(folder).expect("a working folder");
    });
}
