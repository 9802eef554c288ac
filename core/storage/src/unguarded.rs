//! Every query that runs before a grant can exist, on one page.
//!
//! They answer *who is this* and *what do their policies come to*, from which a grant is made.
//! Nothing else belongs here; a test compares the list.

use roster_domain::{Result, Rights, RoleId, SessionId, Timestamp, UserId};
use sea_query::Value as Bound;

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
        r#"SELECT u."id", u."status", u."role", u."roster_generation", c."rules_epoch", c."schema_epoch"
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
        r#"SELECT u."id", u."status", u."role", u."roster_generation", c."rules_epoch", c."schema_epoch"
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
}

/// The credential of the user with this normalised e-mail.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn credential(store: &Store, email_key: &str) -> Result<Option<Credential>> {
    let statement = Statement::new(
        r#"SELECT u."id", u."status", u."role", u."provider", u."password", u."tfa_secret" <> '',
        u."roster_generation", c."rules_epoch"
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

/// What the policies of a user come to: their own, their role's and its ancestors'.
///
/// Policies bound to addresses count for nothing until the address is looked at.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn rights(store: &Store, user: UserId) -> Result<Rights> {
    let statement = Statement::new(
        r#"WITH RECURSIVE tree(id, parent) AS (
            SELECT r."id", r."parent" FROM "roles" r JOIN "users" u ON u."role" = r."id" WHERE u."id" = $1
            UNION
            SELECT r."id", r."parent" FROM "roles" r JOIN tree t ON r."id" = t.parent
        )
        SELECT
            COALESCE(MAX(CASE WHEN p."admin_access" THEN 1 ELSE 0 END), 0),
            COALESCE(MAX(CASE WHEN p."app_access" THEN 1 ELSE 0 END), 0)
        FROM "access" a JOIN "policies" p ON p."id" = a."policy"
        WHERE (a."user" = $1 OR a."role" IN (SELECT id FROM tree))
        AND (p."ip_access" IS NULL OR p."ip_access" = '')"#,
        vec![store.dialect().uuid(user.0)],
    );
    let Some(row) = store.fetch_optional(statement).await? else {
        return Ok(Rights::default());
    };
    let admin_access = row.small(0)? == 1;
    Ok(Rights {
        admin_access,
        app_access: admin_access || row.small(1)? == 1,
    })
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
