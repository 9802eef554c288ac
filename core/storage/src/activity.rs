//! What happened: activity, and revisions of records.

use roster_domain::{Collection, Result, Timestamp};
use sea_query::Value as Bound;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::statement::Statement;
use crate::store::Tx;

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// `create`, `update`, `delete`, `login`, `logout` …
    pub action: &'a str,
    /// Who did it.
    pub user: Option<Uuid>,
    /// When.
    pub timestamp: Timestamp,
    /// From which address.
    pub ip: Option<String>,
    /// With which client.
    pub user_agent: Option<&'a str>,
    /// From which origin.
    pub origin: Option<&'a str>,
    /// To which collection.
    pub collection: Collection,
    /// To which record.
    pub item: &'a str,
    /// By which way in: `rest`, `cli` …
    pub source: &'a str,
    /// How it ended: `success`, or `failure`.
    pub outcome: &'a str,
    /// What else there is to say.
    pub detail: Option<&'a str>,
}

/// Writes an entry; gives its id.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn insert(tx: &mut Tx, entry: &Entry<'_>) -> Result<i64> {
    let dialect = tx.dialect();
    let text = |text: Option<&str>| Bound::String(text.map(ToOwned::to_owned));
    let statement = Statement::new(
        r#"INSERT INTO "activity" ("action", "user", "timestamp", "ip", "user_agent", "collection",
        "item", "origin", "source", "outcome", "detail")
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING "id""#,
        vec![
            entry.action.into(),
            dialect.uuid(entry.user),
            dialect.timestamp(entry.timestamp),
            text(entry.ip.as_deref()),
            text(entry.user_agent),
            entry.collection.as_str().into(),
            entry.item.into(),
            text(entry.origin),
            entry.source.into(),
            entry.outcome.into(),
            text(entry.detail),
        ],
    );
    let rows = tx.fetch(statement).await?;
    rows.first().map_or(Ok(0), |row| row.count(0))
}

/// Writes what a record has become: the whole of it, and what changed. Secrets come in masked.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn insert_revision(
    tx: &mut Tx,
    activity: i64,
    collection: Collection,
    item: &str,
    data: Map<String, Json>,
    delta: Map<String, Json>,
) -> Result<()> {
    let dialect = tx.dialect();
    let statement = Statement::new(
        r#"INSERT INTO "revisions" ("activity", "collection", "item", "data", "delta")
        VALUES ($1, $2, $3, $4, $5)"#,
        vec![
            activity.into(),
            collection.as_str().into(),
            item.into(),
            dialect.json(Some(&Json::Object(data))),
            dialect.json(Some(&Json::Object(delta))),
        ],
    );
    tx.execute(statement).await.map(drop)
}
