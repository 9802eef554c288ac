use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use roster_sdk::{Failure, Host, Instance, Manifest, Value, serde_json};
use wasmtime::Engine;
use wasmtime::component::{Component as Compiled, InstancePre};

use crate::auth_provider::ComponentAuthProvider;
use crate::bindings::auth_provider::AuthProviderKindIndices;
use crate::bindings::base::BasePre;
use crate::bindings::hooks::HooksKindIndices;
use crate::bindings::mailer::MailerKindIndices;
use crate::bindings::policy::PolicyKindIndices;
use crate::bindings::preparation::PreparationKindIndices;
use crate::call;
use crate::component::Component;
use crate::error::LoadCause;
use crate::guests::{Guests, Kind};
use crate::hooks::ComponentHooks;
use crate::host::State;
use crate::imports;
use crate::mailer::ComponentMailer;
use crate::policy::ComponentPolicy;
use crate::runtime::{Shared, Source};
use crate::schema::schema;
use crate::trust::{Trust, digest};

const FILE_BYTES: u64 = 20 << 20;

/// A plugin has at least this long to say what it is: nobody waits for it but the start.
pub(crate) const DESCRIBE: Duration = Duration::from_secs(2);

/// How the version of the ABI begins, after the name of an interface.
const MAJOR: &str = "@1.";
const CONFIG: &str = "roster:plugin/config";
const PREPARATION: &str = "roster:plugin/preparation";
const LIFECYCLE: &str = "roster:plugin/lifecycle";
const HOOKS: &str = "roster:plugin/hooks";
const MAILER: &str = "roster:plugin/mailer";
const POLICY: &str = "roster:plugin/policy";
const AUTH_PROVIDER: &str = "roster:plugin/auth-provider";

/// A loaded component.
#[derive(Clone)]
pub struct Loaded {
    /// The plugin.
    pub instance: Instance,
    /// The SHA-256 of its file, in lower-case hexadecimal.
    pub sha256: String,
}

/// What a file is, for people who look into it.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// The SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// What it exports, with the version of the ABI, such as `roster:plugin/hooks@1.1.0`; in order.
    pub exports: Vec<String>,
    /// What it imports, by interface.
    pub imports: Vec<String>,
    /// What of that this server does not offer.
    pub missing: Vec<String>,
    /// What it says of itself with the given configuration, or why it does not.
    pub manifest: Result<Manifest, String>,
    /// What its configuration may be, as a JSON Schema, if it says.
    pub schema: Option<Value>,
}

pub(crate) async fn load(
    shared: &Arc<Shared>,
    source: &Source<'_>,
    host: Arc<dyn Host>,
) -> Result<Loaded, LoadCause> {
    let (compiled, sha256) = compile(shared, source.file, source.trust).await?;
    let missing = imports::missing(&shared.engine, &compiled);
    if !missing.is_empty() {
        return Err(LoadCause::Missing(missing));
    }
    let exports = Exports::of(&shared.engine, &compiled)?;
    let linked = shared
        .linker
        .instantiate_pre(&compiled)
        .map_err(|error| invalid(&error))?;
    let component = component(shared, source, &host);
    let manifest = describe(&component, &linked, &exports.lifecycle, &host).await?;
    let schema = schema(&component, &linked, exports.config.as_deref(), &host).await?;
    let instance = exports.instance(manifest, schema, &component, &linked)?;
    let Manifest { name, version, .. } = &instance.manifest;
    tracing::debug!(plugin = source.name, name, version, "component loaded");
    Ok(Loaded { instance, sha256 })
}

/// Looks into a file without loading it.
pub(crate) async fn inspect(
    shared: &Arc<Shared>,
    source: &Source<'_>,
    host: Arc<dyn Host>,
) -> Result<Inspected, LoadCause> {
    let (compiled, sha256) = compile(shared, source.file, source.trust).await?;
    let missing = imports::missing(&shared.engine, &compiled);
    let exported = compiled.component_type();
    let names = exported.exports(&shared.engine).map(|(name, _)| name);
    let mut exports: Vec<String> = names.map(ToOwned::to_owned).collect();
    exports.sort_unstable();
    let told = async {
        let exports = Exports::of(&shared.engine, &compiled)?;
        let linked = shared.linker.instantiate_pre(&compiled);
        let linked = linked.map_err(|error| invalid(&error))?;
        let component = component(shared, source, &host);
        let schema = schema(&component, &linked, exports.config.as_deref(), &host).await?;
        let manifest = describe(&component, &linked, &exports.lifecycle, &host).await;
        Ok((manifest, schema))
    };
    let (manifest, schema) = told.await.unwrap_or_else(|cause| (Err(cause), None));
    Ok(Inspected {
        sha256,
        exports,
        imports: imports::interfaces(&shared.engine, &compiled),
        missing,
        manifest: manifest.map_err(|cause| cause.to_string()),
        schema,
    })
}

fn component(shared: &Arc<Shared>, source: &Source<'_>, host: &Arc<dyn Host>) -> Arc<Component> {
    Arc::new(Component {
        name: source.name.to_owned(),
        config: source.config.to_string().into(),
        limits: source.limits,
        shared: Arc::clone(shared),
        host: Arc::clone(host),
        peak: AtomicU64::new(0),
    })
}

