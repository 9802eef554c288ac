//! Every query that runs before a grant can exist, on one page.
//!
//! They answer *who is this* and *what do their policies come to*, from which a grant is made.
//! Nothing else belongs here; a test compares the list.

mod holdings;
mod known;
mod standing;

pub use holdings::{Holding, Holdings, KeptRule, holdings, policy, rules_of};
pub use known::known_users;
pub use standing::{Standing, StandingPolicy, standing};

use roster_domain::{Result, RoleId, SessionId, Timestamp, UserId};
use sea_query::Value as Bound;
use uuid::Uuid;

use crate::api_tokens;
use crate::row::Row;
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

/// A session that has not ended, with its bearer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InSession {
    /// Whose it is.
    pub bearer: Bearer,
    /// How often it was rotated.
    pub sequence: i64,
    /// When it was rotated last.
    pub rotated_at: Option<Timestamp>,
    /// When it was used last, as far as that was noted.
    pub last_used_at: Timestamp,
}

/// The session of an access token: one primary-key statement for user, session and epochs. Those
/// that were begun at `oldest` or before have ended.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn bearer_of_session(
    store: &Store,
    user: UserId,
    session: SessionId,
    now: Timestamp,
    oldest: Timestamp,
) -> Result<Option<InSession>> {
    let dialect = store.dialect();
    let statement = Statement::new(
        r#"SELECT u."id", u."status", u."role", u."roster_generation", c."rules_epoch", c."schema_epoch",
        COALESCE(u."tfa_secret" <> '', FALSE), s."sequence", s."rotated_at", s."last_used_at"
        FROM "users" u JOIN "sessions" s ON s."user" = u."id" CROSS JOIN "counters" c
        WHERE s."id" = $1 AND u."id" = $2 AND s."ends_at" > $3 AND s."created_at" > $4
        AND c."id" = 1"#,
        vec![
            dialect.uuid(session.0),
            dialect.uuid(user.0),
            dialect.timestamp(now),
            dialect.timestamp(oldest),
        ],
    );
    let Some(row) = store.fetch_optional(statement).await? else {
        return Ok(None);
    };
    Ok(Some(InSession {
        bearer: read_bearer(&row)?,
        sequence: row.count(7)?,
        rotated_at: row.timestamp(8)?,
        last_used_at: row.moment(9)?,
    }))
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

/// The user of that id as a bearer, for somebody who acts as them.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn bearer_of_user(store: &Store, user: UserId) -> Result<Option<Bearer>> {
    let statement = Statement::new(
        r#"SELECT u."id", u."status", u."role", u."roster_generation", c."rules_epoch", c."schema_epoch",
        COALESCE(u."tfa_secret" <> '', FALSE)
        FROM "users" u CROSS JOIN "counters" c WHERE u."id" = $1 AND c."id" = 1"#,
        vec![store.dialect().uuid(user.0)],
    );
    bearer(store, statement).await
}

/// An API token that is presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BearingToken {
    /// Its id.
    pub id: Uuid,
    /// From which addresses it works, if not from all.
    pub ip_access: Option<String>,
    /// To which policies of its owner it is narrowed, if it is.
    pub policies: Option<Vec<Uuid>>,
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
    /// Whose it is.
    pub bearer: Bearer,
}

/// An API token that has not ended and its bearer, by what is stored of it.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn bearer_of_api_token(
    store: &Store,
    hash: &str,
    now: Timestamp,
) -> Result<Option<BearingToken>> {
    let statement = Statement::new(
        r#"SELECT u."id", u."status", u."role", u."roster_generation", c."rules_epoch", c."schema_epoch",
        COALESCE(u."tfa_secret" <> '', FALSE), t."id", t."ip_access", t."last_used_at",
        t."policies"
        FROM "api_tokens" t JOIN "users" u ON u."id" = t."user" CROSS JOIN "counters" c
        WHERE t."hash" = $1 AND (t."expires_at" IS NULL OR t."expires_at" > $2) AND c."id" = 1"#,
        vec![hash.into(), store.dialect().timestamp(now)],
    );
    let Some(row) = store.fetch_optional(statement).await? else {
        return Ok(None);
    };
    Ok(Some(BearingToken {
        id: row.id(7)?,
        ip_access: row.text(8)?,
        last_used_at: row.timestamp(9)?,
        policies: api_tokens::policies(row.json(10)?.as_ref())?,
        bearer: read_bearer(&row)?,
    }))
}

async fn bearer(store: &Store, statement: Statement) -> Result<Option<Bearer>> {
    let Some(row) = store.fetch_optional(statement).await? else {
        return Ok(None);
    };
    read_bearer(&row).map(Some)
}

fn read_bearer(row: &Row) -> Result<Bearer> {
    Ok(Bearer {
        id: UserId(row.id(0)?),
        status: row.word(1)?,
        role: row.uuid(2)?.map(RoleId),
        generation: row.count(3)?,
        rules_epoch: row.count(4)?,
        schema_epoch: row.count(5)?,
        has_second_factor: row.boolean(6)?.unwrap_or_default(),
    })
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
    /// Until when nobody logs in as this user, if that is so.
    pub locked_until: Option<Timestamp>,
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
        u."roster_generation", c."rules_epoch", c."schema_epoch", u."roster_locked_until"
        FROM "users" u CROSS JOIN "counters" c WHERE u."email_key" = $1 AND c."id" = 1"#,
        vec![email_key.into()],
    );
    let row = store.fetch_optional(statement).await?;
    row.map(|row| read_credential(&row)).transpose()
}

/// The credential of the user whom a provider knows by this identifier.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn credential_of_identity(
    store: &Store,
    provider: &str,
    external_identifier: &str,
) -> Result<Option<Credential>> {
    let statement = Statement::new(
        r#"SELECT u."id", u."status", u."role", u."provider", u."password", u."tfa_secret" <> '',
        u."roster_generation", c."rules_epoch", c."schema_epoch", u."roster_locked_until"
        FROM "users" u CROSS JOIN "counters" c
        WHERE u."provider" = $1 AND u."external_identifier" = $2 AND c."id" = 1"#,
        vec![provider.into(), external_identifier.into()],
    );
    let row = store.fetch_optional(statement).await?;
    row.map(|row| read_credential(&row)).transpose()
}

fn read_credential(row: &Row) -> Result<Credential> {
    Ok(Credential {
        user: UserId(row.id(0)?),
        status: row.word(1)?,
        role: row.uuid(2)?.map(RoleId),
        provider: row.word(3)?,
        password: row.text(4)?,
        has_second_factor: row.boolean(5)?.unwrap_or_default(),
        generation: row.count(6)?,
        rules_epoch: row.count(7)?,
        schema_epoch: row.count(8)?,
        locked_until: row.timestamp(9)?,
    })
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
        r#"UPDATE "users" SET "roster_failed_logins" = 0, "roster_locked_until" = NULL
        WHERE "id" = $1 AND "roster_generation" = $2 AND "status" = 'active'"#,
        vec![dialect.uuid(proved.user.0), proved.generation.into()],
    );
    Ok(tx.execute(statement).await? == 1)
}
