use super::Exported;
use super::bindings::base::exports::roster::plugin::lifecycle::Guest;
use super::call::start;
use crate::Plugin;
use crate::ready::ready;

impl<P: Plugin> Guest for Exported<P> {
    fn describe(config: String) -> Result<String, String> {
        let plugin: P = ready(start(&config)).map_err(|error| error.0)?;
        serde_json::to_string(&plugin.manifest()).map_err(|error| format!("manifest: {error}"))
    }
}
