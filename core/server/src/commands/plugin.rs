//! `roster plugin`: making, building, trying and looking into plugins.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use roster_engine::{Capabilities, PluginHost};
use roster_sdk::{Linked, Value as Json};
use roster_storage::plugin_store;
use roster_wasm::{Inspected, Runtime, RuntimeSettings, Source, Trust};
use tokio::process::Command;

use super::{failed, opened};
use crate::cli::{self, Exit, Plugin};
use crate::config::{self, Config, Sources};
use crate::plugins::Loader;
use crate::trial::{self, PATIENT};
use crate::{builtin, scaffold, scratch, wiring};

/// The target of components.
const TARGET: &str = "wasm32-wasip2";

/// Runs a command that needs no configuration; `None` for one that does.
pub(crate) async fn alone(
    command: &Plugin,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Option<Exit>> {
    let done = match command {
        Plugin::New { name, kind, sdk } => {
            scaffold::make(Path::new("."), name, *kind, sdk.as_deref())
                .map(|folder| vec![format!("{}: `cargo test` runs its test", folder.display())])
        }
        Plugin::Build { folder } => build(folder)
            .await
            .map(|file| vec![file.display().to_string()]),
        Plugin::Test { folder, with } => test(folder, with).await,
        Plugin::Inspect { file, with } => inspect(file, with).await.map(|seen| lines(&seen)),
        Plugin::List | Plugin::Reload => return Ok(None),
    };
    match done {
        Ok(lines) => {
            for line in lines {
                writeln!(out, "{line}")?;
            }
            Ok(Some(Exit::Ok))
        }
        Err(reason) => {
            writeln!(err, "roster: {reason}")?;
            Ok(Some(Exit::Failed))
        }
    }
}

/// Builds the crate in a folder as a component; gives its file.
async fn build(folder: &Path) -> Result<PathBuf, String> {
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(folder)
        .args(["build", "--release", "--target", TARGET])
        .args(["--message-format", "json-render-diagnostics"])
        .stdout(Stdio::piped());
    let built = cargo.output().await;
    let built = built.map_err(|error| format!("cargo: {error}"))?;
    // What cargo says for people went to standard error while it ran.
    io::stderr()
        .write_all(&built.stderr)
        .map_err(|error| error.to_string())?;
    if !built.status.success() {
        return Err(format!(
            "`{}` does not build: is the target {TARGET} installed?",
            folder.display()
        ));
    }
    let text = String::from_utf8_lossy(&built.stdout);
    let artifacts = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let mut files = artifacts.filter_map(|artifact| {
        let files = artifact.get("filenames")?.as_array()?;
        let mut names = files.iter().filter_map(Json::as_str);
        names
            .find(|name| Path::new(name).extension().is_some_and(|end| end == "wasm"))
            .map(PathBuf::from)
    });
    let no_component =
        "built no component: is `crate-type = [\"rlib\", \"cdylib\"]` in Cargo.toml?";
    files.next_back().ok_or_else(|| no_component.to_owned())
}

/// Runs the crate's own tests, then calls it as a component, with a host that does nothing and in
/// a server of its own.
async fn test(folder: &Path, with: &str) -> Result<Vec<String>, String> {
    let config = parsed(with)?;
    let mut cargo = Command::new("cargo");
    let tested = cargo.current_dir(folder).arg("test").status().await;
    let tested = tested.map_err(|error| format!("cargo: {error}"))?;
    if !tested.success() {
        return Err("its tests fail".to_owned());
    }
    let file = build(folder).await?;
    let (instance, calls) = trial::call_all(&file, config.clone()).await?;
    let manifest = &instance.manifest;
    let served = scratch::try_out(&file, &config, manifest).await?;
    let started = format!(
        "{} {}: starts as a component",
        manifest.name, manifest.version
    );
    let lines = [file.display().to_string(), started]
        .into_iter()
        .chain(calls);
    Ok(lines.chain([served]).collect())
}

fn parsed(with: &str) -> Result<Json, String> {
    serde_json::from_str(with).map_err(|error| format!("`--with`: {error}"))
}

async fn inspect(file: &Path, with: &str) -> Result<Inspected, String> {
    let config = parsed(with)?;
    let runtime = Runtime::new(RuntimeSettings::default()).map_err(|error| error.to_string())?;
    let source = Source {
        name: "inspected",
        file,
        config: &config,
        limits: PATIENT,
        trust: &Trust::default(),
    };
    let host = PluginHost::new("inspected", Capabilities::default());
    let seen = runtime.inspect(&source, host).await;
    seen.map_err(|error| error.to_string())
}

fn lines(seen: &Inspected) -> Vec<String> {
    let ours = |names: &[String]| {
        let ours = names.iter().filter(|name| name.starts_with("roster:"));
        ours.cloned().collect::<Vec<_>>().join(", ")
    };
    let mut lines = vec![
        format!("sha256: {}", seen.sha256),
        format!("exports: {}", ours(&seen.exports)),
        format!("imports: {}", ours(&seen.imports)),
    ];
    if !seen.missing.is_empty() {
        lines.push(format!("missing here: {}", seen.missing.join(", ")));
    }
    match &seen.manifest {
        Err(reason) => lines.push(format!("manifest: none, {reason}")),
        Ok(manifest) => {
            let events = manifest.subscriptions.iter();
            let events: Vec<_> = events
                .map(|wish| format!("{}.{}", wish.collection, wish.event.as_str()))
                .collect();
            lines.push(format!("plugin: {} {}", manifest.name, manifest.version));
            lines.push(format!("events: {}", events.join(", ")));
            lines.push(format!("asks to read: {}", manifest.reads.join(", ")));
            lines.push(format!("asks to write: {}", manifest.writes.join(", ")));
        }
    }
    match &seen.schema {
        None => lines.push("config: it does not say what it may be".to_owned()),
        Some(schema) => lines.push(format!("config: {schema}")),
    }
    lines
}

/// `roster config check`: `ok` on `out`, or every mistake on `err`, those of plugins included.
pub(crate) async fn check(
    sources: Sources,
    linked: Vec<Linked>,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let config = match config::load(sources) {
        Ok(config) => config,
        Err(mistakes) => {
            cli::report(&mistakes, err)?;
            return Ok(Exit::Usage);
        }
    };
    let linked = builtin::plugins().into_iter().chain(linked).collect();
    // Nothing is written, so components are compiled and forgotten.
    let found = Loader::new(&config, linked, None).check().await;
    for mistake in &found {
        writeln!(err, "roster: {mistake}")?;
    }
    if found.is_empty() {
        writeln!(out, "ok")?;
        return Ok(Exit::Ok);
    }
    Ok(Exit::Usage)
}

/// `roster plugin list`
pub(crate) async fn list(
    config: &Config,
    linked: Vec<Linked>,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let linked = builtin::plugins().into_iter().chain(linked).collect();
    let mut loader = Loader::new(config, linked, wiring::cache(config));
    let mut slots = match loader.load().await {
        Ok(slots) => slots,
        Err(error) => {
            writeln!(err, "roster: {error}")?;
            return Ok(Exit::Failed);
        }
    };
    slots.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    for slot in slots {
        let manifest = &slot.instance.manifest;
        writeln!(
            out,
            "{} {} {} [{}] priority {} from {}",
            slot.name,
            manifest.name,
            manifest.version,
            slot.instance.kinds().join(", "),
            slot.priority,
            slot.source
        )?;
    }
    Ok(Exit::Ok)
}

/// `roster plugin reload`
pub(crate) async fn reload(
    config: &Config,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let store = match opened(config).await {
        Ok(store) => store,
        Err(error) => return failed(err, &error),
    };
    let raised = plugin_store::raise_epoch(&store).await;
    store.close().await;
    match raised {
        Ok(()) => {
            writeln!(out, "asked every node; its log says what was loaded")?;
            Ok(Exit::Ok)
        }
        Err(error) => failed(err, &error),
    }
}
