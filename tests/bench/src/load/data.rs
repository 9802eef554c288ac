//! The data: made once by Roster itself, then copied, so that both servers have their own.

use std::io;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor, PgConnection};
use uuid::Uuid;

use crate::http::{self, Connection};
use crate::options::{Kind, Options};
use crate::program::{ADMINISTRATOR, PASSWORD, Roster};
use crate::server::Server;

/// Users that are administrators, so that connections need not share one.
const DRIVERS: u32 = 64;

/// Two equal databases and who may log in to them.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) roster: String,
    pub(crate) bare: String,
    pub(crate) folder: PathBuf,
    /// An access token for each connection, each of another administrator.
    pub(crate) tokens: Vec<String>,
}

impl Data {
    /// Makes both databases.
    pub(crate) async fn make(options: &Options, kind: Kind) -> io::Result<Self> {
        let folder = folder(options, kind);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        // Configuration files may stand anywhere: paths in them have to be absolute.
        let folder = folder.canonicalize()?;
        let [seed, roster, bare] = urls(options, kind, &folder);
        if kind == Kind::Postgres {
            drop_databases(options).await?;
            command(
                &options.postgres,
                &format!("CREATE DATABASE {}", name("seed")),
            )
            .await?;
        }
        let program = Roster {
            binary: options.roster.clone(),
            folder: folder.join("seed"),
            database: seed.clone(),
            log: "level = \"warn\"".to_owned(),
            plugins: None,
        };
        let log = folder.join("seed.log");
        let ping = http::get("/server/ping", "none");
        let server = Server::start(&program, Some(&log), &open(&ping)).await?;
        fill(kind, &seed, options.users).await?;
        let tokens = log_in(&server, options.connections).await?;
        server.stop().await?;
        copy(options, kind, &seed, &folder).await?;
        Ok(Self {
            roster,
            bare,
            folder,
            tokens,
        })
    }

