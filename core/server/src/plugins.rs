//! Configuration → loaded plugins. A plugin that cannot start stops the server.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use roster_engine::{
    Capabilities, FieldNames, LOCAL, LoginSettings, Mode, OnFailure, PluginHost, PluginSlot,
    check_manifest,
};
use roster_sdk::Linked;
use roster_wasm::{Instances, Limits, Loaded, Runtime, RuntimeSettings, Source, Trust};

use crate::builtin::PASSWORD;
use crate::config::{self, Config, PluginConfig, PluginSource, UsersCapability};
use crate::schema;

/// How long a login with a password may take at least: hashes wait for their turn.
const HASHING: Duration = Duration::from_secs(30);

/// Why a plugin cannot be used, in a sentence for the operator.
#[derive(Debug)]
pub(crate) struct LoadError(pub(crate) String);

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is loaded, and how to load it again.
pub(crate) struct Loader {
    configured: BTreeMap<String, PluginConfig>,
    mailer: String,
    linked: Vec<Linked>,
    host: config::PluginHost,
    cache: Option<PathBuf>,
    /// Made for the first component: without one there is no compiler in the process.
    runtime: Option<Arc<Runtime>>,
    /// What each plugin was started with, and what came of it.
    loaded: Vec<(PluginConfig, PluginSlot)>,
}

impl Loader {
    /// Nothing is loaded yet.
    pub(crate) fn new(config: &Config, linked: Vec<Linked>, cache: Option<PathBuf>) -> Self {
        Self {
            configured: BTreeMap::new(),
            mailer: config.mail.mailer.clone(),
            linked,
            host: config.plugin_host.clone(),
            cache,
            runtime: None,
            loaded: Vec::new(),
        }
        .with(&config.plugins)
    }

    fn with(mut self, plugins: &BTreeMap<String, PluginConfig>) -> Self {
        self.configured = self.completed(plugins);
        self
    }

    /// The sections of plugins with those of the mailer and of the local password, which need none
    /// of their own while their defaults are enough.
    fn completed(
        &self,
        plugins: &BTreeMap<String, PluginConfig>,
    ) -> BTreeMap<String, PluginConfig> {
        let mut configured = plugins.clone();
        let is_linked = |plugin: &Linked| plugin.name() == self.mailer;
        if self.linked.iter().any(is_linked) {
            configured.entry(self.mailer.clone()).or_default();
        }
        let is_local = |(name, config): (&String, &PluginConfig)| is_password(name, config);
        if !configured.iter().any(is_local) {
            configured.entry(PASSWORD.to_owned()).or_default();
        }
        configured
    }

    /// Starts every plugin that is turned on, and the mailer. A plugin whose section and file are
    /// the same as before is not started again; if one cannot be, all stay as they are.
    pub(crate) async fn load(&mut self) -> Result<Vec<PluginSlot>, LoadError> {
        self.load_as(self.configured.clone()).await
    }

    /// The same with other sections of plugins, which count from then on if all can be started.
    pub(crate) async fn load_with(
        &mut self,
        plugins: &BTreeMap<String, PluginConfig>,
    ) -> Result<Vec<PluginSlot>, LoadError> {
        self.load_as(self.completed(plugins)).await
    }

    async fn load_as(
        &mut self,
        configured: BTreeMap<String, PluginConfig>,
    ) -> Result<Vec<PluginSlot>, LoadError> {
        let mut loaded = Vec::new();
        for (name, config) in configured.iter().filter(|(_, config)| config.enabled) {
            let slot = match self.unchanged(name, config) {
                Some(slot) => slot,
                None => match self.start(name, config).await {
                    Ok(slot) => slot,
                    Err(error) => return Err(self.explained(name, config, error).await),
                },
            };
            loaded.push((config.clone(), slot));
        }
        let slots: Vec<PluginSlot> = loaded.iter().map(|(_, slot)| slot.clone()).collect();
        let mailer = &self.mailer;
        match slots.iter().find(|slot| slot.name == *mailer) {
            Some(slot) if slot.instance.mailer.is_some() => {}
            Some(_) => {
                return Err(LoadError(format!(
                    "`mail.mailer`: plugin `{mailer}` is not a mailer"
                )));
            }
            None => {
                return Err(LoadError(format!(
                    "`mail.mailer`: expected a plugin that is turned on, got `{mailer}`"
                )));
            }
        }
        (self.configured, self.loaded) = (configured, loaded);
        Ok(slots)
    }

