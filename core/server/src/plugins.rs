//! Configuration → loaded plugins. A plugin that cannot start stops the server.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use roster_engine::{Capabilities, FieldNames, OnFailure, PluginHost, PluginSlot};
use roster_sdk::Linked;
use roster_wasm::{Instances, Limits, Loaded, Runtime, RuntimeSettings, Source, Trust};

use crate::config::{self, Config, PluginConfig, PluginSource, UsersCapability};

/// Why a plugin cannot be used, in a sentence for the operator.
#[derive(Debug)]
pub(crate) struct LoadError(String);

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
    loaded: Vec<PluginSlot>,
}

impl Loader {
    /// Nothing is loaded yet.
    pub(crate) fn new(config: &Config, linked: Vec<Linked>, cache: Option<PathBuf>) -> Self {
        let mailer = config.mail.mailer.clone();
        let mut configured = config.plugins.clone();
        // The mailer needs no section of its own while its defaults are enough.
        if linked.iter().any(|plugin| plugin.name() == mailer) {
            configured.entry(mailer.clone()).or_default();
        }
        Self {
            configured,
            mailer,
            linked,
            host: config.plugin_host.clone(),
            cache,
            runtime: None,
            loaded: Vec::new(),
        }
    }

    /// Starts every plugin that is turned on, and the mailer. A plugin whose file is the same as
    /// before is not started again; if one cannot be, all stay as they are.
    pub(crate) async fn load(&mut self) -> Result<Vec<PluginSlot>, LoadError> {
        let mut slots = Vec::new();
        let configured = self.configured.clone();
        for (name, config) in configured.iter().filter(|(_, config)| config.enabled) {
            slots.push(match self.unchanged(name, config) {
                Some(slot) => slot,
                None => self.start(name, config).await?,
            });
        }
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
        self.loaded.clone_from(&slots);
        Ok(slots)
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
        let slot = self.loaded.iter().find(|slot| slot.name == name)?;
        match &config.source {
            PluginSource::Builtin(_) => Some(slot.clone()),
            PluginSource::File(file) => {
                let digest = roster_wasm::file_digest(file);
                (digest.is_some() && digest == slot.sha256).then(|| slot.clone())
            }
        }
    }

    async fn start(&mut self, name: &str, config: &PluginConfig) -> Result<PluginSlot, LoadError> {
        let capabilities = capabilities(name, config)?;
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
        let manifest = &instance.manifest;
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
            timeout: config.timeout,
            host,
            source,
            sha256,
        })
    }

    async fn component(
        &mut self,
        name: &str,
        file: &Path,
        config: &PluginConfig,
        host: &Arc<PluginHost>,
    ) -> Result<Loaded, LoadError> {
        let trust = Trust {
            sha256: config.sha256.clone(),
            keys: self.host.public_keys.clone(),
            require_signed: self.host.require_signed,
        };
        let source = Source {
            name,
            file,
            config: &config.config,
            limits: limits(config),
            trust: &trust,
        };
        let runtime = self.runtime()?;
        let loaded = runtime.load_from(&source, Arc::clone(host) as _).await;
        loaded.map_err(|error| LoadError(error.to_string()))
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

fn capabilities(name: &str, config: &PluginConfig) -> Result<Capabilities, LoadError> {
    let granted = &config.capabilities;
    if let Some(secret) = granted.secrets.first() {
        return Err(LoadError(format!(
            "`plugins.{name}.capabilities.secrets`: expected none, as no secret is given to plugins yet, got `{secret}`"
        )));
    }
    Ok(Capabilities {
        fields_read: FieldNames::new(&granted.fields.read),
        fields_write: FieldNames::new(&granted.fields.write),
        http: granted.http.clone(),
        users: granted.users == UsersCapability::Read,
        store: granted.store,
        mail: granted.mail,
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
