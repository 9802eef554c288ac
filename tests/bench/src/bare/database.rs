//! What both databases do for a request.

use std::net::IpAddr;

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use sqlx::Result;
use uuid::Uuid;

/// Statements that stay prepared on a connection.
pub(crate) const STATEMENT_CACHE: usize = 500;

/// How many keys of a nested list are sent at most.
pub(crate) const LISTED: i64 = 100;
/// For how many days a session may go on, whatever is done with it.
const SESSION_DAYS: i64 = 30;

/// When a session that is good at a time began at the earliest.
pub(crate) fn began_after(now: DateTime<Utc>) -> DateTime<Utc> {
    now - Duration::days(SESSION_DAYS)
}

/// Which page of users is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Page {
    /// The first ones by id.
    First(i64),
    /// The first ones of a status by last name.
    OfStatusByName(String, i64),
}

/// A change of one's own title.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) user: Uuid,
    pub(crate) title: String,
    pub(crate) now: DateTime<Utc>,
    pub(crate) ip: Option<IpAddr>,
}

/// A database with the statements of Roster.
pub(crate) trait Database: Sized + Send + Sync + 'static {
    /// A user as it is read from this database.
    type User: Serialize + Send + Sync;

    /// The status of the user behind a session that has not ended.
    fn bearer(
        &self,
        user: Uuid,
        session: Uuid,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Option<String>>> + Send;

    /// One user.
    fn one(&self, id: Uuid) -> impl Future<Output = Result<Option<Self::User>>> + Send;

    /// A page of users.
    fn page(&self, page: &Page) -> impl Future<Output = Result<Vec<Self::User>>> + Send;

    /// Changes a user with activity and revision in one transaction, and reads them again. `None`
    /// when somebody else changed them meanwhile.
    fn change(&self, change: &Change) -> impl Future<Output = Result<Option<Self::User>>> + Send;
}

/// How many connections there are for so many cores.
pub(crate) fn cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores).unwrap_or(1)
}
