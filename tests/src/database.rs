use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file in a temporary folder.
    Sqlite,
    /// A database of its own on the server of `ROSTER_TEST_POSTGRES`.
    Postgres,
}

/// The kind that `ROSTER_TEST_DATABASE` asks for; SQLite when nothing is said.
pub fn kind() -> Kind {
    match std::env::var("ROSTER_TEST_DATABASE").as_deref() {
        Err(_) | Ok("sqlite") => Kind::Sqlite,
        Ok("postgres") => Kind::Postgres,
        Ok(other) => panic!("ROSTER_TEST_DATABASE: expected `sqlite` or `postgres`, got `{other}`"),
    }
}

fn postgres() -> String {
    let given = std::env::var("ROSTER_TEST_POSTGRES");
    given.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned())
}

/// An empty database that is there as long as this value, and the folder its server works in.
#[derive(Debug)]
pub struct Database {
    kind: Kind,
    url: String,
    name: String,
    folder: TempDir,
}

impl Database {
    /// A new one of the asked kind.
    pub async fn fresh() -> Self {
        Self::of(kind()).await
    }

    /// A new one of this kind.
    pub async fn of(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let name = format!("roster_test_{}", Uuid::new_v4().simple());
        let url = match kind {
            Kind::Sqlite => format!("sqlite://{}", folder.path().join("roster.db").display()),
            Kind::Postgres => {
                administer(&format!("CREATE DATABASE {name}"))
                    .await
                    .expect("a new database");
                let server = postgres();
                let (server, rest) = server.rsplit_once('/').expect("a URL with a path");
                let options = rest.split_once('?').map_or("", |(_, options)| options);
                // Nobody pulls the plug of the database server, so nobody waits for its disk.
                format!("{server}/{name}?options[synchronous_commit]=off&{options}")
            }
        };
        Self {
            kind,
            url,
            name,
            folder,
        }
    }

    /// Which kind it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it is, as configuration says it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder that belongs to it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file of an SQLite database.
    pub fn file(&self) -> PathBuf {
        self.folder().join("roster.db")
    }

    /// What a statement gives, read past the server. Columns have to be text: `CAST(x AS TEXT)`.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let sql = AssertSqlSafe(sql);
        match self.kind {
            Kind::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url)
                    .await
                    .expect("a connection");
                let rows = sqlx::query(sql)
                    .fetch_all(&mut connection)
                    .await
                    .expect("rows");
                let text = |row: &sqlx::sqlite::SqliteRow| {
                    (0..row.len()).map(|at| row.get(at)).collect::<Vec<_>>()
                };
                rows.iter().map(text).collect()
            }
            Kind::Postgres => {
                let mut connection = PgConnection::connect(&self.url)
                    .await
                    .expect("a connection");
                let rows = sqlx::query(sql)
                    .fetch_all(&mut connection)
                    .await
                    .expect("rows");
                let text = |row: &sqlx::postgres::PgRow| {
                    (0..row.len()).map(|at| row.get(at)).collect::<Vec<_>>()
                };
                rows.iter().map(text).collect()
            }
        }
    }

    /// The only text that a statement gives; empty for null.
    pub async fn text(&self, sql: &str) -> String {
        let mut rows = self.rows(sql).await;
        assert_eq!(rows.len(), 1, "one row for `{sql}`");
        rows.remove(0).remove(0).unwrap_or_default()
    }

    /// How many rows a table has where a condition holds.
    pub async fn count(&self, table: &str, condition: &str) -> usize {
        let sql = format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table} WHERE {condition}");
        self.text(&sql).await.parse().expect("a number")
    }

    /// Changes something past the server.
    pub async fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql);
        match self.kind {
            Kind::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url)
                    .await
                    .expect("a connection");
                sqlx::query(sql)
                    .execute(&mut connection)
                    .await
                    .expect("a change");
            }
            Kind::Postgres => {
                let mut connection = PgConnection::connect(&self.url)
                    .await
                    .expect("a connection");
                sqlx::query(sql)
                    .execute(&mut connection)
                    .await
                    .expect("a change");
            }
        }
    }
}

async fn administer(sql: &str) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(&postgres()).await?;
    connection.execute(AssertSqlSafe(sql)).await?;
    connection.close().await
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.kind == Kind::Sqlite {
            return;
        }
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // The runtime of the test may be gone or busy.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.map(|runtime| runtime.block_on(administer(&sql)))
        });
        if !matches!(dropping.join(), Ok(Ok(Ok(())))) {
            eprintln!("database {} was not dropped", self.name);
        }
    }
}
