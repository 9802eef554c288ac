//! The tree of roles.

use roster_domain::Result;
use uuid::Uuid;

use crate::statement::Statement;
use crate::store::Tx;

/// How many steps up from a role lead back to it; nothing where none do. Concurrent changes of the
/// tree wait for each other.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn circle(tx: &mut Tx, role: Uuid) -> Result<Option<usize>> {
    if let Some(lock) = tx.dialect().lock_administration() {
        tx.fetch(Statement::new(lock, Vec::new())).await?;
    }
    let mut steps = 0;
    let mut seen = vec![role];
    let mut next = role;
    loop {
        let values = vec![tx.dialect().uuid(next)];
        let statement = Statement::new(r#"SELECT "parent" FROM "roles" WHERE "id" = $1"#, values);
        let rows = tx.fetch(statement).await?;
        let parent = rows.first().map(|row| row.uuid(0)).transpose()?.flatten();
        let Some(parent) = parent else {
            return Ok(None);
        };
        steps += 1;
        if parent == role {
            return Ok(Some(steps));
        }
        // A circle further up was there before.
        if seen.contains(&parent) {
            return Ok(None);
        }
        seen.push(parent);
        next = parent;
    }
}
