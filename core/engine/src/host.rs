//! What plugins may ask of the server: the one implementation behind native plugins and components.

use roster_sdk::{Host, Level};

/// The host as one plugin sees it.
#[derive(Debug, Clone)]
pub struct PluginHost {
    plugin: String,
}

impl PluginHost {
    /// The host for the plugin of this name.
    pub fn new(plugin: impl Into<String>) -> Self {
        Self {
            plugin: plugin.into(),
        }
    }
}

impl Host for PluginHost {
    fn log(&self, level: Level, message: &str) {
        let plugin = self.plugin.as_str();
        match level {
            Level::Debug => tracing::debug!(plugin, message, "plugin log"),
            Level::Info => tracing::info!(plugin, message, "plugin log"),
            Level::Warn => tracing::warn!(plugin, message, "plugin log"),
            Level::Error => tracing::error!(plugin, message, "plugin log"),
        }
    }
}
