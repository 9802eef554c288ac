//! The composed configuration → each layer's own settings.

use std::io;
use std::path::PathBuf;

use roster_api::{ApiSettings, CookieSettings};
use roster_domain::query::PageLimits;
use roster_engine::{
    AccountSettings, FileSettings, Lockout, Mailing, OutboxSettings, PasswordSettings, Rate, Rates,
    RoleSettings, Settings, UserSettings,
};
use roster_storage::Location;

use crate::config::{
    self, Config, CookieSecure, DatabaseUrl, FileStorage, OnArchivedEmail, OnRoleDelete, SameSite,
};
use crate::secret_file;

/// Where the records are.
pub(crate) fn location(config: &Config) -> Location {
    match &config.database.url {
        DatabaseUrl::Sqlite(path) => Location::Sqlite(path.clone()),
        DatabaseUrl::Postgres(url) => Location::Postgres(url.clone()),
    }
}

/// Where compiled components are kept: beside the SQLite file, or in `data` of the working folder.
pub(crate) fn cache(config: &Config) -> Option<PathBuf> {
    let folder = match &config.database.url {
        DatabaseUrl::Sqlite(path) => path.parent().map(PathBuf::from).unwrap_or_default(),
        DatabaseUrl::Postgres(_) => PathBuf::from("data"),
    };
    std::path::absolute(folder.join("cache")).ok()
}

/// The engine's settings; makes the secret where there is none.
///
/// # Errors
/// When the secret's file cannot be read or made.
pub(crate) fn engine(config: &Config) -> io::Result<Settings> {
    let present = match (&config.auth.secret, &config.database.url) {
        (Some(secret), _) => secret.clone(),
        (None, DatabaseUrl::Sqlite(path)) => secret_file::read_or_make(path)?,
        (None, DatabaseUrl::Postgres(_)) => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "`auth.secret`: is missing",
            ));
        }
    };
    let previous = config.auth.previous_secrets.iter().cloned();
    let (auth, password) = (&config.auth, &config.auth.password);
    let kib = password.memory.bytes() / 1_024;
    Ok(Settings {
        secrets: std::iter::once(present).chain(previous).collect(),
        access_token_ttl: auth.access_token_ttl,
        refresh_token_ttl: auth.refresh_token_ttl,
        session_max_age: auth.session_max_age,
        refresh_grace: auth.refresh_grace,
        login_stall: auth.login_stall,
        accounts: accounts(config),
        password: PasswordSettings {
            memory_kib: u32::try_from(kib).unwrap_or(u32::MAX),
            iterations: password.iterations,
            parallelism: password.parallelism,
            max_concurrent: password.max_concurrent,
            min_length: password.min_length,
            reject_common: password.reject_common,
            require_current: password.require_current,
        },
        pages: PageLimits {
            default: config.query.default_limit,
            max: config.query.max_limit,
        },
        mail_from: config.mail.from.clone(),
        mailer: config.mail.mailer.clone(),
        outbox: OutboxSettings {
            retain: config.outbox.retain,
            max_attempts: config.outbox.max_attempts,
            backoff: config.outbox.backoff,
            max_backoff: config.outbox.max_backoff,
            lease: config.outbox.lease,
            retention: config.outbox.retention,
        },
        users: UserSettings {
            inherits: config.users.on_archived_email == OnArchivedEmail::Inherit,
            statuses: config.users.statuses.clone(),
            largest_import: config.users.import_max_size.bytes(),
        },
        roles: RoleSettings {
            suspends: config.roles.on_delete == OnRoleDelete::Suspend,
        },
        files: FileSettings {
            max_size: config.files.max_size.as_usize(),
            in_folder: config.files.storage == FileStorage::Folder,
            folder: config.files.folder.clone(),
        },
    })
}

fn accounts(config: &Config) -> AccountSettings {
    let auth = &config.auth;
    let mailing = |ttl, urls: &[String]| Mailing {
        ttl,
        urls: urls.to_vec(),
    };
    let rate = |rate: Option<config::Rate>| {
        let rate = rate.filter(|_| config.rate_limit.enabled)?;
        Some(Rate {
            count: rate.count,
            per: rate.per,
        })
    };
    AccountSettings {
        public_url: config.server.public_url.clone(),
        session_ttl: auth.session_ttl,
        lockout: match auth.lockout {
            config::Lockout::Suspend => Lockout::Suspend,
            config::Lockout::For(time) => Lockout::For(time),
        },
        register_stall: auth.register_stall,
        register_fields: config.users.register_fields.clone(),
        reset: mailing(auth.reset_token_ttl, &auth.reset_urls),
        invite: mailing(auth.invite_token_ttl, &auth.invite_urls),
        verify: mailing(auth.verify_token_ttl, &auth.verify_urls),
        rates: Rates {
            login: rate(config.rate_limit.login),
            register: rate(config.rate_limit.register),
            api: rate(config.rate_limit.api),
        },
        templates: config.mail.templates.clone(),
    }
}

/// What browsers are told about our cookies.
fn cookies(config: &Config) -> CookieSettings {
    let cookies = &config.auth.cookies;
    CookieSettings {
        refresh: cookies.refresh.clone(),
        session: cookies.session.clone(),
        is_secure: match cookies.secure {
            CookieSecure::Auto => config.server.public_url.starts_with("https:"),
            CookieSecure::Always => true,
            CookieSecure::Never => false,
        },
        same_site: match cookies.same_site {
            SameSite::Lax => "Lax",
            SameSite::Strict => "Strict",
            SameSite::None => "None",
        },
        domain: cookies.domain.clone(),
    }
}

/// The settings of the API.
pub(crate) fn api(config: &Config) -> ApiSettings {
    ApiSettings {
        public_url: config.server.public_url.clone(),
        max_body: config.server.max_body.as_usize(),
        trusted_proxies: config.server.trusted_proxies.clone(),
        cors_origins: config.server.cors_origins.clone(),
        query_tokens: config.auth.query_tokens,
        cookies: cookies(config),
        has_pages: config.server.pages,
    }
}
