//! Everything that decides who may do what, at once: for comparing before and after.

use roster_domain::Result;
use serde_json::Value as Json;
use uuid::Uuid;

use super::holdings::{KeptRule, rule};
use crate::dialect::Dialect;
use crate::statement::Statement;
use crate::store::Tx;

/// Roles, policies, what they are attached to, and rules.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// Roles: id, parent and name.
    pub roles: Vec<(Uuid, Option<Uuid>, String)>,
    /// Policies.
    pub policies: Vec<StandingPolicy>,
    /// What policies are attached to: policy, role and user.
    pub attachments: Vec<(Uuid, Option<Uuid>, Option<Uuid>)>,
    /// The rules, in the order they were made.
    pub rules: Vec<KeptRule>,
    /// How many active users each role has.
    pub members: Vec<(Option<Uuid>, i64)>,
    /// The role and status of the users that were asked for.
    pub users: Vec<(Uuid, Option<Uuid>, String)>,
}

/// A policy's flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingPolicy {
    /// Its id.
    pub id: Uuid,
    /// See the name.
    pub admin_access: bool,
    /// See the name.
    pub app_access: bool,
    /// See the name.
    pub enforce_tfa: bool,
}

/// All of it as a transaction sees it, with some users and those that have policies of their own.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn standing(tx: &mut Tx, users: &[Uuid]) -> Result<Standing> {
    let mut standing = Standing::default();
    let all = |sql| Statement::new(sql, Vec::new());
    let roles = r#"SELECT "id", "parent", "name" FROM "roles" ORDER BY "id""#;
    for row in tx.fetch(all(roles)).await? {
        standing
            .roles
            .push((row.id(0)?, row.uuid(1)?, row.word(2)?));
    }
    let policies = r#"SELECT "id", "admin_access", "app_access", "enforce_tfa" FROM "policies""#;
    for row in tx.fetch(all(policies)).await? {
        let flag = |column| -> Result<bool> { Ok(row.boolean(column)?.unwrap_or_default()) };
        standing.policies.push(StandingPolicy {
            id: row.id(0)?,
            admin_access: flag(1)?,
            app_access: flag(2)?,
            enforce_tfa: flag(3)?,
        });
    }
    let attached = r#"SELECT "policy", "role", "user" FROM "access" ORDER BY "sort", "id""#;
    for row in tx.fetch(all(attached)).await? {
        standing
            .attachments
            .push((row.id(0)?, row.uuid(1)?, row.uuid(2)?));
    }
    let permissions = r#"SELECT "id", "policy", "collection", "action", "permissions", "validation",
        "presets", "fields" FROM "permissions" ORDER BY "id""#;
    for row in &tx.fetch(all(permissions)).await? {
        standing.rules.push(rule(row)?);
    }
    let counts =
        r#"SELECT "role", COUNT(*) FROM "users" WHERE "status" = 'active' GROUP BY "role""#;
    for row in tx.fetch(all(counts)).await? {
        standing.members.push((row.uuid(0)?, row.count(1)?));
    }
    let owners = standing.attachments.iter().filter_map(|(_, _, user)| *user);
    let mut wanted: Vec<Uuid> = users.iter().copied().chain(owners).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let dialect = tx.dialect();
    let wanted: Json = wanted.iter().map(ToString::to_string).collect();
    let sql = match dialect {
        Dialect::Sqlite => {
            r#"SELECT "id", "role", "status" FROM "users"
            WHERE "id" IN (SELECT value FROM json_each($1)) ORDER BY "id""#
        }
        Dialect::Postgres => {
            r#"SELECT "id", "role", "status" FROM "users"
            WHERE "id" = ANY(ARRAY(SELECT CAST(jsonb_array_elements_text($1) AS uuid)))
            ORDER BY "id""#
        }
    };
    let statement = Statement::new(sql, vec![dialect.json(Some(&wanted))]);
    for row in tx.fetch(statement).await? {
        standing
            .users
            .push((row.id(0)?, row.uuid(1)?, row.word(2)?));
    }
    Ok(standing)
}
