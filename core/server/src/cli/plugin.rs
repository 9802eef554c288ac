use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// `roster plugin`
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Plugin {
    /// Makes the crate of a new plugin, with a test.
    New {
        /// The name: lower-case letters, digits and dashes.
        name: String,
        /// What kind of plugin it is.
        #[arg(long, value_enum, default_value_t = Kind::Hooks)]
        kind: Kind,
        /// Where the SDK is, when it is not to come from the registry.
        #[arg(long, value_name = "FOLDER")]
        sdk: Option<PathBuf>,
    },
    /// Builds the plugin in a folder as a component.
    Build {
        /// The folder of the crate.
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Runs the tests of a plugin, then builds it as a component and calls that: with a host that
    /// does nothing, and in a server of its own.
    Test {
        /// The folder of the crate.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// The plugin's configuration, as JSON.
        #[arg(long, value_name = "JSON", default_value = "{}")]
        with: String,
    },
    /// Says what a component is: kinds, version of the contract, what it imports and asks for.
    Inspect {
        /// The component.
        file: PathBuf,
        /// The plugin's configuration, as JSON.
        #[arg(long, value_name = "JSON", default_value = "{}")]
        with: String,
    },
    /// Lists the plugins of the configuration, in their order, with what they are and may.
    List,
    /// Has every running node read its sections of plugins again and load what changed.
    Reload,
}

/// What kind of plugin is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Code around writes and logins.
    Hooks,
    /// Sends mails.
    Mailer,
    /// Narrows what is permitted.
    Policy,
    /// Proves who somebody is.
    Auth,
}
