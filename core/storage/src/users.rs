//! What is asked of users beyond their records.

use roster_domain::{Error, Result};

use crate::statement::Statement;
use crate::store::Tx;

/// Refuses a transaction after which nobody active would administer. Concurrent ones wait for
/// each other.
///
/// # Errors
/// `UNPROCESSABLE_CONTENT`.
pub async fn keep_an_administrator(tx: &mut Tx) -> Result<()> {
    if let Some(lock) = tx.dialect().lock_administration() {
        tx.fetch(Statement::new(lock, Vec::new())).await?;
    }
    if tx
        .fetch(Statement::new(ADMINISTRATORS, Vec::new()))
        .await?
        .is_empty()
    {
        return Err(Error::unprocessable(
            "Cannot remove the last admin user from the system",
        ));
    }
    Ok(())
}

/// One active user with admin access by their own policy, their role's or an ancestor's.
const ADMINISTRATORS: &str = r#"
WITH RECURSIVE admin_role(id) AS (
    SELECT a."role" FROM "access" a JOIN "policies" p ON p."id" = a."policy"
    WHERE p."admin_access" AND a."role" IS NOT NULL
    UNION
    SELECT r."id" FROM "roles" r JOIN admin_role t ON r."parent" = t.id
)
SELECT u."id" FROM "users" u
WHERE u."status" = 'active' AND (
    u."role" IN (SELECT id FROM admin_role)
    OR EXISTS (
        SELECT 1 FROM "access" a JOIN "policies" p ON p."id" = a."policy"
        WHERE a."user" = u."id" AND p."admin_access"
    )
)
LIMIT 1"#;
