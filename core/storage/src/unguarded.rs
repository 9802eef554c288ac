//! Every query that runs before a grant can exist, on one page.
//!
//! They answer *who is this* and *what do their policies come to*, from which a grant is made.
//! Nothing else belongs here; a test compares the list.

use roster_domain::{Result, RoleId, SessionId, Timestamp, UserId};
use sea_query::Value as Bound;
use serde_json::Value as Json;
use std::collections::HashMap;
use uuid::Uuid;

use crate::dialect::Dialect;
use crate::statement::Statement;
use crate::store::{Store, Tx};

/// A user as a token names them, with the numbers that caches are keyed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The user.
    pub id: UserId,
    /// Their status; only `active` authenticates.
    pub status: String,
    /// Their role.
    pub role: Option<RoleId>,
    /// Raised whenever something changes that tokens and rights depend on.
    pub generation: i64,
    /// Raised whenever a role, policy or rule changes.
    pub rules_epoch: i64,
    /// Raised whenever a field changes.
    pub schema_epoch: i64,
    /// Whether a second factor is set up.
    pub has_second_factor: bool,
}

/// The bearer of an access token: one primary-key statement for user, session and epochs.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn bearer_of_session(
    store: &Store,
    user: UserId,
    session: SessionId,
    now: Timestamp,
) -> Result<Option<Bearer>> {
    let dialect = store.dialect();
    let statement = Statement::new(
        r#"SELECT u."id", u."status", u."role", u."roster_generation", c."rules_epoch", c."schema_epoch",
        COALESCE(u."tfa_secret" <> '', FALSE)
        FROM "users" u JOIN "sessions" s ON s."user" = u."id" CROSS JOIN "counters" c
        WHERE s."id" = $1 AND u."id" = $2 AND s."ends_at" > $3 AND c."id" = 1"#,
        vec![
            dialect.uuid(session.0),
            dialect.uuid(user.0),
            dialect.timestamp(now),
        ],
    );
    bearer(store, statement).await
}

/// The bearer of a static token, by what is stored of it.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn bearer_of_token(store: &Store, hash: &str) -> Result<Option<Bearer>> {
    let statement = Statement::new(
        r#"SELECT u."id", u."status", u."role", u."roster_generation", c."rules_epoch", c."schema_epoch",
        COALESCE(u."tfa_secret" <> '', FALSE)
        FROM "users" u CROSS JOIN "counters" c WHERE u."token" = $1 AND c."id" = 1"#,
        vec![hash.into()],
    );
    bearer(store, statement).await
}

async fn bearer(store: &Store, statement: Statement) -> Result<Option<Bearer>> {
    let Some(row) = store.fetch_optional(statement).await? else {
        return Ok(None);
    };
    Ok(Some(Bearer {
        id: UserId(row.id(0)?),
        status: row.word(1)?,
        role: row.uuid(2)?.map(RoleId),
        generation: row.count(3)?,
        rules_epoch: row.count(4)?,
        schema_epoch: row.count(5)?,
        has_second_factor: row.boolean(6)?.unwrap_or_default(),
    }))
}

/// What a login is checked against.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The user.
    pub user: UserId,
    /// Their status.
    pub status: String,
    /// Their role.
    pub role: Option<RoleId>,
    /// The provider they log in by; `default` is the local password.
    pub provider: String,
    /// The password's hash, if there is one.
    pub password: Option<String>,
    /// Whether a second factor is set up.
    pub has_second_factor: bool,
    /// See [`Bearer`].
    pub generation: i64,
    /// See [`Bearer`].
    pub rules_epoch: i64,
    /// See [`Bearer`].
    pub schema_epoch: i64,
}

/// The credential of the user with this normalised e-mail.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn credential(store: &Store, email_key: &str) -> Result<Option<Credential>> {
    let statement = Statement::new(
        r#"SELECT u."id", u."status", u."role", u."provider", u."password", u."tfa_secret" <> '',
        u."roster_generation", c."rules_epoch", c."schema_epoch"
        FROM "users" u CROSS JOIN "counters" c WHERE u."email_key" = $1 AND c."id" = 1"#,
        vec![email_key.into()],
    );
    let Some(row) = store.fetch_optional(statement).await? else {
        return Ok(None);
    };
    Ok(Some(Credential {
        user: UserId(row.id(0)?),
        status: row.word(1)?,
        role: row.uuid(2)?.map(RoleId),
        provider: row.word(3)?,
        password: row.text(4)?,
        has_second_factor: row.boolean(5)?.unwrap_or_default(),
        generation: row.count(6)?,
        rules_epoch: row.count(7)?,
        schema_epoch: row.count(8)?,
    }))
}

