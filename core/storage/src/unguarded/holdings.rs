//! What decides what a principal may do.

use std::collections::HashMap;

use roster_domain::{Result, RoleId, UserId};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::dialect::Dialect;
use crate::statement::Statement;
use crate::store::Store;

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the wire"
)]
/// A policy that is attached to a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The policy.
    pub policy: Uuid,
    /// Its name, for explanations.
    pub name: String,
    /// The role it is attached to, if it is attached to one.
    pub role: Option<Uuid>,
    /// Whether it is attached to the user alone.
    pub is_own: bool,
    /// From which addresses it holds; from all where nothing is said.
    pub ip_access: Option<String>,
    /// Its flags.
    pub admin_access: bool,
    /// See [`Holding::admin_access`].
    pub app_access: bool,
    /// See [`Holding::admin_access`].
    pub enforce_tfa: bool,
}

/// A permission as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptRule {
    /// Its number.
    pub id: i64,
    /// The policy it belongs to.
    pub policy: Uuid,
    /// What it is about.
    pub collection: String,
    /// See [`KeptRule::collection`].
    pub action: String,
    /// Which records.
    pub permissions: Option<Json>,
    /// What written values have to pass.
    pub validation: Option<Json>,
    /// What is written unless the caller says otherwise.
    pub presets: Option<Json>,
    /// Which fields, joined by commas.
    pub fields: Option<String>,
}

/// Everything that decides what a principal may do, before it is understood.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Holdings {
    /// The role and its ancestors, the root first.
    pub roles: Vec<Uuid>,
    /// The policies, those of roles first, from the root on.
    pub policies: Vec<Holding>,
    /// Their rules.
    pub rules: Vec<KeptRule>,
}

/// What decides what a user may do, or the public.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn holdings(
    store: &Store,
    user: Option<UserId>,
    role: Option<RoleId>,
) -> Result<Holdings> {
    let dialect = store.dialect();
    let statement = Statement::new(
        r#"WITH RECURSIVE tree(id, parent) AS (
            SELECT r."id", r."parent" FROM "roles" r WHERE r."id" = $1
            UNION
            SELECT r."id", r."parent" FROM "roles" r JOIN tree t ON r."id" = t.parent
        )
        SELECT id, parent FROM tree"#,
        vec![dialect.uuid(role.map(|role| role.0))],
    );
    let rows = if role.is_some() {
        store.fetch(statement).await?
    } else {
        Vec::new()
    };
    let mut parents = HashMap::new();
    for row in &rows {
        parents.insert(row.id(0)?, row.uuid(1)?);
    }
    let mut roles = Vec::new();
    let mut next = role.map(|role| role.0);
    while let Some(id) = next {
        // A circle ends where it began.
        next = parents.remove(&id).inspect(|_| roles.push(id)).flatten();
    }
    roles.reverse();
    let listed = Json::Array(roles.iter().map(|id| id.to_string().into()).collect());
    // Who has no role has what everybody has.
    let statement = Statement::new(
        match dialect {
            Dialect::Sqlite => {
                r#"SELECT p."id", p."name", a."role", a."user", p."ip_access", p."admin_access",
                p."app_access", p."enforce_tfa" FROM "access" a JOIN "policies" p ON p."id" = a."policy"
                WHERE a."user" = $1 OR a."role" IN (SELECT value FROM json_each($2))
                OR (json_array_length($2) = 0 AND a."role" IS NULL AND a."user" IS NULL)
                ORDER BY a."sort", a."id""#
            }
            Dialect::Postgres => {
                r#"SELECT p."id", p."name", a."role", a."user", p."ip_access", p."admin_access",
                p."app_access", p."enforce_tfa" FROM "access" a JOIN "policies" p ON p."id" = a."policy"
                WHERE a."user" = $1
                OR a."role" = ANY(ARRAY(SELECT CAST(jsonb_array_elements_text($2) AS uuid)))
                OR (jsonb_array_length($2) = 0 AND a."role" IS NULL AND a."user" IS NULL)
                ORDER BY a."sort", a."id""#
            }
        },
        vec![
            dialect.uuid(user.map(|user| user.0)),
            dialect.json(Some(&listed)),
        ],
    );
    let mut policies = Vec::new();
    for row in store.fetch(statement).await? {
        let owner = row.uuid(3)?;
        policies.push(Holding {
            policy: row.id(0)?,
            name: row.word(1)?,
            role: row.uuid(2)?.filter(|role| roles.contains(role)),
            is_own: owner.is_some() && owner == user.map(|user| user.0),
            ip_access: row.text(4)?.filter(|list| !list.is_empty()),
            admin_access: row.boolean(5)?.unwrap_or_default(),
            app_access: row.boolean(6)?.unwrap_or_default(),
            enforce_tfa: row.boolean(7)?.unwrap_or_default(),
        });
    }
    let depth = |role: Option<Uuid>| {
        let found = role.and_then(|role| roles.iter().position(|known| *known == role));
        found.unwrap_or(usize::MAX)
    };
    policies.sort_by_key(|held: &Holding| (held.is_own && held.role.is_none(), depth(held.role)));
    let kept = rules_of(store, policies.iter().map(|held| held.policy)).await?;
    Ok(Holdings {
        roles,
        policies,
        rules: kept,
    })
}

