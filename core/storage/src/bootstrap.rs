//! What the first administrator needs: a role, a policy, the attachment.

use roster_domain::{Action, Collection, Grant, PolicyId, Result, RoleId};
use uuid::Uuid;

use crate::statement::Statement;
use crate::store::Tx;

/// Whether nobody is there yet. Keeps other nodes from asking until this transaction ends.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn is_empty(tx: &mut Tx) -> Result<bool> {
    if let Some(lock) = tx.dialect().lock_administration() {
        tx.fetch(Statement::new(lock, Vec::new())).await?;
    }
    let statement = Statement::new(r#"SELECT "id" FROM "users" LIMIT 1"#, Vec::new());
    Ok(tx.fetch(statement).await?.is_empty())
}

/// Makes the Administrator role.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for creating roles.
pub async fn insert_role(tx: &mut Tx, grant: &Grant, id: RoleId) -> Result<()> {
    grant.permits(Action::Create, Collection::Roles)?;
    let statement = Statement::new(
        r#"INSERT INTO "roles" ("id", "name", "icon", "description")
        VALUES ($1, 'Administrator', 'verified', '$t:admin_description')"#,
        vec![tx.dialect().uuid(id.0)],
    );
    tx.execute(statement).await.map(drop)
}

/// Makes the Administrator policy.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for creating policies.
pub async fn insert_policy(tx: &mut Tx, grant: &Grant, id: PolicyId) -> Result<()> {
    grant.permits(Action::Create, Collection::Policies)?;
    let statement = Statement::new(
        r#"INSERT INTO "policies" ("id", "name", "icon", "description", "admin_access", "app_access")
        VALUES ($1, 'Administrator', 'verified', '$t:admin_description', $2, $3)"#,
        vec![tx.dialect().uuid(id.0), true.into(), true.into()],
    );
    tx.execute(statement).await.map(drop)
}

/// Attaches a policy to a role.
///
/// # Errors
/// `FORBIDDEN` unless the grant is for creating access rows.
pub async fn attach(
    tx: &mut Tx,
    grant: &Grant,
    id: Uuid,
    role: RoleId,
    policy: PolicyId,
) -> Result<()> {
    grant.permits(Action::Create, Collection::Access)?;
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"INSERT INTO "access" ("id", "role", "policy") VALUES ($1, $2, $3)"#,
        vec![
            dialect.uuid(id),
            dialect.uuid(role.0),
            dialect.uuid(policy.0),
        ],
    );
    tx.execute(statement).await?;
    raise_rules_epoch(tx).await
}

/// Voids what every node has cached of roles, policies and rules.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn raise_rules_epoch(tx: &mut Tx) -> Result<()> {
    let statement = Statement::new(
        r#"UPDATE "counters" SET "rules_epoch" = "rules_epoch" + 1 WHERE "id" = 1"#,
        Vec::new(),
    );
    tx.execute(statement).await.map(drop)
}
