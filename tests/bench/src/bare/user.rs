//! A user as it is sent: the fields of the wire in their order.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use sqlx::types::Json as Column;
use sqlx::{ColumnIndex, Decode, Row, Type};

const MASK: &str = "**********";

/// A user; the two databases differ in their types of ids and times.
#[derive(Debug, Serialize)]
pub(crate) struct User<Id, Time> {
    id: Id,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    password: Option<&'static str>,
    location: Option<String>,
    pub(crate) title: Option<String>,
    description: Option<String>,
    tags: Option<Column<Json>>,
    avatar: Option<Id>,
    language: Option<String>,
    tfa_secret: Option<&'static str>,
    status: String,
    role: Option<Id>,
    token: Option<&'static str>,
    last_access: Option<Time>,
    last_page: Option<String>,
    provider: String,
    external_identifier: Option<String>,
    auth_data: Option<Column<Json>>,
    email_notifications: Option<bool>,
    appearance: Option<String>,
    theme_dark: Option<String>,
    theme_light: Option<String>,
    theme_light_overrides: Option<Column<Json>>,
    theme_dark_overrides: Option<Column<Json>>,
    text_direction: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    policies: Option<Column<Json>>,
}

/// How many columns a user fills without the list; what is read before a change has its version
/// after them.
pub(crate) const OWN_COLUMNS: usize = 27;

impl<Id, Time> User<Id, Time> {
    /// Reads a user with their list from a row.
    pub(crate) fn read<'r, R>(row: &'r R) -> sqlx::Result<Self>
    where
        R: Row,
        usize: ColumnIndex<R>,
        Id: Decode<'r, R::Database> + Type<R::Database>,
        Time: Decode<'r, R::Database> + Type<R::Database>,
        String: Decode<'r, R::Database> + Type<R::Database>,
        bool: Decode<'r, R::Database> + Type<R::Database>,
        Column<Json>: Decode<'r, R::Database> + Type<R::Database>,
    {
        let policies = row.try_get(OWN_COLUMNS)?;
        Ok(Self {
            policies,
            ..Self::read_own(row)?
        })
    }

    /// Reads the columns of a user alone from the start of a row.
    pub(crate) fn read_own<'r, R>(row: &'r R) -> sqlx::Result<Self>
    where
        R: Row,
        usize: ColumnIndex<R>,
        Id: Decode<'r, R::Database> + Type<R::Database>,
        Time: Decode<'r, R::Database> + Type<R::Database>,
        String: Decode<'r, R::Database> + Type<R::Database>,
        bool: Decode<'r, R::Database> + Type<R::Database>,
        Column<Json>: Decode<'r, R::Database> + Type<R::Database>,
    {
        let is_there = |index| row.try_get::<Option<bool>, _>(index);
        let mask =
            |index| Ok::<_, sqlx::Error>(is_there(index)?.unwrap_or_default().then_some(MASK));
        Ok(Self {
            id: row.try_get(0)?,
            first_name: row.try_get(1)?,
            last_name: row.try_get(2)?,
            email: row.try_get(3)?,
            password: mask(4)?,
            location: row.try_get(5)?,
            title: row.try_get(6)?,
            description: row.try_get(7)?,
            tags: row.try_get(8)?,
            avatar: row.try_get(9)?,
            language: row.try_get(10)?,
            tfa_secret: mask(11)?,
            status: row.try_get(12)?,
            role: row.try_get(13)?,
            token: mask(14)?,
            last_access: row.try_get(15)?,
            last_page: row.try_get(16)?,
            provider: row.try_get(17)?,
            external_identifier: row.try_get(18)?,
            auth_data: row.try_get(19)?,
            email_notifications: row.try_get(20)?,
            appearance: row.try_get(21)?,
            theme_dark: row.try_get(22)?,
            theme_light: row.try_get(23)?,
            theme_light_overrides: row.try_get(24)?,
            theme_dark_overrides: row.try_get(25)?,
            text_direction: row.try_get(26)?,
            policies: None,
        })
    }
}

/// A time of PostgreSQL.
#[derive(Debug, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct Moment(DateTime<Utc>);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format(self.0))
    }
}

/// RFC 3339 in UTC with milliseconds.
pub(crate) fn format(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}
