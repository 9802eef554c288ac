//! `[plugins.<name>]`: what is loaded, in which order, and what it may do.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::value::Value;

use super::login::Login;
use super::network::origin;
use super::raw::{Bad, Raw, any_text, choice, flag, list, text_or_none, whole};
use super::reader::Reader;
use super::units::{ByteSize, positive, size};

/// `[plugins.<name>]`
///
/// `Debug` does not show the plugin's own configuration, which may hold secrets.
#[derive(Clone, PartialEq)]
pub struct PluginConfig {
    /// Where the plugin comes from.
    pub source: PluginSource,
    /// Whether it is loaded.
    pub enabled: bool,
    /// Its place in the order of hooks: lower runs earlier.
    pub priority: i32,
    /// What a hook does that crashes or overruns.
    pub on_failure: OnFailure,
    /// Longest time of one call.
    pub timeout: Duration,
    /// Most memory of one call.
    pub memory: ByteSize,
    /// The SHA-256 its file has to have, if it is pinned.
    pub sha256: Option<String>,
    /// What its calls run in.
    pub instances: Instances,
    /// What it may do; nothing unless said.
    pub capabilities: Capabilities,
    /// What logins by it come to, if it is an auth provider.
    pub login: Login,
    /// Its own configuration: always an object.
    pub config: serde_json::Value,
}

/// Where a plugin comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginSource {
    /// Linked into the binary, under the given name or that of its section.
    Builtin(Option<String>),
    /// A component.
    File(PathBuf),
}

/// What the calls of a component run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instances {
    /// Each in a memory of its own.
    Fresh,
    /// In memories that served other calls.
    Pooled,
}

/// What a hook does that crashes or overruns its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The request is refused.
    Reject,
    /// The hook is left out, and that is logged.
    Skip,
}

/// `[plugins.<name>.capabilities]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Which fields it sees and sets.
    pub fields: FieldCapabilities,
    /// The origins it may call, in lower case and without a slash.
    pub http: Vec<String>,
    /// Whether it may look up users.
    pub users: UsersCapability,
    /// Whether it has a store of its own.
    pub store: bool,
    /// Whether it may send mails.
    pub mail: bool,
    /// Secrets it sees in plain while they are being set: `password`.
    pub secrets: Vec<String>,
}

/// The fields a plugin sees and sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldCapabilities {
    /// The fields it sees.
    pub read: Vec<String>,
    /// The fields it may set.
    pub write: Vec<String>,
}

/// Whether a plugin may look up users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsersCapability {
    /// It may not.
    None,
    /// It may read them.
    Read,
}

/// Reads every plugin's section; `folder` is where relative paths start.
pub(super) fn read_all(reader: &mut Reader, folder: &Path) -> BTreeMap<String, PluginConfig> {
    let names = reader.names_in("plugins");
    names
        .into_iter()
        .map(|name| (name.clone(), PluginConfig::read(reader, &name, folder)))
        .collect()
}

impl PluginConfig {
    fn read(reader: &mut Reader, name: &str, folder: &Path) -> Self {
        const FAILURE: &[(&str, OnFailure)] =
            &[("reject", OnFailure::Reject), ("skip", OnFailure::Skip)];
        const INSTANCES: &[(&str, Instances)] =
            &[("fresh", Instances::Fresh), ("pooled", Instances::Pooled)];
        let at = |key: &str| format!("plugins.{name}.{key}");
        let source = |raw: &Raw<'_>| source(raw, folder);
        Self {
            source: reader.read(&at("source"), source),
            enabled: reader.read(&at("enabled"), flag),
            priority: reader.read(&at("priority"), whole(i32::MIN.into()..=i32::MAX.into())),
            on_failure: reader.read(&at("on_failure"), choice(FAILURE)),
            timeout: reader.read(&at("timeout"), positive),
            memory: reader.read(&at("memory"), memory),
            sha256: reader.read(&at("sha256"), digest),
            instances: reader.read(&at("instances"), choice(INSTANCES)),
            capabilities: Capabilities::read(reader, &at("capabilities")),
            login: Login::read(reader, &at("login")),
            config: reader.read(&at("config"), object),
        }
    }
}

