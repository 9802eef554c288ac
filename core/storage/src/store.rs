//! The store: one database, opened once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use roster_domain::{Collection, Error, Key, Result};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};

use crate::dialect::Dialect;
use crate::error::{Violation, from_sqlx, violation};
use crate::plans::Plans;
use crate::row::Row;
use crate::statement::Statement;

/// Where the records are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file; made when it is missing.
    Sqlite(PathBuf),
    /// A `postgres://` URL.
    Postgres(String),
}

/// How the store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the records are.
    pub location: Location,
    /// How many connections read at a time (SQLite), or are open in all (PostgreSQL).
    pub connections: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
}

impl Settings {
    /// The usual settings for this location.
    pub fn new(location: Location) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = u32::try_from(cores).unwrap_or(1);
        let connections = match location {
            Location::Sqlite(_) => cores.max(4),
            Location::Postgres(_) => (cores * 4).max(10),
        };
        Self {
            location,
            connections,
            acquire_timeout: Duration::from_secs(5),
        }
    }
}

/// Statements that stay prepared on a connection. Queries differ by fields and filters.
const STATEMENT_CACHE: usize = 500;

#[derive(Debug, Clone)]
pub(crate) enum Pool {
    /// One writer and several readers over one file.
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
    },
    Postgres(PgPool),
}

/// An open database.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: Pool,
    pub(crate) plans: Arc<Plans>,
}

/// An open transaction. Dropped without a commit, it never happened.
pub struct Tx {
    inner: Inner,
    /// Records that were found to be there, with none removed since.
    pub(crate) present: BTreeSet<(Collection, Key)>,
}

enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Store {
    /// Opens the database. The schema is brought up to date by [`crate::migrate::up`].
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, naming what does not answer.
    pub async fn open(settings: &Settings) -> Result<Self> {
        let pool = match &settings.location {
            Location::Sqlite(path) => open_sqlite(path.clone(), settings).await,
            Location::Postgres(url) => open_postgres(url, settings).await,
        };
        let pool = pool.map_err(|error| {
            let reason = format!("cannot open the database: {error}");
            Error::unavailable("database", reason).because(error)
        })?;
        let plans = Arc::default();
        Ok(Self { pool, plans })
    }

    /// Closes every connection, waiting for the running statements.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Pool::Postgres(pool) => pool.close().await,
        }
    }

    /// The name of the database, for people: `sqlite` or `postgres`.
    pub const fn kind(&self) -> &'static str {
        match self.dialect() {
            Dialect::Sqlite => "sqlite",
            Dialect::Postgres => "postgres",
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when it does not.
    pub async fn ping(&self) -> Result<()> {
        self.fetch(Statement::new("SELECT 1", Vec::new()))
            .await
            .map(drop)
    }

    /// Begins a transaction. On SQLite it waits for its turn to write.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, `CONFLICT`.
    pub async fn begin(&self) -> Result<Tx> {
        let inner = match &self.pool {
            Pool::Sqlite { writer, .. } => writer
                .begin_with("BEGIN IMMEDIATE")
                .await
                .map(Inner::Sqlite),
            Pool::Postgres(pool) => pool.begin().await.map(Inner::Postgres),
        };
        let begun = |inner| Tx {
            inner,
            present: BTreeSet::new(),
        };
        inner.map(begun).map_err(from_sqlx)
    }

    /// Runs a statement outside of a transaction; the inner error is a broken rule of the schema.
    pub(crate) async fn run(&self, sql: String) -> Result<std::result::Result<(), Violation>> {
        let done = match &self.pool {
            Pool::Sqlite { writer, .. } => {
                let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
                sql.execute(writer).await.map(drop)
            }
            Pool::Postgres(pool) => {
                let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
                sql.execute(pool).await.map(drop)
            }
        };
        match done {
            Ok(()) => Ok(Ok(())),
            Err(error) => violation(&error).map(Err).ok_or_else(|| from_sqlx(error)),
        }
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self.pool {
            Pool::Sqlite { .. } => Dialect::Sqlite,
            Pool::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(crate) async fn fetch(&self, statement: Statement) -> Result<Vec<Row>> {
        match &self.pool {
            Pool::Sqlite { readers, .. } => {
                let rows = statement.query::<Sqlite>().fetch_all(readers).await;
                rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Pool::Postgres(pool) => {
                let rows = statement.query::<Postgres>().fetch_all(pool).await;
                rows.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
        }
        .map_err(from_sqlx)
    }

    pub(crate) async fn fetch_optional(&self, statement: Statement) -> Result<Option<Row>> {
        match &self.pool {
            Pool::Sqlite { readers, .. } => {
                let row = statement.query::<Sqlite>().fetch_optional(readers).await;
                row.map(|row| row.map(Row::Sqlite))
            }
            Pool::Postgres(pool) => {
                let row = statement.query::<Postgres>().fetch_optional(pool).await;
                row.map(|row| row.map(Row::Postgres))
            }
        }
        .map_err(from_sqlx)
    }
}

impl Tx {
    /// Makes it happen.
    ///
    /// # Errors
    /// `CONFLICT`, `SERVICE_UNAVAILABLE`.
    pub async fn commit(self) -> Result<()> {
        match self.inner {
            Inner::Sqlite(tx) => tx.commit().await,
            Inner::Postgres(tx) => tx.commit().await,
        }
        .map_err(from_sqlx)
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self.inner {
            Inner::Sqlite(_) => Dialect::Sqlite,
            Inner::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(crate) async fn fetch(&mut self, statement: Statement) -> Result<Vec<Row>> {
        match &mut self.inner {
            Inner::Sqlite(tx) => {
                let rows = statement.query::<Sqlite>().fetch_all(&mut **tx).await;
                rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Inner::Postgres(tx) => {
                let rows = statement.query::<Postgres>().fetch_all(&mut **tx).await;
                rows.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
        }
        .map_err(from_sqlx)
    }

    /// How many rows were changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64> {
        self.try_execute(statement).await.map_err(from_sqlx)
    }

    /// How many rows were changed, or which rule of the schema was broken.
    pub(crate) async fn write(
        &mut self,
        statement: Statement,
    ) -> Result<std::result::Result<u64, Violation>> {
        match self.try_execute(statement).await {
            Ok(count) => Ok(Ok(count)),
            Err(error) => violation(&error).map(Err).ok_or_else(|| from_sqlx(error)),
        }
    }

    /// The rows that a write gives back, or which rule of the schema was broken.
    pub(crate) async fn fetch_or(
        &mut self,
        statement: Statement,
    ) -> Result<std::result::Result<Vec<Row>, Violation>> {
        let rows = match &mut self.inner {
            Inner::Sqlite(tx) => {
                let rows = statement.query::<Sqlite>().fetch_all(&mut **tx).await;
                rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Inner::Postgres(tx) => {
                let rows = statement.query::<Postgres>().fetch_all(&mut **tx).await;
                rows.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
        };
        match rows {
            Ok(rows) => Ok(Ok(rows)),
            Err(error) => violation(&error).map(Err).ok_or_else(|| from_sqlx(error)),
        }
    }

    async fn try_execute(&mut self, statement: Statement) -> sqlx::Result<u64> {
        match &mut self.inner {
            Inner::Sqlite(tx) => {
                let done = statement.query::<Sqlite>().execute(&mut **tx).await?;
                Ok(done.rows_affected())
            }
            Inner::Postgres(tx) => {
                let done = statement.query::<Postgres>().execute(&mut **tx).await?;
                Ok(done.rows_affected())
            }
        }
    }
}

async fn open_sqlite(path: PathBuf, settings: &Settings) -> sqlx::Result<Pool> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        // What is in it is nobody else's business.
        tokio::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .await?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(STATEMENT_CACHE)
        .optimize_on_close(true, 400)
        .with_regexp();
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(settings.acquire_timeout)
            .test_before_acquire(false)
    };
    // The writer comes first: it makes the file and switches it to the write-ahead log.
    let writer = pool(1).connect_with(options.clone()).await?;
    let readers = pool(settings.connections).connect_with(options).await?;
    Ok(Pool::Sqlite { readers, writer })
}

async fn open_postgres(url: &str, settings: &Settings) -> sqlx::Result<Pool> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("roster")
        .statement_cache_capacity(STATEMENT_CACHE);
    let pool = PgPoolOptions::new()
        .max_connections(settings.connections)
        .acquire_timeout(settings.acquire_timeout)
        .connect_with(options)
        .await?;
    Ok(Pool::Postgres(pool))
}
