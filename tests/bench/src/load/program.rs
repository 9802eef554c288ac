//! Roster and the bare server, over a copy of the same data each.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::server::Program;

/// What the tokens of the benchmark are signed with.
const SECRET: &str = "0f8b6f1d5a0e4c7c9a3e2d1b7c6f5e4d-benchmark";

/// The first administrator.
pub(crate) const ADMINISTRATOR: &str = "admin@bench.example";
/// Everybody's password.
pub(crate) const PASSWORD: &str = "a long enough password";

/// The server that is measured.
#[derive(Debug, Clone)]
pub(crate) struct Roster {
    pub(crate) binary: PathBuf,
    /// Where its configuration is put.
    pub(crate) folder: PathBuf,
    pub(crate) database: String,
    /// `[log]`, but for the braces.
    pub(crate) log: String,
    /// The component that is loaded, and how many times.
    pub(crate) plugins: Option<(PathBuf, usize)>,
}

/// The server it is compared with.
#[derive(Debug, Clone)]
pub(crate) struct Bare {
    pub(crate) binary: PathBuf,
    pub(crate) database: String,
    pub(crate) logs_statements: bool,
}

impl Program for Roster {
    fn command(&self, address: SocketAddr) -> io::Result<Command> {
        std::fs::create_dir_all(&self.folder)?;
        let file = self.folder.join("roster.toml");
        std::fs::write(&file, self.configuration(address))?;
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(file).current_dir(&self.folder);
        Ok(command)
    }
}

impl Roster {
    fn configuration(&self, address: SocketAddr) -> String {
        let Self { database, log, .. } = self;
        let plugins: String = self
            .plugins
            .iter()
            .flat_map(|(file, number)| (0..*number).map(move |index| plugin(file, index)))
            .collect();
        format!(
            r#"
[server]
bind = "{address}"
public_url = "http://{address}"

[database]
url = "{database}"

[auth]
secret = "{SECRET}"
access_token_ttl = "1d"

[admin]
email = "{ADMINISTRATOR}"
password = "{PASSWORD}"

[rate_limit]
enabled = false

[log]
{log}
{plugins}"#
        )
    }
}

fn plugin(file: &Path, index: usize) -> String {
    let file = file.display();
    format!(
        r#"
[plugins.touch{index}]
source = "{file}"

[plugins.touch{index}.capabilities]
fields = {{ read = ["first_name", "last_name"], write = ["title"] }}
"#
    )
}

impl Program for Bare {
    fn command(&self, address: SocketAddr) -> io::Result<Command> {
        let mut command = Command::new(&self.binary);
        command.args(["--bind", &address.to_string(), "--secret", SECRET]);
        command.args(["--database", &self.database]);
        if self.logs_statements {
            command.arg("--log-statements");
        }
        Ok(command)
    }
}