/// Reads, checks and compiles, away from the threads that serve requests.
async fn compile(
    shared: &Arc<Shared>,
    file: &Path,
    trust: &Trust,
) -> Result<(Compiled, String), LoadCause> {
    let (engine, file, trust) = (shared.engine.clone(), file.to_owned(), trust.clone());
    let compiling = move || {
        let bytes = read(&file)?;
        trust.check(&file, &bytes)?;
        let compiled = Compiled::from_binary(&engine, &bytes).map_err(|error| invalid(&error))?;
        Ok((compiled, digest(&bytes)))
    };
    let compiled = tokio::task::spawn_blocking(compiling).await;
    compiled.unwrap_or_else(|_panic| Err(LoadCause::NotAComponent("the compiler panicked".into())))
}

/// Reads a plugin's file, which has its limits.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, LoadCause> {
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
    config: Option<String>,
    preparation: Option<String>,
    hooks: Option<String>,
    mailer: Option<String>,
    policy: Option<String>,
    auth_provider: Option<String>,
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
        let (policy, auth_provider) = (find(POLICY)?, find(AUTH_PROVIDER)?);
        if [&hooks, &mailer, &policy, &auth_provider]
            .iter()
            .all(|kind| kind.is_none())
        {
            return Err(LoadCause::NoKind);
        }
        let absent = || LoadCause::NotAComponent(format!("`{LIFECYCLE}` is not exported"));
        Ok(Self {
            lifecycle: find(LIFECYCLE)?.ok_or_else(absent)?,
            config: find(CONFIG)?,
            preparation: find(PREPARATION)?,
            hooks,
            mailer,
            policy,
            auth_provider,
        })
    }

    /// The component as each of its kinds.
    fn instance(
        self,
        manifest: Manifest,
        schema: Option<Value>,
        component: &Arc<Component>,
        linked: &InstancePre<State>,
    ) -> Result<Instance, LoadCause> {
        let preparation = known(self.preparation, || PreparationKindIndices::new(linked))?;
        let (component, linked) = (Arc::clone(component), linked.clone());
        let kinds = Kinds {
            component,
            linked,
            preparation,
        };
        let hooks = known(self.hooks, || HooksKindIndices::new(&kinds.linked))?;
        let mailer = known(self.mailer, || MailerKindIndices::new(&kinds.linked))?;
        let policy = known(self.policy, || PolicyKindIndices::new(&kinds.linked))?;
        let auth_provider = known(self.auth_provider, || {
            AuthProviderKindIndices::new(&kinds.linked)
        })?;
        Ok(Instance {
            manifest,
            schema,
            hooks: hooks.map(|kind| Arc::new(ComponentHooks(kinds.guests(kind))) as _),
            mailer: mailer.map(|kind| Arc::new(ComponentMailer(kinds.guests(kind))) as _),
            policy: policy.map(|kind| Arc::new(ComponentPolicy(kinds.guests(kind))) as _),
            auth_provider: auth_provider
                .map(|kind| Arc::new(ComponentAuthProvider(kinds.guests(kind))) as _),
        })
    }
}

/// A component, to be seen as its kinds.
struct Kinds {
    component: Arc<Component>,
    linked: InstancePre<State>,
    preparation: Option<PreparationKindIndices>,
}

impl Kinds {
    fn guests<K: Kind + 'static>(&self, kind: K) -> Guests<K> {
        let (component, linked) = (Arc::clone(&self.component), self.linked.clone());
        Guests::new(component, linked, kind, self.preparation.clone())
    }
}

/// What stands behind an export, if there is that export.
fn known<K>(
    export: Option<String>,
    find: impl FnOnce() -> wasmtime::Result<K>,
) -> Result<Option<K>, LoadCause> {
    let Some(export) = export else {
        return Ok(None);
    };
    find().map(Some).map_err(|_| LoadCause::OtherAbi(export))
}

async fn describe(
    component: &Component,
    linked: &InstancePre<State>,
    export: &str,
    host: &Arc<dyn Host>,
) -> Result<Manifest, LoadCause> {
    let base = BasePre::new(linked.clone()).map_err(|_| LoadCause::OtherAbi(export.to_owned()))?;
    let deadline = component.limits.timeout.max(DESCRIBE);
    let describing = async {
        let mut store = component.store(host, deadline);
        let guest = base.instantiate_async(&mut store).await?;
        guest
            .roster_plugin_lifecycle()
            .call_describe(&mut store, &component.config)
            .await
    };
    let described = component.run_within(deadline, describing).await;
    let failed = |failure: Failure| LoadCause::Failed(failure.reason);
    let answer = described.map_err(failed)?;
    let (Ok(text) | Err(text)) = &answer;
    call::bounded([text]).map_err(failed)?;
    let manifest = answer.map_err(LoadCause::Refused)?;
    serde_json::from_str(&manifest).map_err(|error| LoadCause::Manifest(error.to_string()))
}
