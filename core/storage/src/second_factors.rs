//! Second factors: the secret, the step of the last code, recovery codes.
//!
//! The secret comes in encrypted and codes come in as hashes. Whoever calls has proved who the user
//! is, or administrates.

use roster_domain::{Result, UserId};
use sea_query::Value as Bound;

use crate::statement::Statement;
use crate::store::{Store, Tx};

/// Where the second factor of a user stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecondFactor {
    /// The secret, encrypted; nothing when it is not set up.
    pub secret: Option<String>,
    /// The step of the last code that was taken.
    pub step: Option<i64>,
    /// Proof of a secret that was given out and is not enabled yet.
    pub pending: Option<String>,
}

/// The second factor of a user.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn get(store: &Store, user: UserId) -> Result<SecondFactor> {
    let statement = Statement::new(
        r#"SELECT "tfa_secret", "roster_tfa_step", "roster_tfa_pending" FROM "users" WHERE "id" = $1"#,
        vec![store.dialect().uuid(user.0)],
    );
    let Some(row) = store.fetch_optional(statement).await? else {
        return Ok(SecondFactor::default());
    };
    Ok(SecondFactor {
        secret: row.text(0)?.filter(|secret| !secret.is_empty()),
        step: row.integer(1)?,
        pending: row.text(2)?,
    })
}

/// Remembers a secret that was given out.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn propose(tx: &mut Tx, user: UserId, pending: &str) -> Result<()> {
    let values = vec![tx.dialect().uuid(user.0), pending.into()];
    let sql = r#"UPDATE "users" SET "roster_tfa_pending" = $2 WHERE "id" = $1"#;
    tx.execute(Statement::new(sql, values)).await.map(drop)
}

/// Sets the secret up, the code of a step having proved it. Whether there was none yet.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn enable(
    tx: &mut Tx,
    user: UserId,
    pending: &str,
    secret: &str,
    step: i64,
) -> Result<bool> {
    let statement = Statement::new(
        r#"UPDATE "users" SET "tfa_secret" = $3, "roster_tfa_step" = $4, "roster_tfa_pending" = NULL,
        "roster_generation" = "roster_generation" + 1, "roster_version" = "roster_version" + 1
        WHERE "id" = $1 AND "roster_tfa_pending" = $2 AND COALESCE("tfa_secret", '') = ''"#,
        vec![
            tx.dialect().uuid(user.0),
            pending.into(),
            secret.into(),
            step.into(),
        ],
    );
    Ok(tx.execute(statement).await? == 1)
}

/// Removes the secret and the recovery codes. Whether there was one.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn disable(tx: &mut Tx, user: UserId) -> Result<bool> {
    let statement = Statement::new(
        r#"UPDATE "users" SET "tfa_secret" = NULL, "roster_tfa_step" = NULL,
        "roster_tfa_pending" = NULL,
        "roster_generation" = "roster_generation" + 1, "roster_version" = "roster_version" + 1
        WHERE "id" = $1 AND COALESCE("tfa_secret", '') <> ''"#,
        vec![tx.dialect().uuid(user.0)],
    );
    let was_there = tx.execute(statement).await? == 1;
    forget_codes(tx, user).await?;
    Ok(was_there)
}

/// Takes the code of a step. Whether it is later than the last one: each works once.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn take_step(tx: &mut Tx, user: UserId, step: i64) -> Result<bool> {
    let statement = Statement::new(
        r#"UPDATE "users" SET "roster_tfa_step" = $2
        WHERE "id" = $1 AND ("roster_tfa_step" IS NULL OR "roster_tfa_step" < $2)"#,
        vec![tx.dialect().uuid(user.0), step.into()],
    );
    Ok(tx.execute(statement).await? == 1)
}

/// Replaces the recovery codes of a user by these hashes.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn replace_codes(tx: &mut Tx, user: UserId, hashes: &[String]) -> Result<()> {
    forget_codes(tx, user).await?;
    for hash in hashes {
        let statement = Statement::new(
            r#"INSERT INTO "recovery_codes" ("user", "hash") VALUES ($1, $2)"#,
            vec![tx.dialect().uuid(user.0), hash.as_str().into()],
        );
        tx.execute(statement).await?;
    }
    Ok(())
}

/// Takes a recovery code. Whether there was one of that hash: each works once.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn take_code(tx: &mut Tx, user: UserId, hash: &str) -> Result<bool> {
    let statement = Statement::new(
        r#"DELETE FROM "recovery_codes" WHERE "user" = $1 AND "hash" = $2"#,
        vec![tx.dialect().uuid(user.0), hash.into()],
    );
    Ok(tx.execute(statement).await? == 1)
}

/// How many recovery codes a user has left.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn codes_left(store: &Store, user: UserId) -> Result<i64> {
    let values: Vec<Bound> = vec![store.dialect().uuid(user.0)];
    let sql = r#"SELECT COUNT(*) FROM "recovery_codes" WHERE "user" = $1"#;
    let row = store.fetch_optional(Statement::new(sql, values)).await?;
    row.map_or(Ok(0), |row| row.count(0))
}

async fn forget_codes(tx: &mut Tx, user: UserId) -> Result<()> {
    let values = vec![tx.dialect().uuid(user.0)];
    let sql = r#"DELETE FROM "recovery_codes" WHERE "user" = $1"#;
    tx.execute(Statement::new(sql, values)).await.map(drop)
}
