use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::database::Database;
use crate::server::{settled, share_compiled};
use crate::workspace::root;
use crate::{PATIENCE, Site, eventually, setup};

/// A server that runs as a process of its own, in the folder of its database.
pub struct Process {
    child: Child,
    database: Arc<Database>,
    site: Site,
    lines: Lines,
    reading: Vec<JoinHandle<()>>,
}

/// How a process ended, and everything it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to its standard output.
    pub out: String,
    /// What it wrote to its standard error.
    pub err: String,
}

/// What a process has written, line by line, while it is being read.
#[derive(Clone, Default)]
struct Lines {
    out: Text,
    err: Text,
}

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<String>>>);

impl Process {
    /// Runs the binary that users run, to its end, in this folder.
    pub async fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
        Self::run_within(PATIENCE, folder, arguments, environment).await
    }

    /// The same for what takes longer.
    pub async fn run_within(
        patience: Duration,
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Finished {
        let mut command = command("roster", folder);
        command.args(arguments).envs(environment.iter().copied());
        let running = command.output();
        let output = tokio::time::timeout(patience, running)
            .await
            .expect("an end in time");
        let output = output.expect("a process");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Finished {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    pub(crate) async fn serve(
        example: &str,
        database: Arc<Database>,
        text: &str,
        overrides: &[(String, String)],
        environment: &[(String, String)],
    ) -> Self {
        let config = setup::file(&database, text);
        std::fs::create_dir_all(database.folder().join("data")).expect("a folder");
        share_compiled(database.folder());
        share_compiled(&database.folder().join("data"));
        let mut command = command(example, database.folder());
        command
            .arg("--config")
            .arg(config)
            .args(["--set", "log.format=json"]);
        command.envs(environment.iter().cloned());
        for (key, value) in overrides {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        let mut child = command.spawn().expect("a process");
        let lines = Lines::default();
        let out = child.stdout.take().expect("its output");
        let err = child.stderr.take().expect("its errors");
        let reading = vec![lines.out.follow(out), lines.err.follow(err)];
        let look = async || {
            lines
                .address()
                .or_else(|| lines.is_done(&reading).then(String::new))
        };
        let address = eventually("a server that listens", look).await;
        assert!(
            !address.is_empty(),
            "the server ended at its start:\n{}",
            lines.err.so_far()
        );
        let site = Site::at(format!("http://{address}"));
        Self {
            child,
            database,
            site,
            lines,
            reading,
        }
    }

    /// Its database.
    pub const fn database(&self) -> &Arc<Database> {
        &self.database
    }

    /// What it has written to its standard output so far.
    pub fn out(&self) -> String {
        self.lines.out.so_far()
    }

    /// What it has written to its standard error so far: its log.
    pub fn err(&self) -> String {
        self.lines.err.so_far()
    }

    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().expect("a process that runs");
        let script = format!("kill -{name} {id}");
        let status = std::process::Command::new("sh")
            .args(["-c", &script])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{script}");
    }

    /// How many bytes of memory it holds.
    pub fn resident(&self) -> u64 {
        let id = self.child.id().expect("a process that runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        number.expect("its size").parse::<u64>().expect("a number") << 10
    }

    /// Waits for its end.
    pub async fn finished(mut self) -> Finished {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = ended.expect("an end in time").expect("a status");
        for reading in self.reading {
            reading.await.expect("its last lines");
        }
        Finished {
            code: ExitStatus::code(&status),
            out: self.lines.out.so_far(),
            err: self.lines.err.so_far(),
        }
    }

    /// Kills it, as `kill -9` does, and gives what is left: the database.
    pub async fn kill(mut self) -> Arc<Database> {
        self.child.kill().await.expect("a process that ends");
        self.database
    }

    /// Waits until there is nothing left to deliver.
    pub async fn settled(&self) {
        settled(&self.database).await;
    }
}

impl Deref for Process {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Text {
    fn follow(&self, stream: impl AsyncRead + Send + Unpin + 'static) -> JoinHandle<()> {
        let text = self.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stream).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                text.lock().push(line);
            }
        })
    }

    fn so_far(&self) -> String {
        self.lock().join("\n")
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    /// Where the server listens, once it has said so.
    fn address(&self) -> Option<String> {
        let said = self.err.so_far();
        let mut lines = said
            .lines()
            .filter_map(|line| serde_json::from_str::<Json>(line).ok());
        // The framework says the same words, without an address.
        lines.find_map(|line| match line["message"].as_str() {
            Some("server started") => line["address"].as_str().map(ToOwned::to_owned),
            _ => None,
        })
    }

    fn is_done(&self, reading: &[JoinHandle<()>]) -> bool {
        reading.iter().all(JoinHandle::is_finished) && self.address().is_none()
    }
}

fn command(example: &str, folder: &Path) -> Command {
    let mut command = Command::new(binary(example));
    command.current_dir(folder).kill_on_drop(true);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Settings of whoever runs the tests are not for the server.
    let is_for_servers = |name: &str| name.starts_with("ROSTER") || name.starts_with("OTEL_");
    for (name, _) in std::env::vars().filter(|(name, _)| is_for_servers(name)) {
        command.env_remove(name);
    }
    command
}

/// The executable of an example of this package. `cargo test` has built it beside the test, unless
/// it was asked for one target alone.
fn binary(example: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let test = std::env::current_exe().expect("the path of the test");
    let dependencies = test.parent().expect("a folder").to_owned();
    let target = dependencies.parent().expect("a folder").to_owned();
    let path = target.join("examples").join(example);
    BUILT.get_or_init(|| {
        if is_older(&path, &dependencies) {
            build(&target);
        }
    });
    path
}

/// Whether a file is missing, or older than a crate of ours.
fn is_older(path: &Path, dependencies: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    let is_ours = |path: &PathBuf| {
        let name = path.file_stem().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("libroster_"))
            && path.extension().is_some_and(|kind| kind == "rlib")
    };
    let entries = std::fs::read_dir(dependencies).expect("a readable folder");
    let crates = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(is_ours);
    let newest: Option<SystemTime> = crates.filter_map(|path| changed(&path)).max();
    changed(path).is_none() || changed(path) < newest
}

fn build(target: &Path) {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo
        .current_dir(root())
        .args(["build", "--quiet", "-p", "roster-tests", "--examples"]);
    cargo
        .arg("--target-dir")
        .arg(target.parent().expect("a target folder"));
    if target.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(
        cargo.status().expect("cargo").success(),
        "the examples do not build"
    );
}
