//! The steps of the schema, embedded in the binary.

use roster_domain::{Error, Result};
use sqlx::migrate::{Migrate, MigrateError, Migrator};

use crate::store::{Pool, Store};

const TABLE: &str = "migrations";

fn sqlite() -> Migrator {
    named(sqlx::migrate!("../../migrations/sqlite"))
}

fn postgres() -> Migrator {
    named(sqlx::migrate!("../../migrations/postgres"))
}

fn named(mut migrator: Migrator) -> Migrator {
    migrator.dangerous_set_table_name(TABLE);
    migrator
}

/// A step and whether it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Whether it was taken.
    pub is_applied: bool,
}

/// Brings the schema up to date. Several nodes may try at once; one does it.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR` with the step that failed as its cause.
pub async fn up(store: &Store) -> Result<()> {
    match &store.pool {
        Pool::Sqlite { writer, .. } => sqlite().run(writer).await,
        Pool::Postgres(pool) => postgres().run(pool).await,
    }
    .map_err(failed)
}

/// Takes back steps down to a version; 0 takes back all.
///
/// # Errors
/// As for [`up`].
pub async fn down(store: &Store, to: i64) -> Result<()> {
    match &store.pool {
        Pool::Sqlite { writer, .. } => sqlite().undo(writer, to).await,
        Pool::Postgres(pool) => postgres().undo(pool, to).await,
    }
    .map_err(failed)
}

/// Every step, in order.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn status(store: &Store) -> Result<Vec<Step>> {
    let (migrator, applied) = match &store.pool {
        Pool::Sqlite { writer, .. } => {
            let mut connection = writer.acquire().await.map_err(crate::error::from_sqlx)?;
            connection
                .ensure_migrations_table(TABLE)
                .await
                .map_err(failed)?;
            (sqlite(), connection.list_applied_migrations(TABLE).await)
        }
        Pool::Postgres(pool) => {
            let mut connection = pool.acquire().await.map_err(crate::error::from_sqlx)?;
            connection
                .ensure_migrations_table(TABLE)
                .await
                .map_err(failed)?;
            (postgres(), connection.list_applied_migrations(TABLE).await)
        }
    };
    let applied = applied.map_err(failed)?;
    let steps = migrator
        .iter()
        .filter(|step| step.migration_type.is_up_migration());
    Ok(steps
        .map(|step| Step {
            version: step.version,
            name: step.description.to_string(),
            is_applied: applied.iter().any(|done| done.version == step.version),
        })
        .collect())
}

fn failed(error: MigrateError) -> Error {
    Error::internal(error)
}
