//! How often something was tried lately, for every node alike.

use roster_domain::{Result, Timestamp};

use crate::statement::Statement;
use crate::store::Tx;

/// Where a window stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many tries it has seen, this one included.
    pub tries: i64,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// Counts one try; a window that has ended begins again, and lasts until `ends_at`.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn count(tx: &mut Tx, key: &str, now: Timestamp, ends_at: Timestamp) -> Result<Window> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"INSERT INTO "limits" ("key", "tries", "ends_at") VALUES ($1, 1, $3)
        ON CONFLICT ("key") DO UPDATE SET
            "tries" = CASE WHEN "limits"."ends_at" <= $2 THEN 1 ELSE "limits"."tries" + 1 END,
            "ends_at" = CASE WHEN "limits"."ends_at" <= $2 THEN $3 ELSE "limits"."ends_at" END
        RETURNING "tries", "ends_at""#,
        vec![
            key.into(),
            dialect.timestamp(now),
            dialect.timestamp(ends_at),
        ],
    );
    let rows = tx.fetch(statement).await?;
    let row = rows.first();
    Ok(Window {
        tries: row.map_or(Ok(0), |row| row.count(0))?,
        ends_at: row.map_or(Ok(ends_at), |row| row.moment(1))?,
    })
}

/// Ends a window before its time.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn forget(tx: &mut Tx, key: &str) -> Result<()> {
    let statement = Statement::new(r#"DELETE FROM "limits" WHERE "key" = $1"#, vec![key.into()]);
    tx.execute(statement).await.map(drop)
}

/// Removes windows that have ended.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<()> {
    let values = vec![tx.dialect().timestamp(now)];
    let sql = r#"DELETE FROM "limits" WHERE "ends_at" <= $1"#;
    tx.execute(Statement::new(sql, values)).await.map(drop)
}
