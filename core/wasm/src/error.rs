use std::fmt;
use std::path::PathBuf;

/// Why components cannot be used, in a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// The engine itself cannot be made.
    Engine {
        /// What is in the way.
        reason: String,
    },
    /// A plugin cannot be loaded.
    Plugin {
        /// The name configuration gives it.
        name: String,
        /// Its file.
        file: PathBuf,
        /// What is wrong with it.
        cause: LoadCause,
    },
}

/// What is wrong with a plugin's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadCause {
    /// There is no such file.
    NotFound,
    /// It cannot be read.
    Unreadable(String),
    /// It has more than so many bytes.
    TooLarge(u64),
    /// It is not a component, or not a valid one.
    NotAComponent(String),
    /// It imports what this server does not offer.
    Missing(Vec<String>),
    /// It exports no kind of plugin.
    NoKind,
    /// It exports this in another form than this server knows.
    OtherAbi(String),
    /// It refuses to start with its configuration.
    Refused(String),
    /// It crashed, or exceeded its limits, while it said what it is.
    Failed(String),
    /// Its manifest cannot be read.
    Manifest(String),
    /// The schema of its configuration cannot be read.
    Schema(String),
    /// It is another file than the one that was pinned.
    OtherDigest {
        /// The SHA-256 that configuration names.
        expected: String,
        /// The SHA-256 it has.
        found: String,
    },
    /// It has no signature, and has to have one.
    Unsigned,
    /// Its signature is not that of a trusted key over this file.
    BadSignature,
}

impl LoadError {
    pub(crate) fn engine(reason: impl Into<String>) -> Self {
        Self::Engine {
            reason: reason.into(),
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine { reason } => write!(f, "WASM engine: {reason}"),
            Self::Plugin { name, file, cause } => {
                write!(f, "plugin `{name}`: `{}`: {cause}", file.display())
            }
        }
    }
}

impl std::error::Error for LoadError {}

impl fmt::Display for LoadCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such file"),
            Self::Unreadable(reason) => write!(f, "cannot be read: {reason}"),
            Self::TooLarge(bytes) => write!(f, "larger than {} MiB", bytes >> 20),
            Self::NotAComponent(reason) => write!(f, "not a WASM component: {reason}"),
            Self::Missing(names) => {
                write!(
                    f,
                    "needs what this server does not offer: `{}`",
                    names.join("`, `")
                )
            }
            Self::NoKind => f.write_str(
                "exports no kind of plugin: expected hooks, mailer, policy or auth-provider",
            ),
            Self::OtherAbi(export) => {
                write!(f, "exports `{export}`, expected roster:plugin of version 1")
            }
            Self::Refused(reason) => write!(f, "does not start: {reason}"),
            Self::Failed(reason) => write!(f, "cannot say what it is: {reason}"),
            Self::Manifest(reason) => write!(f, "manifest: {reason}"),
            Self::Schema(reason) => write!(f, "schema of its configuration: {reason}"),
            Self::OtherDigest { expected, found } => {
                write!(f, "expected the SHA-256 `{expected}`, got `{found}`")
            }
            Self::Unsigned => f.write_str("has no signature: expected one in a `.sig` beside it"),
            Self::BadSignature => f.write_str("has no signature of a trusted key"),
        }
    }
}
