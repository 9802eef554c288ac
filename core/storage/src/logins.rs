//! Attempts to log in, and locks. They touch columns of ours alone, so no grant is asked for.

use roster_domain::{Result, Timestamp, UserId};
use sea_query::Value as Bound;

use crate::statement::Statement;
use crate::store::{Store, Tx};

/// Counts one attempt of a user before it is judged; gives how many there are since the last good
/// one. Nobody gets ahead of the count by trying at the same time.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn count(tx: &mut Tx, user: UserId) -> Result<i64> {
    let statement = Statement::new(
        r#"UPDATE "users" SET "roster_failed_logins" = "roster_failed_logins" + 1 WHERE "id" = $1
        RETURNING CAST("roster_failed_logins" AS BIGINT)"#,
        vec![tx.dialect().uuid(user.0)],
    );
    let rows = tx.fetch(statement).await?;
    rows.first().map_or(Ok(0), |row| row.count(0))
}

/// Takes an attempt back that turned out to be none.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn forgive(tx: &mut Tx, user: UserId) -> Result<()> {
    let statement = Statement::new(
        r#"UPDATE "users" SET "roster_failed_logins" = "roster_failed_logins" - 1
        WHERE "id" = $1 AND "roster_failed_logins" > 0"#,
        vec![tx.dialect().uuid(user.0)],
    );
    tx.execute(statement).await.map(drop)
}

/// Forgets the attempts of a user, and the lock.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn clear(tx: &mut Tx, user: UserId) -> Result<()> {
    lock(tx, user, None).await
}

/// Locks a user until a time, or not at all; their attempts count from zero again.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn lock(tx: &mut Tx, user: UserId, until: Option<Timestamp>) -> Result<()> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"UPDATE "users" SET "roster_failed_logins" = 0, "roster_locked_until" = $2
        WHERE "id" = $1"#,
        vec![dialect.uuid(user.0), dialect.timestamp(until)],
    );
    tx.execute(statement).await.map(drop)
}

/// Until when a user is locked, if they are.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn locked_until(store: &Store, user: UserId) -> Result<Option<Timestamp>> {
    let values = vec![store.dialect().uuid(user.0)];
    let sql = r#"SELECT "roster_locked_until" FROM "users" WHERE "id" = $1"#;
    let row = store.fetch_optional(Statement::new(sql, values)).await?;
    row.map_or(Ok(None), |row| row.timestamp(0))
}

/// How many attempts the settings allow in a row, if they say it.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn allowed(store: &Store) -> Result<Option<i64>> {
    let sql = r#"SELECT CAST("auth_login_attempts" AS BIGINT) FROM "settings" WHERE "id" = 1"#;
    let row = store
        .fetch_optional(Statement::new(sql, Vec::<Bound>::new()))
        .await?;
    row.map_or(Ok(None), |row| row.integer(0))
}
