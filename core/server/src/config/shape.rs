//! Whether a source holds only keys that there are.

use figment::value::{Dict, Value};

use super::keys::{self, Place};
use super::mistake::{self, Mistake, Origin};

/// Takes out what the table of keys does not know, and notes it.
pub(super) fn prune(values: &mut Dict, prefix: &str, origin: &Origin, mistakes: &mut Vec<Mistake>) {
    values.retain(|name, value| {
        let path = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        if name.contains('.') && prefix != "plugins" {
            mistakes.push(unknown(
                &path.replace(name.as_str(), &format!("\"{name}\"")),
                origin,
            ));
            return false;
        }
        if prefix == "plugins" && !is_plugin_name(name) {
            let problem = format!("expected letters, digits, `-` and `_`, got `{name}`");
            mistakes.push(Mistake::at("plugins", origin, problem));
            return false;
        }
        let segments: Vec<&str> = path.split('.').collect();
        match (keys::place(&segments), value) {
            (Place::Key | Place::PluginConfig, _) => true,
            (Place::Section, Value::Dict(_, inner)) => {
                prune(inner, &path, origin, mistakes);
                true
            }
            (Place::Section, _) => {
                mistakes.push(Mistake::at(
                    &path,
                    origin,
                    "expected a table, this is a section",
                ));
                false
            }
            (Place::Unknown, _) => {
                mistakes.push(unknown(&path, origin));
                false
            }
        }
    });
}

fn is_plugin_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// The mistake that `key` is not known.
pub(super) fn unknown(key: &str, origin: &Origin) -> Mistake {
    let nearest = match origin {
        Origin::Environment => mistake::variable(&keys::nearest(key)),
        _ => keys::nearest(key),
    };
    Mistake::at(
        key,
        origin,
        format!("unknown key, the nearest known one is `{nearest}`"),
    )
}
