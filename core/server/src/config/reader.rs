//! Takes one key after the other out of the merged sources and collects the mistakes.

use figment::value::{Dict, Value};
use figment::{Figment, Source};

use super::keys;
use super::layers::{self, Layer};
use super::mistake::{Mistake, Origin};
use super::raw::{Bad, Raw};

/// The merged sources, and what was found wrong with them so far.
pub(super) struct Reader {
    sources: Figment,
    merged: Value,
    mistakes: Vec<Mistake>,
}

impl Reader {
    /// Merges the layers, a later one over an earlier one.
    pub(super) fn over(layers: Vec<Layer>, mistakes: Vec<Mistake>) -> Self {
        let defaults = Layer::defaults(&layers::plugin_names(&layers));
        let sources = layers
            .into_iter()
            .fold(Figment::from(defaults), Figment::merge);
        let merged = sources
            .find_value("")
            .unwrap_or_else(|_| Value::from(Dict::new()));
        Self {
            sources,
            merged,
            mistakes,
        }
    }

    /// Takes the value at `path`; a bad one is noted, and the default stands in for it.
    pub(super) fn read<T>(&mut self, path: &str, parse: impl Fn(&Raw<'_>) -> Result<T, Bad>) -> T {
        self.read_if_given(path, &parse).unwrap_or_else(|| {
            let value = layers::default_value(keys::default_of(path));
            parse(&Raw {
                value: &value,
                origin: &Origin::Default,
            })
            .unwrap_or_else(|bad| panic!("the default of `{path}` is no {}", bad.expected))
        })
    }

    /// Takes the value at `path`; none when there is none or a bad one, which is noted.
    pub(super) fn read_if_given<T>(
        &mut self,
        path: &str,
        parse: impl Fn(&Raw<'_>) -> Result<T, Bad>,
    ) -> Option<T> {
        let value = self.merged.find_ref(path)?;
        let origin = self.origin_of(value);
        let raw = Raw {
            value,
            origin: &origin,
        };
        let bad = match parse(&raw) {
            Ok(parsed) => return Some(parsed),
            Err(bad) => bad,
        };
        let got = if keys::is_secret(path) {
            "a value that is not shown here".to_owned()
        } else {
            bad.got.unwrap_or_else(|| raw.describe())
        };
        let problem = format!("expected {}, got {got}", bad.expected);
        self.mistakes.push(Mistake::at(path, &origin, problem));
        None
    }

    /// Notes a mistake that shows only when several keys are seen together.
    pub(super) fn note(&mut self, path: &str, problem: impl Into<String>) {
        let origin = self.origin(path);
        self.mistakes.push(Mistake::at(path, &origin, problem));
    }

    /// Where the value at `path` was written.
    pub(super) fn origin(&self, path: &str) -> Origin {
        self.merged
            .find_ref(path)
            .map_or(Origin::Default, |value| self.origin_of(value))
    }

    /// Whether any source but the defaults has a value at `path`.
    pub(super) fn is_given(&self, path: &str) -> bool {
        self.origin(path) != Origin::Default
    }

    /// Whether a mistake was noted at `path`.
    pub(super) fn is_mistaken(&self, path: &str) -> bool {
        self.mistakes
            .iter()
            .any(|mistake| mistake.key.as_deref() == Some(path))
    }

    /// The names in the section at `path`.
    pub(super) fn names_in(&self, path: &str) -> Vec<String> {
        let section = self.merged.find_ref(path).and_then(Value::as_dict);
        section
            .map(|dict| dict.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// The mistakes, at the end.
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes
    }

    fn origin_of(&self, value: &Value) -> Origin {
        let metadata = self.sources.get_metadata(value.tag());
        match metadata.and_then(|metadata| metadata.source.as_ref()) {
            Some(Source::File(path)) => Origin::File(path.clone()),
            Some(Source::Custom(kind)) if kind == layers::ENVIRONMENT => Origin::Environment,
            Some(Source::Custom(kind)) if kind == layers::FLAGS => Origin::Flag,
            Some(Source::Custom(name)) if name.starts_with("OTEL_") => {
                Origin::Variable(name.clone())
            }
            _ => Origin::Default,
        }
    }
}
