//! The statements over an SQLite file.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{Result, Row};
use uuid::Uuid;

use crate::database::{Change, Database, LISTED, Page, STATEMENT_CACHE, began_after, cores};
use crate::user::{self, OWN_COLUMNS, format};

type User = user::User<String, String>;

/// One writer and several readers over one file, as Roster has them.
pub(crate) struct Sqlite {
    readers: SqlitePool,
    writer: SqlitePool,
}

impl Sqlite {
    pub(crate) async fn open(file: &str) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(STATEMENT_CACHE)
            .optimize_on_close(true, 400)
            .with_regexp();
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(Duration::from_secs(5))
                .test_before_acquire(false)
        };
        let writer = pool(1).connect_with(options.clone()).await?;
        let readers = pool(cores().max(4)).connect_with(options).await?;
        Ok(Self { readers, writer })
    }
}

impl Database for Sqlite {
    type User = User;

    async fn bearer(
        &self,
        user: Uuid,
        session: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<String>> {
        let row = sqlx::query(include_str!("sqlite/bearer.sql"))
            .bind(session.to_string())
            .bind(user.to_string())
            .bind(format(now))
            .bind(format(began_after(now)))
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| row.try_get(1)).transpose()
    }

    async fn one(&self, id: Uuid) -> Result<Option<User>> {
        let row = sqlx::query(include_str!("sqlite/one.sql"))
            .bind(LISTED)
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(User::read).transpose()
    }

    async fn page(&self, page: &Page) -> Result<Vec<User>> {
        let rows: Vec<SqliteRow> = match page {
            Page::First(limit) => {
                sqlx::query(include_str!("sqlite/page.sql"))
                    .bind(LISTED)
                    .bind(limit)
                    .bind(0_i64)
                    .fetch_all(&self.readers)
                    .await?
            }
            Page::OfStatusByName(status, limit) => {
                sqlx::query(include_str!("sqlite/page_of_status.sql"))
                    .bind(LISTED)
                    .bind(status)
                    .bind(limit)
                    .bind(0_i64)
                    .fetch_all(&self.readers)
                    .await?
            }
        };
        rows.iter().map(User::read).collect()
    }

    async fn change(&self, change: &Change) -> Result<Option<User>> {
        let (id, now) = (change.user.to_string(), format(change.now));
        let loaded = sqlx::query(include_str!("sqlite/load.sql"))
            .bind(&id)
            .fetch_optional(&self.readers)
            .await?;
        let Some(loaded) = loaded else {
            return Ok(None);
        };
        let version: i64 = loaded.try_get(OWN_COLUMNS)?;
        let mut after = User::read_own(&loaded)?;
        after.title = Some(change.title.clone());
        let data =
            serde_json::to_string(&after).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let delta = serde_json::json!({ "title": change.title }).to_string();

        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let updated = sqlx::query(include_str!("sqlite/update.sql"))
            .bind(&change.title)
            .bind(version + 1)
            .bind(&id)
            .bind(version)
            .execute(&mut *tx)
            .await?;
        if updated.rows_affected() != 1 {
            return Ok(None);
        }
        let activity: i64 = sqlx::query(include_str!("sqlite/activity.sql"))
            .bind("update")
            .bind(&id)
            .bind(now)
            .bind(change.ip.map(|ip| ip.to_string()))
            .bind(None::<String>)
            .bind("directus_users")
            .bind(&id)
            .bind(None::<String>)
            .bind("rest")
            .bind("success")
            .bind(None::<String>)
            .fetch_one(&mut *tx)
            .await?
            .try_get(0)?;
        sqlx::query(include_str!("sqlite/revision.sql"))
            .bind(activity)
            .bind("directus_users")
            .bind(&id)
            .bind(data)
            .bind(delta)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.one(change.user).await
    }
}
