//! Configuration → loaded plugins. A plugin that cannot start stops the server.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use roster_engine::{Capabilities, FieldNames, OnFailure, PluginHost, PluginSlot, Registry};
use roster_sdk::{Host, Instance, Linked};
use roster_wasm::{Limits, Runtime, RuntimeSettings};

use crate::config::{self, PluginConfig, PluginSource};

/// Why a plugin cannot be used, in a sentence for the operator.
#[derive(Debug)]
pub(crate) struct LoadError(String);

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Starts every plugin that is turned on, and the mailer, and puts them in their order.
pub(crate) async fn load(
    configured: &BTreeMap<String, PluginConfig>,
    mailer: &str,
    linked: &[Linked],
    cache: Option<PathBuf>,
) -> Result<Registry, LoadError> {
    let mut loader = Loader {
        linked,
        cache,
        runtime: None,
    };
    let mut slots = Vec::new();
    for (name, config) in configured.iter().filter(|(_, config)| config.enabled) {
        let host: Arc<dyn Host> = Arc::new(PluginHost::new(name.as_str()));
        let instance = loader.start(name, config, Arc::clone(&host)).await?;
        slots.push(slot(name, config, instance, host)?);
    }
    // The mailer needs no section of its own while its defaults are enough.
    if !configured.contains_key(mailer) && linked.iter().any(|plugin| plugin.name() == mailer) {
        let config = PluginConfig::default();
        let host: Arc<dyn Host> = Arc::new(PluginHost::new(mailer));
        let instance = loader.start(mailer, &config, Arc::clone(&host)).await?;
        slots.push(slot(mailer, &config, instance, host)?);
    }
    match slots.iter().find(|slot| slot.name == mailer) {
        Some(slot) if slot.instance.mailer.is_some() => Ok(Registry::new(slots)),
        Some(_) => Err(LoadError(format!(
            "`mail.mailer`: plugin `{mailer}` is not a mailer"
        ))),
        None => Err(LoadError(format!(
            "`mail.mailer`: expected a plugin that is turned on, got `{mailer}`"
        ))),
    }
}

struct Loader<'a> {
    linked: &'a [Linked],
    cache: Option<PathBuf>,
    /// Made for the first component: without one there is no compiler in the process.
    runtime: Option<Arc<Runtime>>,
}

impl Loader<'_> {
    async fn start(
        &mut self,
        name: &str,
        config: &PluginConfig,
        host: Arc<dyn Host>,
    ) -> Result<Instance, LoadError> {
        match &config.source {
            PluginSource::Builtin(other) => {
                let wanted = other.as_deref().unwrap_or(name);
                let plugin = self.linked.iter().find(|plugin| plugin.name() == wanted);
                let plugin = plugin.ok_or_else(|| unknown(name, wanted, self.linked))?;
                plugin
                    .start(config.config.clone(), host)
                    .await
                    .map_err(|error| LoadError(format!("plugin `{name}`: {error}")))
            }
            PluginSource::File(file) => {
                let limits = Limits {
                    timeout: config.timeout,
                    memory_bytes: config.memory.bytes(),
                    ..Limits::default()
                };
                let runtime = self.runtime()?;
                let loaded = runtime
                    .load(name, file, config.config.clone(), limits, host)
                    .await;
                loaded.map_err(|error| LoadError(error.to_string()))
            }
        }
    }

    fn runtime(&mut self) -> Result<Arc<Runtime>, LoadError> {
        if let Some(runtime) = &self.runtime {
            return Ok(Arc::clone(runtime));
        }
        let settings = RuntimeSettings {
            cache_dir: self.cache.clone(),
            ..Default::default()
        };
        let runtime = Runtime::new(settings).map_err(|error| LoadError(error.to_string()))?;
        self.runtime = Some(Arc::clone(&runtime));
        Ok(runtime)
    }
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

fn slot(
    name: &str,
    config: &PluginConfig,
    instance: Instance,
    host: Arc<dyn Host>,
) -> Result<PluginSlot, LoadError> {
    let asked = config.capabilities.secrets.first();
    if let Some(secret) = asked {
        return Err(LoadError(format!(
            "`plugins.{name}.capabilities.secrets`: expected none, as no secret is given to plugins yet, got `{secret}`"
        )));
    }
    let manifest = &instance.manifest;
    let (version, subscriptions) = (manifest.version.as_str(), manifest.subscriptions.len());
    tracing::info!(plugin = name, version, subscriptions, "plugin loaded");
    Ok(PluginSlot {
        name: name.to_owned(),
        capabilities: Capabilities {
            fields_read: FieldNames::new(&config.capabilities.fields.read),
            fields_write: FieldNames::new(&config.capabilities.fields.write),
        },
        instance,
        priority: config.priority,
        on_failure: match config.on_failure {
            config::OnFailure::Reject => OnFailure::Reject,
            config::OnFailure::Skip => OnFailure::Skip,
        },
        timeout: config.timeout,
        host,
    })
}
