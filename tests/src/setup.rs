use std::sync::Arc;

use roster_sdk::Linked;

use crate::database::Database;
use crate::recorder::Recorder;
use crate::{Process, TestServer, config, guest};

/// How a server is configured before it starts.
pub struct Setup {
    database: Option<Arc<Database>>,
    text: String,
    overrides: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    linked: Vec<Linked>,
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

impl Setup {
    /// What every test server is told, on a fresh database.
    pub fn new() -> Self {
        Self {
            text: config::usual(),
            ..Self::bare()
        }
    }

    /// No more than a free port and a fresh database.
    pub const fn bare() -> Self {
        Self {
            database: None,
            text: String::new(),
            overrides: Vec::new(),
            environment: Vec::new(),
            linked: Vec::new(),
        }
    }

    /// On a database on which a server has run before: the first administrator is there, whatever
    /// plugins think of them.
    #[must_use]
    pub async fn lived_in(self) -> Self {
        let server = Self::new().start().await;
        self.on(&server.stop().await)
    }

    /// On a database that is there already.
    #[must_use]
    pub fn on(mut self, database: &Arc<Database>) -> Self {
        self.database = Some(Arc::clone(database));
        self
    }

    /// With a key that differs, as `--set` takes it.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.overrides.push((key.to_owned(), value.to_owned()));
        self
    }

    /// With an environment variable, which counts for a process of its own alone.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a plugin: what stands in its section.
    #[must_use]
    pub fn plugin(mut self, name: &str, section: &str) -> Self {
        self.text
            .extend(["\n[plugins.", name, "]\n", section, "\n"]);
        self
    }

    /// With mails that go there.
    #[must_use]
    pub fn mails(self, postbox: &crate::Postbox) -> Self {
        let section = format!(
            "source = \"builtin\"\nconfig = {{ url = \"{}\" }}",
            postbox.url()
        );
        self.plugin("smtp", &section).set("mail.mailer", "smtp")
    }

    /// With a component that the tests build.
    #[must_use]
    pub fn guest(self, name: &str, package: &str, section: &str) -> Self {
        let file = guest(package);
        self.plugin(
            name,
            &format!(
                "source = '{}'\ntimeout = \"10s\"\n{section}",
                file.display()
            ),
        )
    }

    /// With one more native plugin that configuration can name.
    #[must_use]
    pub fn linked(mut self, plugin: Linked) -> Self {
        self.linked.push(plugin);
        self
    }

    /// With a recorder that may read and write every field.
    #[must_use]
    pub fn record(self, recorder: &Recorder) -> Self {
        self.record_as(
            "recorder",
            recorder,
            "capabilities.fields = { read = ['*'], write = ['*'] }",
        )
    }

    /// With a recorder under a name of its own, and with what else stands in its section.
    #[must_use]
    pub fn record_as(self, name: &str, recorder: &Recorder, section: &str) -> Self {
        let section = format!("config = {{ recorder = '{}' }}\n{section}", recorder.key());
        self.plugin(name, &section).linked(Recorder::linked(name))
    }

    /// Starts it inside the test.
    pub async fn start(self) -> TestServer {
        let database = self.database().await;
        TestServer::over(database, self.text, self.overrides, self.linked).await
    }

    /// Tries to start it inside the test; gives why it does not start.
    pub async fn refusal(self) -> String {
        let database = self.database().await;
        TestServer::refusal(&database, &self.text, self.overrides, self.linked).await
    }

    /// Starts the binary that users run.
    pub async fn spawn(self) -> Process {
        self.spawn_as("roster").await
    }

    /// Starts an example of this package that is a server.
    pub async fn spawn_as(self, example: &str) -> Process {
        let database = self.database().await;
        let (flags, environment) = (&self.overrides, &self.environment);
        Process::serve(example, database, &self.text, flags, environment).await
    }

    async fn database(&self) -> Arc<Database> {
        match &self.database {
            Some(database) => Arc::clone(database),
            None => Arc::new(Database::fresh().await),
        }
    }
}

/// The configuration file for a server on this database.
pub(crate) fn file(database: &Database, text: &str) -> std::path::PathBuf {
    let path = database.folder().join("roster.toml");
    std::fs::write(&path, config::bare(database) + text).expect("a configuration file");
    path
}
