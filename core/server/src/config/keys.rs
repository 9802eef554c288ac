//! The one table of configuration keys: names, defaults and meanings.
//!
//! Checking for unknown keys, naming the nearest known one, the defaults and the documentation
//! are all read from here, so none of them can drift from the others.

/// One line of the documentation of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyDoc {
    /// The dotted name; `<name>` stands for the name an operator gives a plugin.
    pub key: &'static str,
    /// The default as it would be written in TOML; empty when the key has none.
    pub default: &'static str,
    /// What the key does, as a fragment of a sentence.
    pub meaning: &'static str,
}

/// The place of a plugin's own name in a key.
pub(super) const NAME: &str = "<name>";

const fn key(key: &'static str, default: &'static str, meaning: &'static str) -> KeyDoc {
    KeyDoc {
        key,
        default,
        meaning,
    }
}

/// Every key there is, in the order of the documentation. A default is TOML text.
#[rustfmt::skip]
pub(super) const KEYS: &[KeyDoc] = &[
    key("server.bind", r#""127.0.0.1:8055""#, "address and port to listen on; port 0 takes a free one"),
    key("server.public_url", r#""http://127.0.0.1:8055""#, "where clients reach the server; links in mails start with it"),
    key("server.trusted_proxies", "[]", "addresses or networks (CIDR) whose forwarded headers count"),
    key("server.max_body", r#""1MiB""#, "largest request body"),
    key("server.cors_origins", "[]", "origins that browsers may call from, such as `https://app.example.com`; `*` is refused"),
    key("server.pages", "true", "whether there are pages for people under `/admin`: log in, accept an invitation, reset a password"),
    key("server.shutdown_timeout", r#""30s""#, "how long running requests may take to finish at shutdown"),
    key("database.url", r#""sqlite://data/roster.db""#, "`sqlite://path` (three slashes: absolute) or `postgres://user:pass@host/db`"),
    key("auth.secret", "", "key of all tokens, at least 32 bytes; generated beside an SQLite database, required with PostgreSQL"),
    key("auth.previous_secrets", "[]", "earlier secrets that still decrypt what they encrypted"),
    key("auth.query_tokens", "false", "whether `?access_token=` is accepted"),
    key("auth.session_max_age", r#""30d""#, "longest life of a session, however often it is refreshed"),
    key("auth.lockout", r#""suspend""#, "what too many failed logins do: `suspend` the user, or lock for a duration"),
    key("auth.access_token_ttl", r#""15m""#, "life of an access token"),
    key("auth.refresh_token_ttl", r#""7d""#, "life of an unused refresh token"),
    key("auth.session_ttl", r#""1d""#, "life of an unused session cookie"),
    key("auth.refresh_grace", r#""10s""#, "how long a rotated refresh token still gives its successor; `0s` is never"),
    key("auth.login_stall", r#""500ms""#, "least time that a refused login takes"),
    key("auth.register_stall", r#""750ms""#, "least time that a registration takes"),
    key("auth.reset_token_ttl", r#""1h""#, "life of a mailed password reset"),
    key("auth.invite_token_ttl", r#""7d""#, "life of a mailed invitation"),
    key("auth.verify_token_ttl", r#""7d""#, "life of a mailed address verification"),
    key("auth.reset_urls", "[]", "pages that a password reset may link to (origin and path)"),
    key("auth.invite_urls", "[]", "pages that an invitation may link to (origin and path)"),
    key("auth.verify_urls", "[]", "pages that an address verification may link to (origin and path)"),
    key("auth.cookies.refresh", r#""roster_refresh_token""#, "name of the refresh token's cookie"),
    key("auth.cookies.session", r#""roster_session_token""#, "name of the session token's cookie"),
    key("auth.cookies.secure", r#""auto""#, "the Secure attribute: `true`, `false`, or `auto` (as `server.public_url` is https)"),
    key("auth.cookies.same_site", r#""lax""#, "the SameSite attribute: `lax`, `strict` or `none`"),
    key("auth.cookies.domain", r#""""#, "the Domain attribute; empty leaves it out"),
    key("auth.password.memory", r#""19MiB""#, "argon2id: memory of one hash"),
    key("auth.password.iterations", "2", "argon2id: passes over the memory"),
    key("auth.password.parallelism", "1", "argon2id: lanes"),
    key("auth.password.min_length", "8", "least characters of a new password"),
    key("auth.password.reject_common", "true", "whether common passwords are refused"),
    key("auth.password.require_current", "true", "whether changing one's own password needs the current one"),
    key("auth.password.max_concurrent", "0", "hashes computed at once; 0 is one less than the cores, at least 1"),
    key("admin.email", r#""""#, "the first administrator, made once on an empty database"),
    key("admin.password", r#""""#, "the first administrator's password"),
    key("query.default_limit", "100", "items of a list when the client names no limit; -1 is all"),
    key("query.max_limit", "-1", "most items of a list; -1 is no maximum"),
    key("rate_limit.enabled", "true", "whether requests are counted at all"),
    key("rate_limit.login", r#""10/1m""#, "logins for each client address; `0` is off"),
    key("rate_limit.register", r#""5/1m""#, "registrations for each client address; `0` is off"),
    key("rate_limit.api", r#""0""#, "requests for each client address; `0` is off"),
    key("mail.from", r#""no-reply@example.com""#, "sender of all mails"),
    key("mail.mailer", r#""log""#, "the plugin that sends mails"),
    key("mail.templates", r#""""#, "folder of mail templates, relative to the configuration file; empty takes the built-in ones"),
    key("graphql.introspection", "true", "whether the GraphQL schema can be asked for"),
    key("graphql.max_depth", "15", "deepest nesting of a GraphQL query"),
    key("graphql.max_complexity", "1000", "most fields of a GraphQL query"),
    key("users.on_archived_email", r#""reject""#, "a user made with an archived user's address: `reject`, or `inherit` revives that user"),
    key("users.register_fields", "[]", "fields that a registration or an invitation may set beside e-mail, password and names"),
    key("users.statuses", "[]", "statuses beside the six known ones; only `active` logs in"),
    key("users.import_max_size", r#""100MiB""#, "largest file of users that is taken in"),
    key("roles.on_delete", r#""suspend""#, "users of a deleted role: `suspend` them, or `keep` their status"),
    key("files.max_size", r#""5MiB""#, "largest file that can be uploaded"),
    key("files.storage", r#""database""#, "where the content of new files is kept: in the `database`, or in the `folder`"),
    key("files.folder", r#""data/files""#, "the folder of files, relative to the working directory; nodes of one database have to share it"),
    key("log.format", r#""pretty""#, "`pretty` for people or `json` for machines"),
    key("log.level", r#""info""#, "`error` to `trace` or `off`; also per target, as in `info,roster_storage=debug`"),
    key("traces.endpoint", r#""""#, "where spans are sent by OTLP over HTTP, such as `http://127.0.0.1:4318`, whose path is `/v1/traces` unless given; empty is off"),
    key("traces.service_name", r#""roster""#, "the name of this service in traces"),
    key("traces.sampling", "1.0", "the share of traces that is kept, from 0 to 1; what the caller decided in `traceparent` comes first"),
    key("traces.headers", "[]", "headers of every export as `name=value`, such as a key"),
    key("traces.timeout", r#""5s""#, "longest time of one export, and of sending what is left at shutdown"),
    key("outbox.retain", "false", "whether every event is kept, also those that nobody subscribes to"),
    key("outbox.max_attempts", "10", "deliveries tried before an event becomes a dead letter"),
    key("outbox.backoff", r#""1s""#, "pause after the first failed delivery; it doubles from then on"),
    key("outbox.max_backoff", r#""1h""#, "longest pause between two deliveries"),
    key("outbox.lease", r#""30s""#, "how long a node may take for one delivery"),
    key("outbox.retention", r#""30d""#, "how long told events are kept where they are, and dead letters; `0s` is for ever"),
    key("plugin_host.require_signed", "false", "whether a component has to be signed by one of `plugin_host.public_keys`"),
    key("plugin_host.public_keys", "[]", "ed25519 keys in base64 whose signatures (`FILE.wasm.sig`) count"),
    key("plugin_host.watch", "false", "whether plugins are loaded again when the file of a component or the configuration file changes"),
    key("plugin_host.max_concurrent_calls", "256", "calls of components that run at once; further ones wait"),
    key("plugins.<name>.source", r#""builtin""#, "`builtin` (of the same name), `builtin:NAME`, or a `.wasm` file relative to the configuration file"),
    key("plugins.<name>.enabled", "true", "whether the plugin is loaded"),
    key("plugins.<name>.priority", "100", "place in the order of hooks: lower runs earlier"),
    key("plugins.<name>.on_failure", r#""reject""#, "a hook that crashes or overruns: `reject` the request, or `skip` the hook"),
    key("plugins.<name>.timeout", r#""250ms""#, "longest time of one call"),
    key("plugins.<name>.memory", r#""64MiB""#, "most memory of one call"),
    key("plugins.<name>.sha256", r#""""#, "the SHA-256 the component has to have; empty takes any"),
    key("plugins.<name>.instances", r#""fresh""#, "a component's memory: `fresh` for each call, or `pooled` for guests that are slow to start"),
    key("plugins.<name>.capabilities.fields.read", "[]", "fields the plugin sees"),
    key("plugins.<name>.capabilities.fields.write", "[]", "fields the plugin may set"),
    key("plugins.<name>.capabilities.http", "[]", "origins the plugin may call, such as `https://idp.example.com`"),
    key("plugins.<name>.capabilities.users", r#""none""#, "`read` lets the plugin look up users"),
    key("plugins.<name>.capabilities.store", "false", "whether the plugin has a store of its own"),
    key("plugins.<name>.capabilities.mail", "false", "whether the plugin may send mails"),
    key("plugins.<name>.capabilities.secrets", "[]", "secrets the plugin sees in plain while they are being set: `password`"),
    key("plugins.<name>.login.label", r#""""#, "an auth provider's name for people"),
    key("plugins.<name>.login.icon", r#""""#, "an auth provider's icon"),
    key("plugins.<name>.login.mode", r#""session""#, "the cookie that a login by redirect ends in: `session`, or `cookie` for the refresh token"),
    key("plugins.<name>.login.register", "false", "whether somebody whom the provider knows and we do not becomes a user"),
    key("plugins.<name>.login.role", r#""""#, "the id of the role of such users; empty is none"),
    key("plugins.<name>.login.redirect_urls", "[]", "pages (origin and path) that a login may end on, beside those of `server.public_url`"),
    key("plugins.<name>.config", "{}", "given to the plugin as it is"),
];

/// Keys whose values no message shows.
const SECRETS: &[&str] = &[
    "database.url",
    "auth.secret",
    "auth.previous_secrets",
    "admin.password",
    "traces.endpoint",
    "traces.headers",
    "plugins.<name>.config",
];

/// What a dotted path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A key of the table.
    Key,
    /// A section that holds keys.
    Section,
    /// Something inside a plugin's own configuration.
    PluginConfig,
    /// Nothing known.
    Unknown,
}

/// Says what `path` names.
pub(super) fn place(path: &[&str]) -> Place {
    let mut place = Place::Unknown;
    for pattern in KEYS.iter().map(|doc| doc.key) {
        let mut segments = pattern.split('.');
        let matched = path
            .iter()
            .zip(&mut segments)
            .filter(|(a, b)| *b == NAME || *a == b)
            .count();
        let rest = segments.count();
        let length = pattern.split('.').count();
        if matched == path.len() {
            if rest == 0 {
                return Place::Key;
            }
            place = Place::Section;
        } else if matched == length && pattern.ends_with(".config") {
            return Place::PluginConfig;
        }
    }
    place
}

/// The default of the key that `path` names, as TOML text; empty when it has none.
pub(super) fn default_of(path: &str) -> &'static str {
    let pattern = pattern_of(path);
    KEYS.iter()
        .find(|doc| doc.key == pattern)
        .map_or("", |doc| doc.default)
}

/// Whether messages hide the value at `path`.
pub(super) fn is_secret(path: &str) -> bool {
    let pattern = pattern_of(path);
    SECRETS.iter().any(|secret| pattern.starts_with(secret))
}

fn pattern_of(path: &str) -> String {
    let mut segments: Vec<&str> = path.split('.').collect();
    if let ["plugins", name, ..] = segments.as_mut_slice() {
        *name = NAME;
    }
    segments.join(".")
}

/// The known key or section that comes nearest to an unknown path.
///
/// A key of the same name in another section counts almost as much as a slip of the fingers.
pub(super) fn nearest(path: &str) -> String {
    let own_last = path.rsplit('.').next().unwrap_or(path);
    let mut best = (0.0, String::new());
    for candidate in candidates(path) {
        let last = candidate.rsplit('.').next().unwrap_or(&candidate);
        let whole = strsim::normalized_damerau_levenshtein(path, &candidate);
        let tail = strsim::normalized_damerau_levenshtein(own_last, last) * 0.9;
        if whole.max(tail) > best.0 {
            best = (whole.max(tail), candidate);
        }
    }
    best.1
}

fn candidates(path: &str) -> Vec<String> {
    let plugin = path
        .strip_prefix("plugins.")
        .and_then(|rest| rest.split('.').next());
    let mut found = Vec::new();
    for pattern in KEYS.iter().map(|doc| doc.key) {
        let known = match (pattern.starts_with("plugins."), plugin) {
            (true, Some(name)) => pattern.replace(NAME, name),
            (false, None) => pattern.to_owned(),
            (true, None) => "plugins".to_owned(),
            (false, Some(_)) => continue,
        };
        let ends = known
            .match_indices('.')
            .map(|(at, _)| at)
            .chain([known.len()]);
        for candidate in ends.map(|end| known[..end].to_owned()) {
            if !found.contains(&candidate) {
                found.push(candidate);
            }
        }
    }
    found
}
