use crate::database::Database;

/// The address of the first administrator of every test server.
pub const ADMIN: &str = "admin@example.com";
/// The password of everybody on a test server.
pub const PASSWORD: &str = "correct horse battery";
/// What the tokens of every test server are signed with.
pub const SECRET: &str = "a secret for tests and for nothing but tests";

/// What a server is told in any case: a free port, and its database.
pub(crate) fn bare(database: &Database) -> String {
    format!(
        r#"
[server]
bind = "127.0.0.1:0"

[database]
url = "{}"
"#,
        database.url()
    )
}

/// What every test server is told beside that: hashes that cost nothing, refusals that come at
/// once, deliveries that are tried again soon.
pub(crate) fn usual() -> String {
    format!(
        r#"
[auth]
secret = "{SECRET}"
login_stall = "1ms"
register_stall = "1ms"

[auth.password]
memory = "64KiB"
iterations = 1
parallelism = 1
max_concurrent = 4

[admin]
email = "{ADMIN}"
password = "{PASSWORD}"

[rate_limit]
enabled = false

[outbox]
backoff = "10ms"
max_backoff = "50ms"
"#
    )
}
