//! `[plugin_host]`: what holds for all components.

use roster_wasm::PublicKey;

use super::raw::{Bad, flag, list, whole};
use super::reader::Reader;

/// `[plugin_host]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginHost {
    /// Whether a component has to be signed.
    pub require_signed: bool,
    /// Whose signatures count.
    pub public_keys: Vec<PublicKey>,
    /// Whether plugins are loaded again when a file changes: a component or the configuration.
    pub watch: bool,
    /// How many calls of components run at once.
    pub max_concurrent_calls: u32,
}

impl PluginHost {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let host = Self {
            require_signed: reader.read("plugin_host.require_signed", flag),
            public_keys: reader.read("plugin_host.public_keys", list(public_key)),
            watch: reader.read("plugin_host.watch", flag),
            max_concurrent_calls: reader
                .read("plugin_host.max_concurrent_calls", whole(1..=100_000)),
        };
        if host.require_signed
            && host.public_keys.is_empty()
            && !reader.is_mistaken("plugin_host.public_keys")
        {
            let problem = "expected a key beside `require_signed`, got none";
            reader.note("plugin_host.public_keys", problem);
        }
        host
    }
}

fn public_key(text: &str) -> Result<PublicKey, Bad> {
    PublicKey::parse(text).ok_or_else(|| Bad::expected("an ed25519 key: 32 bytes in base64"))
}