    /// What is wrong with the plugins that are turned on and their configurations, a sentence each.
    /// No plugin of the server itself is started; a component is, as it has nothing to start with.
    pub(crate) async fn check(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        let configured = self.configured.clone();
        for (name, config) in configured.iter().filter(|(_, config)| config.enabled) {
            let about = |mistakes: Vec<String>| {
                mistakes
                    .into_iter()
                    .map(move |told| format!("plugin `{name}`: {told}"))
            };
            match self.told(name, config).await {
                Err(error) => found.push(error.0),
                Ok((schema, refusal)) => {
                    let mistakes = judged(name, config, schema.as_ref());
                    if mistakes.is_empty() {
                        found.extend(refusal);
                    }
                    found.extend(about(mistakes));
                }
            }
        }
        found
    }

    /// Why a plugin does not start, by the schema of its configuration if that says it better.
    async fn explained(
        &mut self,
        name: &str,
        config: &PluginConfig,
        error: LoadError,
    ) -> LoadError {
        let schema = self
            .told(name, config)
            .await
            .ok()
            .and_then(|(schema, _)| schema);
        let mistakes = judged(name, config, schema.as_ref());
        if mistakes.is_empty() {
            return error;
        }
        LoadError(format!("plugin `{name}`: {}", mistakes.join("; ")))
    }

    /// The schema of a plugin's configuration, if it has one, and why the plugin does not start, if
    /// that is known.
    async fn told(
        &mut self,
        name: &str,
        config: &PluginConfig,
    ) -> Result<(Option<serde_json::Value>, Option<String>), LoadError> {
        match &config.source {
            PluginSource::Builtin(other) => {
                let wanted = other.as_deref().unwrap_or(name);
                let plugin = self.linked.iter().find(|plugin| plugin.name() == wanted);
                let plugin = plugin.ok_or_else(|| unknown(name, wanted, &self.linked))?;
                Ok((plugin.schema(), None))
            }
            PluginSource::File(file) => {
                let trust = self.trust(config);
                let source = source(name, file, config, &trust);
                let host = PluginHost::new(name, capabilities(name, config)?);
                let seen = self.runtime()?.inspect(&source, host).await;
                let seen = seen.map_err(|error| LoadError(error.to_string()))?;
                let refusal = seen.manifest.err();
                let refusal =
                    refusal.map(|cause| format!("plugin `{name}`: `{}`: {cause}", file.display()));
                Ok((seen.schema, refusal))
            }
        }
    }

    /// The files that plugins are loaded from.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let turned_on = self.configured.values().filter(|config| config.enabled);
        let files = turned_on.filter_map(|config| match &config.source {
            PluginSource::File(file) => Some(file.clone()),
            PluginSource::Builtin(_) => None,
        });
        files.collect()
    }

    fn unchanged(&self, name: &str, config: &PluginConfig) -> Option<PluginSlot> {
        let (before, slot) = self.loaded.iter().find(|(_, slot)| slot.name == name)?;
        if before != config {
            return None;
        }
        match &config.source {
            PluginSource::Builtin(_) => Some(slot.clone()),
            PluginSource::File(file) => {
                let digest = roster_wasm::file_digest(file);
                (digest.is_some() && digest == slot.sha256).then(|| slot.clone())
            }
        }
    }

    async fn start(&mut self, name: &str, config: &PluginConfig) -> Result<PluginSlot, LoadError> {
        let mut capabilities = capabilities(name, config)?;
        capabilities.credentials = is_password(name, config);
        let host = PluginHost::new(name, capabilities.clone());
        let (instance, sha256, source) = match &config.source {
            PluginSource::Builtin(other) => {
                let wanted = other.as_deref().unwrap_or(name);
                let plugin = self.linked.iter().find(|plugin| plugin.name() == wanted);
                let plugin = plugin.ok_or_else(|| unknown(name, wanted, &self.linked))?;
                let started = plugin.start(config.config.clone(), Arc::clone(&host) as _);
                let started = started
                    .await
                    .map_err(|error| LoadError(format!("plugin `{name}`: {error}")))?;
                (started, None, "builtin".to_owned())
            }
            PluginSource::File(file) => {
                let loaded = self.component(name, file, config, &host).await?;
                let source = file.display().to_string();
                (loaded.instance, Some(loaded.sha256), source)
            }
        };
        if name == LOCAL && instance.auth_provider.is_some() {
            return Err(LoadError(format!(
                "`plugins.{name}`: expected another name, as `{LOCAL}` is the login with e-mail and password"
            )));
        }
        let manifest = &instance.manifest;
        check_manifest(manifest).map_err(|error| LoadError(format!("plugin `{name}`: {error}")))?;
        let (version, subscriptions) = (manifest.version.as_str(), manifest.subscriptions.len());
        tracing::info!(plugin = name, version, subscriptions, "plugin loaded");
        Ok(PluginSlot {
            name: name.to_owned(),
            capabilities,
            instance,
            priority: config.priority,
            on_failure: match config.on_failure {
                config::OnFailure::Reject => OnFailure::Reject,
                config::OnFailure::Skip => OnFailure::Skip,
            },
            timeout: if is_password(name, config) {
                config.timeout.max(HASHING)
            } else {
                config.timeout
            },
            host,
            source,
            sha256,
            login: login(&config.login),
        })
    }

    async fn component(
        &mut self,
        name: &str,
        file: &Path,
        config: &PluginConfig,
        host: &Arc<PluginHost>,
    ) -> Result<Loaded, LoadError> {
        let trust = self.trust(config);
        let source = source(name, file, config, &trust);
        let runtime = self.runtime()?;
        let loaded = runtime.load_from(&source, Arc::clone(host) as _).await;
        loaded.map_err(|error| LoadError(error.to_string()))
    }

    fn trust(&self, config: &PluginConfig) -> Trust {
        Trust {
            sha256: config.sha256.clone(),
            keys: self.host.public_keys.clone(),
            require_signed: self.host.require_signed,
        }
    }

    fn runtime(&mut self) -> Result<Arc<Runtime>, LoadError> {
        if let Some(runtime) = &self.runtime {
            return Ok(Arc::clone(runtime));
        }
        let settings = RuntimeSettings {
            cache_dir: self.cache.clone(),
            max_concurrent_calls: self.host.max_concurrent_calls,
        };
        let runtime = Runtime::new(settings).map_err(|error| LoadError(error.to_string()))?;
        self.runtime = Some(Arc::clone(&runtime));
        Ok(runtime)
    }
}

