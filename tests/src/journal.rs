use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use roster_sdk::{
    Context, Event, Failure, Hooks, Host, Manifest, Plugin, Record, StartError, async_trait,
};
use serde::Deserialize;

/// Writes each event of a new user to a file, a line each: the id of the event, the id of the user.
/// What is written is there also when the process is killed.
pub struct Journal {
    file: File,
}

/// `[plugins.<name>.config]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    file: PathBuf,
}

#[async_trait]
impl Plugin for Journal {
    type Config = Config;

    async fn start(config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        let opened = OpenOptions::new()
            .create(true)
            .append(true)
            .open(config.file);
        opened
            .map(|file| Self { file })
            .map_err(|error| StartError::new(error.to_string()))
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("journal", "1.0.0").on(Event::AfterCreate)
    }
}

#[async_trait]
impl Hooks for Journal {
    async fn after_create(&self, cx: &Context, _record: &Record) -> Result<(), Failure> {
        let line = format!("{} {}\n", cx.id, cx.item.as_deref().unwrap_or_default());
        (&self.file)
            .write_all(line.as_bytes())
            .map_err(|error| Failure::new(error.to_string()))
    }
}
