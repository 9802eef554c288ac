use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use roster_sdk::{
    Context, Event, Failure, Hooks, Host, Manifest, Plugin, Record, StartError, async_trait,
};
use serde::Deserialize;

/// Writes each event of a user to a file, a line each: the id of the event, the id of the user, the
/// title if it may see one. What is written is there also when the process is killed.
pub struct Journal {
    file: File,
    pause: Duration,
}

/// `[plugins.<name>.config]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    file: PathBuf,
    /// The milliseconds between the call and the line.
    #[serde(default)]
    pause: u64,
}

#[async_trait]
impl Plugin for Journal {
    type Config = Config;

    async fn start(config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        let opened = OpenOptions::new()
            .create(true)
            .append(true)
            .open(config.file);
        let pause = Duration::from_millis(config.pause);
        opened
            .map(|file| Self { file, pause })
            .map_err(|error| StartError::new(error.to_string()))
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("journal", "1.0.0")
            .on(Event::AfterCreate)
            .on(Event::AfterUpdate)
            .reads(["title"])
    }
}

#[async_trait]
impl Hooks for Journal {
    async fn after_create(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        self.write(cx, record).await
    }

    async fn after_update(
        &self,
        cx: &Context,
        record: &Record,
        _changed: &[String],
    ) -> Result<(), Failure> {
        self.write(cx, record).await
    }
}

impl Journal {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is slow, so that a server can be killed before it is done"
    )]
    async fn write(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        tokio::time::sleep(self.pause).await;
        let (item, title) = (cx.item.as_deref(), record.text("title"));
        let line = format!(
            "{} {} {}\n",
            cx.id,
            item.unwrap_or_default(),
            title.unwrap_or_default()
        );
        (&self.file)
            .write_all(line.as_bytes())
            .map_err(|error| Failure::new(error.to_string()))
    }
}