/// Whether it is the local password that is in the binary.
fn is_password(name: &str, config: &PluginConfig) -> bool {
    match &config.source {
        PluginSource::Builtin(other) => other.as_deref().unwrap_or(name) == PASSWORD,
        PluginSource::File(_) => false,
    }
}

fn judged(name: &str, config: &PluginConfig, schema: Option<&serde_json::Value>) -> Vec<String> {
    schema.map_or_else(Vec::new, |schema| {
        schema::mistakes(name, schema, &config.config)
    })
}

fn source<'a>(
    name: &'a str,
    file: &'a Path,
    config: &'a PluginConfig,
    trust: &'a Trust,
) -> Source<'a> {
    Source {
        name,
        file,
        config: &config.config,
        limits: limits(config),
        trust,
    }
}

fn limits(config: &PluginConfig) -> Limits {
    Limits {
        timeout: config.timeout,
        memory_bytes: config.memory.bytes(),
        instances: match config.instances {
            config::Instances::Fresh => Instances::Fresh,
            config::Instances::Pooled => Instances::Pooled,
        },
        ..Limits::default()
    }
}

fn login(config: &config::Login) -> LoginSettings {
    LoginSettings {
        label: config.label.clone(),
        icon: config.icon.clone(),
        mode: match config.mode {
            config::LoginMode::Session => Mode::Session,
            config::LoginMode::Cookie => Mode::Cookie,
        },
        registers: config.register,
        role: config.role,
        redirect_urls: config.redirect_urls.clone(),
    }
}

fn capabilities(name: &str, config: &PluginConfig) -> Result<Capabilities, LoadError> {
    let granted = &config.capabilities;
    if let Some(secret) = granted.secrets.iter().find(|secret| *secret != "password") {
        return Err(LoadError(format!(
            "`plugins.{name}.capabilities.secrets`: expected `password`, which is the only one, got `{secret}`"
        )));
    }
    Ok(Capabilities {
        fields_read: FieldNames::new(&granted.fields.read),
        fields_write: FieldNames::new(&granted.fields.write),
        http: granted.http.clone(),
        users: granted.users == UsersCapability::Read,
        store: granted.store,
        mail: granted.mail,
        secrets: FieldNames::new(&granted.secrets),
        credentials: false,
    })
}

fn unknown(name: &str, wanted: &str, linked: &[Linked]) -> LoadError {
    let known: Vec<String> = linked
        .iter()
        .map(|plugin| format!("`{}`", plugin.name()))
        .collect();
    LoadError(format!(
        "`plugins.{name}.source`: expected one of {}, got `{wanted}`",
        known.join(", ")
    ))
}