    /// The id of a user; the first ones are administrators.
    pub(crate) const fn user(number: u32) -> Uuid {
        Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0000 | number as u128)
    }

    /// Removes what was made for this kind of database.
    pub(crate) async fn remove(options: &Options, kind: Kind) -> io::Result<()> {
        if kind == Kind::Postgres {
            drop_databases(options).await?;
        }
        match std::fs::remove_dir_all(folder(options, kind)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The address of a user whom [`Data::user`] numbers.
pub(crate) fn address(number: u32) -> String {
    format!("user{number}@bench.example")
}

/// The request without its token: a wrong one fails every route.
fn open(request: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    text.replace("Authorization: Bearer none\r\n", "")
        .into_bytes()
}

fn folder(options: &Options, kind: Kind) -> PathBuf {
    options.out.join(format!("data-{}", kind.as_str()))
}

fn name(of: &str) -> String {
    format!("roster_bench_{}_{of}", std::process::id())
}

fn urls(options: &Options, kind: Kind, folder: &Path) -> [String; 3] {
    ["seed", "roster", "bare"].map(|of| match kind {
        Kind::Sqlite => format!("sqlite://{}", folder.join(format!("{of}.db")).display()),
        Kind::Postgres => with_database(&options.postgres, &name(of)),
    })
}

/// The URL with another database in it.
fn with_database(url: &str, database: &str) -> String {
    let (place, parameters) = url
        .split_once('?')
        .map_or((url, None), |(u, p)| (u, Some(p)));
    let authority = place.find("://").map_or(0, |scheme| scheme + 3);
    let end = place[authority..]
        .find('/')
        .map_or(place.len(), |slash| authority + slash);
    let parameters = parameters.map(|p| format!("?{p}")).unwrap_or_default();
    format!("{}/{database}{parameters}", &place[..end])
}

async fn command(url: &str, sql: &str) -> io::Result<()> {
    let mut connection = PgConnection::connect(url).await.map_err(io::Error::other)?;
    // Every part of it is ours.
    let done = connection.execute(AssertSqlSafe(sql.to_owned())).await;
    done.map_err(io::Error::other)?;
    connection.close().await.map_err(io::Error::other)
}

async fn drop_databases(options: &Options) -> io::Result<()> {
    for of in ["seed", "roster", "bare"] {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", name(of));
        command(&options.postgres, &sql).await?;
    }
    Ok(())
}

async fn copy(options: &Options, kind: Kind, seed: &str, folder: &Path) -> io::Result<()> {
    for of in ["roster", "bare"] {
        match kind {
            Kind::Sqlite => {
                let file = folder.join(format!("{of}.db"));
                let sql = format!(
                    "VACUUM INTO '{}'",
                    file.display().to_string().replace('\'', "''")
                );
                sqlite(seed, &sql).await?;
            }
            Kind::Postgres => {
                // The sessions of the seeding server may end a moment after it.
                let template = name("seed");
                let end = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{template}'"
                );
                command(&options.postgres, &end).await?;
                let sql = format!("CREATE DATABASE {} TEMPLATE {template}", name(of));
                command(&options.postgres, &sql).await?;
            }
        }
    }
    Ok(())
}

async fn sqlite(url: &str, sql: &str) -> io::Result<()> {
    let file = url.strip_prefix("sqlite://").unwrap_or(url);
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.map_err(io::Error::other)?;
    // Every part of it is ours.
    let done = connection.execute(AssertSqlSafe(sql.to_owned())).await;
    done.map_err(io::Error::other)?;
    connection.close().await.map_err(io::Error::other)
}

async fn fill(kind: Kind, url: &str, users: u32) -> io::Result<()> {
    let (numbers, id, tags, time, analyze) = match kind {
        Kind::Sqlite => (
            format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {users})"
            ),
            "printf('0198c0de-0000-7000-8000-%012x', i)",
            r#"'["staff","bench"]'"#,
            "'2026-01-02T03:04:05.678Z'",
            "ANALYZE",
        ),
        Kind::Postgres => (
            format!("WITH n AS (SELECT i FROM generate_series(1, {users}) i)"),
            "('0198c0de-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid",
            r#"'["staff","bench"]'::jsonb"#,
            "'2026-01-02T03:04:05.678Z'::timestamptz",
            "VACUUM ANALYZE",
        ),
    };
    let hash = format!("(SELECT password FROM users WHERE email_key = '{ADMINISTRATOR}')");
    let role = format!("(SELECT role FROM users WHERE email_key = '{ADMINISTRATOR}')");
    let sql = format!(
        r"{numbers}
        INSERT INTO users (id, first_name, last_name, email, email_key, password, location, title,
            description, tags, language, status, role, last_access)
        SELECT {id}, 'First' || (i % 89), 'Last' || ((i * 7919) % 997),
            'user' || i || '@bench.example', 'user' || i || '@bench.example', {hash},
            'City ' || (i % 31), 'Engineer',
            CASE WHEN i % 3 = 0 THEN 'Knows where the towels are, and who has taken them.' END,
            CASE WHEN i % 2 = 0 THEN {tags} END, 'en-US',
            CASE WHEN i <= {DRIVERS} OR i % 10 < 8 THEN 'active' ELSE 'suspended' END,
            CASE WHEN i <= {DRIVERS} THEN {role} END,
            CASE WHEN i % 4 = 0 THEN {time} END
        FROM n"
    );
    for sql in [sql.as_str(), analyze] {
        match kind {
            Kind::Sqlite => sqlite(url, sql).await?,
            Kind::Postgres => command(url, sql).await?,
        }
    }
    Ok(())
}

async fn log_in(server: &Server, connections: u32) -> io::Result<Vec<String>> {
    let mut connection = Connection::open(server.address).await?;
    let mut tokens = Vec::new();
    for number in 1..=connections {
        let answer = connection.exchange(&login(number)).await?;
        let json: serde_json::Value = serde_json::from_slice(answer.body)?;
        let token = json["data"]["access_token"].as_str();
        let token = token.ok_or_else(|| io::Error::other(format!("login refused: {json}")))?;
        tokens.push(token.to_owned());
    }
    Ok(tokens)
}

/// The login of a user.
pub(crate) fn login(number: u32) -> Vec<u8> {
    let body = serde_json::json!({ "email": address(number), "password": PASSWORD });
    http::send("POST", "/auth/login", "", &body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        let other = |url| with_database(url, "x");

        assert_eq!(
            other("postgres://u:p@h:1/db?a=b"),
            "postgres://u:p@h:1/x?a=b"
        );
        assert_eq!(other("postgres://h"), "postgres://h/x");
    }
}