/// The rules of policies, in the order they were made.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn rules_of(
    store: &Store,
    policies: impl Iterator<Item = Uuid>,
) -> Result<Vec<KeptRule>> {
    let dialect = store.dialect();
    let listed: Vec<Json> = policies.map(|id| id.to_string().into()).collect();
    if listed.is_empty() {
        return Ok(Vec::new());
    }
    let statement = Statement::new(
        match dialect {
            Dialect::Sqlite => {
                r#"SELECT "id", "policy", "collection", "action", "permissions", "validation", "presets",
                "fields" FROM "permissions" WHERE "policy" IN (SELECT value FROM json_each($1)) ORDER BY "id""#
            }
            Dialect::Postgres => {
                r#"SELECT "id", "policy", "collection", "action", "permissions", "validation", "presets",
                "fields" FROM "permissions"
                WHERE "policy" = ANY(ARRAY(SELECT CAST(jsonb_array_elements_text($1) AS uuid))) ORDER BY "id""#
            }
        },
        vec![dialect.json(Some(&Json::Array(listed)))],
    );
    let rows = store.fetch(statement).await?;
    rows.iter().map(rule).collect()
}

/// A rule, its columns in the order of [`rules_of`].
pub(super) fn rule(row: &crate::row::Row) -> Result<KeptRule> {
    Ok(KeptRule {
        id: row.count(0)?,
        policy: row.id(1)?,
        collection: row.word(2)?,
        action: row.word(3)?,
        permissions: row.json(4)?,
        validation: row.json(5)?,
        presets: row.json(6)?,
        fields: row.text(7)?,
    })
}

/// A policy by itself, with its rules.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn policy(store: &Store, id: Uuid) -> Result<(Option<Holding>, Vec<KeptRule>)> {
    let statement = Statement::new(
        r#"SELECT "name", "ip_access", "admin_access", "app_access", "enforce_tfa"
        FROM "policies" WHERE "id" = $1"#,
        vec![store.dialect().uuid(id)],
    );
    let Some(row) = store.fetch_optional(statement).await? else {
        return Ok((None, Vec::new()));
    };
    let held = Holding {
        policy: id,
        name: row.word(0)?,
        role: None,
        is_own: false,
        ip_access: row.text(1)?.filter(|list| !list.is_empty()),
        admin_access: row.boolean(2)?.unwrap_or_default(),
        app_access: row.boolean(3)?.unwrap_or_default(),
        enforce_tfa: row.boolean(4)?.unwrap_or_default(),
    };
    Ok((Some(held), rules_of(store, std::iter::once(id)).await?))
}
