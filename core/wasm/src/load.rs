use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use roster_sdk::{Failure, Hooks, Host, Instance, Mailer, Manifest, Value, serde_json};
use wasmtime::Engine;
use wasmtime::component::{Component as Compiled, InstancePre};

use crate::bindings::base::BasePre;
use crate::bindings::hooks::HooksKindPre;
use crate::bindings::mailer::MailerKindPre;
use crate::call;
use crate::component::Component;
use crate::error::LoadCause;
use crate::hooks::ComponentHooks;
use crate::host::State;
use crate::imports;
use crate::limits::Limits;
use crate::mailer::ComponentMailer;
use crate::runtime::Shared;

const FILE_BYTES: u64 = 20 << 20;

/// A plugin has at least this long to say what it is: nobody waits for it but the start.
const DESCRIBE: Duration = Duration::from_secs(2);

/// How the version of the ABI begins, after the name of an interface.
const MAJOR: &str = "@1.";
const LIFECYCLE: &str = "roster:plugin/lifecycle";
const HOOKS: &str = "roster:plugin/hooks";
const MAILER: &str = "roster:plugin/mailer";

pub(crate) async fn load(
    shared: &Arc<Shared>,
    name: &str,
    file: &Path,
    config: &Value,
    limits: Limits,
    host: Arc<dyn Host>,
) -> Result<Instance, LoadCause> {
    let compiled = compile(shared, file).await?;
    let missing = imports::missing(&shared.engine, &compiled);
    if !missing.is_empty() {
        return Err(LoadCause::Missing(missing));
    }
    let exports = Exports::of(&shared.engine, &compiled)?;
    let linked = shared
        .linker
        .instantiate_pre(&compiled)
        .map_err(|error| invalid(&error))?;
    let component = Arc::new(Component {
        name: name.to_owned(),
        config: config.to_string().into(),
        limits,
        shared: Arc::clone(shared),
    });
    let manifest = describe(&component, &linked, &exports.lifecycle, &host).await?;
    let hooks = exports
        .hooks
        .map(|export| hooks(&component, &linked, export))
        .transpose()?;
    let mailer = exports
        .mailer
        .map(|export| mailer(&component, &linked, export))
        .transpose()?;
    tracing::debug!(
        plugin = name,
        manifest.name,
        manifest.version,
        "component loaded"
    );
    Ok(Instance {
        manifest,
        hooks,
        mailer,
    })
}

/// Reads and compiles, away from the threads that serve requests.
async fn compile(shared: &Arc<Shared>, file: &Path) -> Result<Compiled, LoadCause> {
    let (engine, file) = (shared.engine.clone(), file.to_owned());
    let compiling = move || {
        let bytes = read(&file)?;
        Compiled::from_binary(&engine, &bytes).map_err(|error| invalid(&error))
    };
    let compiled = tokio::task::spawn_blocking(compiling).await;
    compiled.unwrap_or_else(|_panic| Err(LoadCause::NotAComponent("the compiler panicked".into())))
}

fn read(file: &Path) -> Result<Vec<u8>, LoadCause> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => LoadCause::NotFound,
        _ => LoadCause::Unreadable(error.to_string()),
    };
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(unreadable)?;
    opened
        .take(FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(LoadCause::TooLarge(FILE_BYTES));
    }
    Ok(bytes)
}

fn invalid(error: &wasmtime::Error) -> LoadCause {
    LoadCause::NotAComponent(format!("{error:#}"))
}

/// The names of what a component exports of ours, versions included.
struct Exports {
    lifecycle: String,
    hooks: Option<String>,
    mailer: Option<String>,
}

impl Exports {
    fn of(engine: &Engine, compiled: &Compiled) -> Result<Self, LoadCause> {
        let exported = compiled.component_type();
        let find = |interface: &str| {
            let versions = || {
                let names = exported.exports(engine).map(|(name, _)| name);
                names.filter_map(|name| Some((name, name.strip_prefix(interface)?)))
            };
            let known = versions().find(|(_, version)| version.starts_with(MAJOR));
            match (known, versions().next()) {
                (Some((name, _)), _) => Ok(Some(name.to_owned())),
                (None, Some((name, _))) => Err(LoadCause::OtherAbi(name.to_owned())),
                (None, None) => Ok(None),
            }
        };
        let (hooks, mailer) = (find(HOOKS)?, find(MAILER)?);
        if hooks.is_none() && mailer.is_none() {
            return Err(LoadCause::NoKind);
        }
        let absent = || LoadCause::NotAComponent(format!("`{LIFECYCLE}` is not exported"));
        Ok(Self {
            lifecycle: find(LIFECYCLE)?.ok_or_else(absent)?,
            hooks,
            mailer,
        })
    }
}

async fn describe(
    component: &Component,
    linked: &InstancePre<State>,
    export: &str,
    host: &Arc<dyn Host>,
) -> Result<Manifest, LoadCause> {
    let base = BasePre::new(linked.clone()).map_err(|_| LoadCause::OtherAbi(export.to_owned()))?;
    let describing = async {
        let mut store = component.store(host);
        let guest = base.instantiate_async(&mut store).await?;
        guest
            .roster_plugin_lifecycle()
            .call_describe(&mut store, &component.config)
            .await
    };
    let deadline = component.limits.timeout.max(DESCRIBE);
    let described = component.run_within(deadline, describing).await;
    let failed = |failure: Failure| LoadCause::Failed(failure.reason);
    let answer = described.map_err(failed)?;
    let (Ok(text) | Err(text)) = &answer;
    call::bounded([text]).map_err(failed)?;
    let manifest = answer.map_err(LoadCause::Refused)?;
    serde_json::from_str(&manifest).map_err(|error| LoadCause::Manifest(error.to_string()))
}

fn hooks(
    component: &Arc<Component>,
    linked: &InstancePre<State>,
    export: String,
) -> Result<Arc<dyn Hooks>, LoadCause> {
    let guest = HooksKindPre::new(linked.clone()).map_err(|_| LoadCause::OtherAbi(export))?;
    Ok(Arc::new(ComponentHooks {
        component: Arc::clone(component),
        guest,
    }))
}

fn mailer(
    component: &Arc<Component>,
    linked: &InstancePre<State>,
    export: String,
) -> Result<Arc<dyn Mailer>, LoadCause> {
    let guest = MailerKindPre::new(linked.clone()).map_err(|_| LoadCause::OtherAbi(export))?;
    Ok(Arc::new(ComponentMailer {
        component: Arc::clone(component),
        guest,
    }))
}