impl Capabilities {
    fn read(reader: &mut Reader, section: &str) -> Self {
        const USERS: &[(&str, UsersCapability)] = &[
            ("none", UsersCapability::None),
            ("read", UsersCapability::Read),
        ];
        let at = |key: &str| format!("{section}.{key}");
        Self {
            fields: FieldCapabilities {
                read: reader.read(&at("fields.read"), list(any_text)),
                write: reader.read(&at("fields.write"), list(any_text)),
            },
            http: reader.read(&at("http"), list(origin)),
            users: reader.read(&at("users"), choice(USERS)),
            store: reader.read(&at("store"), flag),
            mail: reader.read(&at("mail"), flag),
            secrets: reader.read(&at("secrets"), list(any_text)),
        }
    }
}

fn source(raw: &Raw<'_>, folder: &Path) -> Result<PluginSource, Bad> {
    const EXPECTED: &str = "`builtin`, `builtin:NAME` or the path of a `.wasm` file";
    let text = raw.text(EXPECTED)?;
    let path = Path::new(text);
    match text.strip_prefix("builtin:") {
        _ if text == "builtin" => Ok(PluginSource::Builtin(None)),
        Some(name) if !name.is_empty() => Ok(PluginSource::Builtin(Some(name.to_owned()))),
        None if path
            .extension()
            .is_some_and(|extension| extension == "wasm") =>
        {
            Ok(PluginSource::File(folder.join(path)))
        }
        _ => Err(Bad::expected(EXPECTED)),
    }
}

/// A SHA-256 in hexadecimal.
fn digest(raw: &Raw<'_>) -> Result<Option<String>, Bad> {
    let text = text_or_none(raw)?.map(|text| text.to_ascii_lowercase());
    let is_digest =
        |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text {
        Some(text) if !is_digest(&text) => Err(Bad::expected("a SHA-256: 64 hexadecimal digits")),
        text => Ok(text),
    }
}

/// A component's memory grows in pages of 64 KiB.
fn memory(raw: &Raw<'_>) -> Result<ByteSize, Bad> {
    let found = size(raw)?;
    let fits = (64 << 10..=4 << 30).contains(&found.bytes());
    if fits {
        Ok(found)
    } else {
        Err(Bad::expected("a size from `64KiB` to `4GiB`"))
    }
}

fn object(raw: &Raw<'_>) -> Result<serde_json::Value, Bad> {
    match raw.value {
        Value::Dict(..) => serde_json::to_value(raw.value)
            .map_err(|_| Bad::expected("a table that can be written as JSON")),
        _ => Err(Bad::expected("a table")),
    }
}

impl Default for PluginConfig {
    /// What an empty section means.
    fn default() -> Self {
        Self {
            source: PluginSource::Builtin(None),
            enabled: true,
            priority: 100,
            on_failure: OnFailure::Reject,
            timeout: Duration::from_millis(250),
            memory: ByteSize::from_bytes(64 << 20),
            sha256: None,
            instances: Instances::Fresh,
            capabilities: Capabilities {
                fields: FieldCapabilities {
                    read: Vec::new(),
                    write: Vec::new(),
                },
                http: Vec::new(),
                users: UsersCapability::None,
                store: false,
                mail: false,
                secrets: Vec::new(),
            },
            login: Login::default(),
            config: serde_json::Value::Object(serde_json::Map::new()),
        }
    }
}

impl fmt::Debug for PluginConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PluginConfig")
            .field("source", &self.source)
            .field("enabled", &self.enabled)
            .field("priority", &self.priority)
            .field("on_failure", &self.on_failure)
            .field("timeout", &self.timeout)
            .field("memory", &self.memory)
            .field("sha256", &self.sha256)
            .field("instances", &self.instances)
            .field("capabilities", &self.capabilities)
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}