/// The hash of a user's password, if they have one.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn password_hash(store: &Store, user: UserId) -> Result<Option<String>> {
    let values = vec![store.dialect().uuid(user.0)];
    let statement = Statement::new(r#"SELECT "password" FROM "users" WHERE "id" = $1"#, values);
    store
        .fetch_optional(statement)
        .await?
        .map_or(Ok(None), |row| row.text(0))
}

/// Whether there is anybody at all.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn has_users(store: &Store) -> Result<bool> {
    let statement = Statement::new(r#"SELECT "id" FROM "users" LIMIT 1"#, Vec::new());
    Ok(store.fetch_optional(statement).await?.is_some())
}

/// A role with admin access, for the command line.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn administrator_role(store: &Store) -> Result<Option<RoleId>> {
    let statement = Statement::new(
        r#"SELECT a."role" FROM "access" a JOIN "policies" p ON p."id" = a."policy"
        WHERE p."admin_access" AND a."role" IS NOT NULL ORDER BY a."id" LIMIT 1"#,
        Vec::new(),
    );
    store
        .fetch_optional(statement)
        .await?
        .map(|row| row.id(0).map(RoleId))
        .transpose()
}

/// The user with this normalised e-mail, for the command line.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn user_by_email(store: &Store, email_key: &str) -> Result<Option<UserId>> {
    let statement = Statement::new(
        r#"SELECT "id" FROM "users" WHERE "email_key" = $1"#,
        vec![email_key.into()],
    );
    store
        .fetch_optional(statement)
        .await?
        .map(|row| row.id(0).map(UserId))
        .transpose()
}

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
    let place = |role: Option<Uuid>| {
        let place = role.and_then(|role| roles.iter().position(|known| *known == role));
        place.unwrap_or(usize::MAX)
    };
    policies.sort_by_key(|held: &Holding| (held.is_own && held.role.is_none(), place(held.role)));
    let rules = rules_of(store, policies.iter().map(|held| held.policy)).await?;
    Ok(Holdings {
        roles,
        policies,
        rules,
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
    let rule = |row: &crate::row::Row| {
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
    };
    rows.iter().map(rule).collect()
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

/// The numbers that caches are keyed by: the rules' epoch and the fields'.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn epochs(store: &Store) -> Result<(i64, i64)> {
    let sql = r#"SELECT "rules_epoch", "schema_epoch" FROM "counters" WHERE "id" = 1"#;
    let row = store
        .fetch_optional(Statement::new(sql, Vec::new()))
        .await?;
    row.map_or(Ok((1, 1)), |row| Ok((row.count(0)?, row.count(1)?)))
}

/// Notes that a user was here. Neither a version nor an event: nothing they own changed.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn touch(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<()> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"UPDATE "users" SET "last_access" = $2 WHERE "id" = $1"#,
        vec![dialect.uuid(user.0), dialect.timestamp(now)],
    );
    tx.execute(statement).await.map(drop)
}

/// Remembers the page a user was on, as [`touch`] remembers that they were here.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn track(tx: &mut Tx, user: UserId, page: &str) -> Result<()> {
    let values = vec![tx.dialect().uuid(user.0), page.into()];
    let statement = Statement::new(
        r#"UPDATE "users" SET "last_page" = $2 WHERE "id" = $1"#,
        values,
    );
    tx.execute(statement).await.map(drop)
}

/// Replaces a password's hash by a stronger one of the same password, unless it has changed.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn rehash(tx: &mut Tx, user: UserId, old: &str, new: &str) -> Result<()> {
    let statement = Statement::new(
        r#"UPDATE "users" SET "password" = $3 WHERE "id" = $1 AND "password" = $2"#,
        vec![
            tx.dialect().uuid(user.0),
            Bound::from(old),
            Bound::from(new),
        ],
    );
    tx.execute(statement).await.map(drop)
}

/// Whether the user still is as the credentials proved, inside the transaction that begins the
/// session: a suspension or a new password in between is not outrun.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn still_as_proved(tx: &mut Tx, proved: &Credential) -> Result<bool> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"UPDATE "users" SET "roster_failed_logins" = 0
        WHERE "id" = $1 AND "roster_generation" = $2 AND "status" = 'active'"#,
        vec![dialect.uuid(proved.user.0), proved.generation.into()],
    );
    Ok(tx.execute(statement).await? == 1)
}
