//! The configuration: one root of typed sections, read from all its sources at once.
//!
//! Defaults, then `roster.toml`, then environment variables (`ROSTER__SECTION__KEY`), then
//! `--set` flags; a later source wins. The variables that OpenTelemetry defines stand between the
//! file and ours. Every mistake is reported, not only the first one, and a
//! key that nobody knows is a mistake too. In variables and flags every value is text: items of
//! lists stand between commas (or in a JSON array), and values of a plugin's own configuration
//! are JSON where they are that, else text.

mod admin;
mod auth;
mod cookies;
mod database;
mod files;
mod keys;
mod layers;
mod login;
mod mail;
mod mistake;
mod network;
mod open_telemetry;
mod password;
mod plugin;
mod plugin_host;
mod raw;
mod reader;
mod server;
mod shape;
#[cfg(test)]
mod tests;
mod traces;
mod units;
mod users;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use self::admin::Admin;
pub use self::auth::{Auth, Lockout};
pub use self::cookies::{CookieSecure, Cookies, SameSite};
pub use self::database::{Database, DatabaseUrl, Outbox};
pub use self::files::{FileStorage, Files};
pub use self::keys::KeyDoc;
pub use self::login::{Login, LoginMode};
pub use self::mail::Mail;
pub use self::mistake::{Mistake, Origin};
pub use self::password::Password;
pub use self::plugin::{
    Capabilities, FieldCapabilities, Instances, OnFailure, PluginConfig, PluginSource,
    UsersCapability,
};
pub use self::plugin_host::PluginHost;
pub use self::server::{Log, LogFormat, RateLimit, Server};
pub use self::traces::Traces;
pub use self::units::{ByteSize, Rate};
pub use self::users::{GraphQl, OnArchivedEmail, OnRoleDelete, Query, Roles, Users};
pub use roster_engine::Secret;

use self::layers::Layer;
use self::reader::Reader;

/// The whole configuration, valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[database]`
    pub database: Database,
    /// `[auth]`
    pub auth: Auth,
    /// `[admin]`, when it names somebody.
    pub admin: Option<Admin>,
    /// `[query]`
    pub query: Query,
    /// `[rate_limit]`
    pub rate_limit: RateLimit,
    /// `[mail]`
    pub mail: Mail,
    /// `[graphql]`
    pub graphql: GraphQl,
    /// `[users]`
    pub users: Users,
    /// `[roles]`
    pub roles: Roles,
    /// `[files]`
    pub files: Files,
    /// `[log]`
    pub log: Log,
    /// `[traces]`
    pub traces: Traces,
    /// `[outbox]`
    pub outbox: Outbox,
    /// `[plugin_host]`
    pub plugin_host: PluginHost,
    /// `[plugins.<name>]`, by name.
    pub plugins: BTreeMap<String, PluginConfig>,
}

/// Where a configuration is read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file named by the operator, which must exist; else `roster.toml` in the working
    /// directory is read if it is there.
    pub file: Option<PathBuf>,
    /// All environment variables; those that begin with `ROSTER__` are ours.
    pub environment: Vec<(String, String)>,
    /// Dotted keys and values from the command line.
    pub overrides: Vec<(String, String)>,
}

/// Reads the configuration from its sources.
///
/// # Errors
/// Every mistake in any of the sources.
pub fn load(sources: Sources) -> Result<Config, Vec<Mistake>> {
    let path = sources.file_path();
    let mut mistakes = Vec::new();
    match layers::collect(sources, &mut mistakes) {
        Ok(layers) => compose(layers, mistakes, path.parent().unwrap_or(Path::new(""))),
        Err(mistake) => Err(vec![mistake]),
    }
}

/// Every key there is, with its default and its meaning.
pub fn reference() -> Vec<KeyDoc> {
    keys::KEYS.to_vec()
}

fn compose(
    layers: Vec<Layer>,
    mistakes: Vec<Mistake>,
    folder: &Path,
) -> Result<Config, Vec<Mistake>> {
    let mut reader = Reader::over(layers, mistakes);
    let config = Config {
        server: Server::read(&mut reader),
        database: Database::read(&mut reader),
        auth: Auth::read(&mut reader),
        admin: Admin::read(&mut reader),
        query: Query::read(&mut reader),
        rate_limit: RateLimit::read(&mut reader),
        mail: Mail::read(&mut reader, folder),
        graphql: GraphQl::read(&mut reader),
        users: Users::read(&mut reader),
        roles: Roles::read(&mut reader),
        files: Files::read(&mut reader),
        log: Log::read(&mut reader),
        traces: Traces::read(&mut reader),
        outbox: Outbox::read(&mut reader),
        plugin_host: PluginHost::read(&mut reader),
        plugins: plugin::read_all(&mut reader, folder),
    };
    if config.database.url.is_postgres() && !reader.is_given("auth.secret") {
        let problem =
            "expected a secret of at least 32 bytes beside a PostgreSQL database, got none";
        reader.note("auth.secret", problem);
    }
    let mistakes = reader.into_mistakes();
    if mistakes.is_empty() {
        Ok(config)
    } else {
        Err(mistakes)
    }
}
