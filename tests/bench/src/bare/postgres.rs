//! The statements over PostgreSQL.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::types::Json;
use sqlx::{Result, Row};
use uuid::Uuid;

use crate::database::{Change, Database, LISTED, Page, STATEMENT_CACHE, began_after, cores};
use crate::user::{self, Moment, OWN_COLUMNS};

type User = user::User<Uuid, Moment>;

/// One pool, as Roster has it.
pub(crate) struct Postgres(PgPool);

impl Postgres {
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("bare")
            .statement_cache_capacity(STATEMENT_CACHE);
        let pool = PgPoolOptions::new()
            .max_connections((cores() * 4).max(10))
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options)
            .await?;
        Ok(Self(pool))
    }
}

impl Database for Postgres {
    type User = User;

    async fn bearer(
        &self,
        user: Uuid,
        session: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<String>> {
        let row = sqlx::query(include_str!("postgres/bearer.sql"))
            .bind(session)
            .bind(user)
            .bind(now)
            .bind(began_after(now))
            .fetch_optional(&self.0)
            .await?;
        row.map(|row| row.try_get(1)).transpose()
    }

    async fn one(&self, id: Uuid) -> Result<Option<User>> {
        let row = sqlx::query(include_str!("postgres/one.sql"))
            .bind(LISTED)
            .bind(id)
            .fetch_optional(&self.0)
            .await?;
        row.as_ref().map(User::read).transpose()
    }

    async fn page(&self, page: &Page) -> Result<Vec<User>> {
        let rows: Vec<PgRow> = match page {
            Page::First(limit) => {
                sqlx::query(include_str!("postgres/page.sql"))
                    .bind(LISTED)
                    .bind(limit)
                    .bind(0_i64)
                    .fetch_all(&self.0)
                    .await?
            }
            Page::OfStatusByName(status, limit) => {
                sqlx::query(include_str!("postgres/page_of_status.sql"))
                    .bind(LISTED)
                    .bind(status)
                    .bind(limit)
                    .bind(0_i64)
                    .fetch_all(&self.0)
                    .await?
            }
        };
        rows.iter().map(User::read).collect()
    }

    async fn change(&self, change: &Change) -> Result<Option<User>> {
        let id = change.user;
        let loaded = sqlx::query(include_str!("postgres/load.sql"))
            .bind(id)
            .fetch_optional(&self.0)
            .await?;
        let Some(loaded) = loaded else {
            return Ok(None);
        };
        let version: i64 = loaded.try_get(OWN_COLUMNS)?;
        let mut after = User::read_own(&loaded)?;
        after.title = Some(change.title.clone());

        let mut tx = self.0.begin().await?;
        let updated = sqlx::query(include_str!("postgres/update.sql"))
            .bind(&change.title)
            .bind(version + 1)
            .bind(id)
            .bind(version)
            .execute(&mut *tx)
            .await?;
        if updated.rows_affected() != 1 {
            return Ok(None);
        }
        let activity: i64 = sqlx::query(include_str!("postgres/activity.sql"))
            .bind("update")
            .bind(id)
            .bind(change.now)
            .bind(change.ip.map(|ip| ip.to_string()))
            .bind(None::<String>)
            .bind("directus_users")
            .bind(id.to_string())
            .bind(None::<String>)
            .bind("rest")
            .bind("success")
            .bind(None::<Json<()>>)
            .fetch_one(&mut *tx)
            .await?
            .try_get(0)?;
        sqlx::query(include_str!("postgres/revision.sql"))
            .bind(activity)
            .bind("directus_users")
            .bind(id.to_string())
            .bind(Json(&after))
            .bind(Json(serde_json::json!({ "title": change.title })))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.one(id).await
    }
}
