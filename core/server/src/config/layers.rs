//! The sources of a configuration, each checked for unknown keys before they are merged.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider, Source};

use super::Sources;
use super::keys::{self, KEYS, NAME, Place};
use super::mistake::{Mistake, Origin};
use super::open_telemetry;
use super::shape::{prune, unknown};

/// Marks values from environment variables.
pub(super) const ENVIRONMENT: &str = "environment";
/// Marks values from `--set` flags.
pub(super) const FLAGS: &str = "flags";

const PREFIX: &str = "ROSTER__";
const DEFAULT_FILE: &str = "roster.toml";

/// One source, as figment takes it.
pub(super) struct Layer {
    source: Source,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::from("configuration", self.source.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

impl Layer {
    /// These values, from this source.
    pub(super) const fn of(source: Source, values: Dict) -> Self {
        Self { source, values }
    }

    /// The default of every key, the keys of each named plugin included.
    pub(super) fn defaults(plugins: &[String]) -> Self {
        let mut values = Dict::new();
        for doc in KEYS.iter().filter(|doc| !doc.default.is_empty()) {
            if doc.key.contains(NAME) {
                for name in plugins {
                    let key = doc.key.replace(NAME, name);
                    insert(&mut values, &key, default_value(doc.default));
                }
            } else {
                insert(&mut values, doc.key, default_value(doc.default));
            }
        }
        Self {
            source: Source::from("defaults"),
            values,
        }
    }

    /// The text of a configuration file; a syntax error is the only mistake then.
    pub(super) fn file(
        path: &Path,
        text: &str,
        mistakes: &mut Vec<Mistake>,
    ) -> Result<Self, Mistake> {
        let table: toml::Table = toml::from_str(text).map_err(|error| {
            let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
            let line = before.matches('\n').count() + 1;
            let problem = format!(
                "expected TOML, line {line} is none: {}",
                error.message().trim()
            );
            Mistake::in_file(path.to_owned(), problem.replace('\n', ", "))
        })?;
        let mut values = table
            .into_iter()
            .map(|(key, value)| (key, from_toml(value)))
            .collect();
        prune(&mut values, "", &Origin::File(path.to_owned()), mistakes);
        Ok(Self {
            source: Source::File(path.to_owned()),
            values,
        })
    }

    /// Environment variables that begin with `ROSTER__`; plugin names are looked up in `known`.
    pub(super) fn environment(
        variables: Vec<(String, String)>,
        known: &[String],
        mistakes: &mut Vec<Mistake>,
    ) -> Self {
        let ours = variables
            .into_iter()
            .filter_map(|(name, text)| Some((key_of(name.strip_prefix(PREFIX)?, known), text)));
        let values = from_texts(ours, &Origin::Environment, mistakes);
        Self {
            source: Source::from(ENVIRONMENT),
            values,
        }
    }

    /// Overrides from the command line.
    pub(super) fn flags(overrides: Vec<(String, String)>, mistakes: &mut Vec<Mistake>) -> Self {
        let values = from_texts(overrides.into_iter(), &Origin::Flag, mistakes);
        Self {
            source: Source::from(FLAGS),
            values,
        }
    }
}

/// Reads all sources, the weakest first.
///
/// # Errors
/// A file that cannot be read as TOML, since nothing sensible can be said of the rest then.
pub(super) fn collect(
    sources: Sources,
    mistakes: &mut Vec<Mistake>,
) -> Result<Vec<Layer>, Mistake> {
    let path = sources.file_path();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && sources.file.is_none() => {
            String::new()
        }
        Err(error) => return Err(Mistake::in_file(path, format!("cannot be read: {error}"))),
    };
    let file = Layer::file(&path, &text, mistakes)?;
    let known = plugin_names(std::slice::from_ref(&file));
    let mut layers = vec![file];
    layers.extend(open_telemetry::layers(&sources.environment, mistakes));
    layers.push(Layer::environment(sources.environment, &known, mistakes));
    layers.push(Layer::flags(sources.overrides, mistakes));
    Ok(layers)
}

impl Sources {
    /// The file that is read: the named one, or `roster.toml` in the working directory.
    pub(crate) fn file_path(&self) -> PathBuf {
        self.file
            .clone()
            .unwrap_or_else(|| PathBuf::from(DEFAULT_FILE))
    }
}

/// The plugins that any of the layers names.
pub(super) fn plugin_names(layers: &[Layer]) -> Vec<String> {
    let sections = layers
        .iter()
        .filter_map(|layer| layer.values.get("plugins")?.as_dict());
    let mut names: Vec<String> = sections.flat_map(|dict| dict.keys().cloned()).collect();
    names.sort();
    names.dedup();
    names
}

/// The value of a default of the table.
pub(super) fn default_value(text: &str) -> Value {
    let value = toml::from_str::<toml::Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut table| table.remove("value"));
    value.map_or_else(|| Value::from(""), from_toml)
}

/// `SERVER__BIND` as `server.bind`; in a plugin's name `_` stands for whatever is known, or for `-`.
fn key_of(name: &str, known: &[String]) -> String {
    let lower = name.to_lowercase();
    let mut segments: Vec<String> = lower.split("__").map(str::to_owned).collect();
    if let [section, plugin, ..] = segments.as_mut_slice()
        && section == "plugins"
    {
        let same = known
            .iter()
            .find(|name| name.to_lowercase().replace('-', "_") == *plugin);
        *plugin = same.cloned().unwrap_or_else(|| plugin.replace('_', "-"));
    }
    segments.join(".")
}

fn from_texts(
    texts: impl Iterator<Item = (String, String)>,
    origin: &Origin,
    mistakes: &mut Vec<Mistake>,
) -> Dict {
    let mut values = Dict::new();
    for (key, text) in texts {
        let path: Vec<&str> = key.split('.').collect();
        let value = match keys::place(&path) {
            Place::Key if text.contains('\u{FFFD}') => {
                mistakes.push(Mistake::at(&key, origin, "expected UTF-8, got other bytes"));
                continue;
            }
            Place::Key if !key.ends_with(".config") => Value::from(text),
            Place::Key | Place::PluginConfig => loose(&text),
            Place::Section => {
                let problem = "expected one of its keys, this names a whole section";
                mistakes.push(Mistake::at(&key, origin, problem));
                continue;
            }
            Place::Unknown => {
                mistakes.push(unknown(&key, origin));
                continue;
            }
        };
        insert(&mut values, &key, value);
    }
    prune(&mut values, "", origin, mistakes);
    values
}

/// A value for a plugin, whose types we do not know: JSON where it is that, else text.
fn loose(text: &str) -> Value {
    let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
    json.and_then(|json| Value::serialize(json).ok())
        .unwrap_or_else(|| Value::from(text))
}

pub(super) fn insert(values: &mut Dict, key: &str, value: Value) {
    let Some((first, rest)) = key.split_once('.') else {
        values.insert(key.to_owned(), value);
        return;
    };
    let inner = values
        .entry(first.to_owned())
        .or_insert_with(|| Value::from(Dict::new()));
    if let Value::Dict(_, inner) = inner {
        insert(inner, rest, value);
    }
}

fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::from(flag),
        toml::Value::Datetime(time) => Value::from(time.to_string()),
        toml::Value::Array(items) => items.into_iter().map(from_toml).collect::<Vec<_>>().into(),
        toml::Value::Table(table) => {
            let dict: Dict = table.into_iter().map(|(k, v)| (k, from_toml(v))).collect();
            Value::from(dict)
        }
    }
}
