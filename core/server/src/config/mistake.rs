//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::PathBuf;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: the built-in default, or nothing where something is needed.
    Default,
    /// In the configuration file.
    File(PathBuf),
    /// In an environment variable.
    Environment,
    /// In an environment variable of this name, which is not of our making.
    Variable(String),
    /// In a `--set` flag.
    Flag,
}

/// One mistake in the configuration.
///
/// Its `Display` names the key, where it was written, what was expected and what was found;
/// values of secret keys are never part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The dotted key; `None` when a source as a whole is at fault.
    pub key: Option<String>,
    /// Where the value was written.
    pub origin: Origin,
    /// What is wrong, as a fragment of a sentence.
    pub problem: String,
}

impl Mistake {
    /// A mistake at a key.
    pub(super) fn at(key: &str, origin: &Origin, problem: impl Into<String>) -> Self {
        Self {
            key: Some(key.to_owned()),
            origin: origin.clone(),
            problem: problem.into(),
        }
    }

    /// A mistake of a whole configuration file.
    pub(super) fn in_file(file: PathBuf, problem: impl Into<String>) -> Self {
        Self {
            key: None,
            origin: Origin::File(file),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(key) = &self.key {
            write!(out, "key `{key}`")?;
        }
        match &self.origin {
            Origin::Default => {}
            Origin::File(path) if self.key.is_some() => write!(out, " in `{}`", path.display())?,
            Origin::File(path) => write!(out, "file `{}`", path.display())?,
            Origin::Environment => {
                let key = self.key.as_deref().unwrap_or_default();
                write!(out, " in variable `{}`", variable(key))?;
            }
            Origin::Variable(name) => write!(out, " in variable `{name}`")?,
            Origin::Flag => write!(out, " in flag `--set`")?,
        }
        write!(out, ": {}", self.problem)
    }
}

/// The environment variable that sets `key`.
pub(super) fn variable(key: &str) -> String {
    format!(
        "ROSTER__{}",
        key.replace('.', "__").replace('-', "_").to_uppercase()
    )
}
