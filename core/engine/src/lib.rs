//! What the system can do: one use case a file, on top of storage, hooks and secrets.

#![forbid(unsafe_code)]

mod context;

pub use context::{Client, Context, Source};

use roster_domain::query::{PageLimits, Parameters};
use roster_domain::{Item, Result, Schema};
use serde_json::Value as Json;
use std::sync::Arc;

/// The tokens of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The JWT of a request.
    pub access_token: String,
    /// The handle that gives the next pair.
    pub refresh_token: String,
    /// How long the access token lives, in milliseconds.
    pub expires: u64,
}

/// A page of records with the counts that were asked for.
#[derive(Debug, Clone)]
pub struct List {
    /// The records.
    pub items: Vec<Item>,
    /// Of the records the principal may read.
    pub total_count: Option<u64>,
    /// Of those that pass the filter.
    pub filter_count: Option<u64>,
}

/// How the server is.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `ok`, `warn` or `error`.
    pub status: &'static str,
    /// For administrators: the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_id: Option<String>,
    /// For administrators: the id of this node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_id: Option<String>,
    /// For administrators: what was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checks: Option<Json>,
}

#[derive(Clone)]
pub struct Engine {}

impl Engine {
    pub async fn authenticate(&self, token: Option<&str>, client: Client) -> Result<Context> { todo!() }
    pub async fn create_user(&self, cx: &Context, body: &Json, parameters: &Parameters) -> Result<Option<Item>> { todo!() }
    pub async fn list_users(&self, cx: &Context, parameters: &Parameters) -> Result<List> { todo!() }
    pub async fn read_user(&self, cx: &Context, id: &str, parameters: &Parameters) -> Result<Item> { todo!() }
    pub async fn read_me(&self, cx: &Context, parameters: &Parameters) -> Result<Item> { todo!() }
    pub async fn update_user(&self, cx: &Context, id: &str, body: &Json, parameters: &Parameters) -> Result<Option<Item>> { todo!() }
    pub async fn update_me(&self, cx: &Context, body: &Json, parameters: &Parameters) -> Result<Item> { todo!() }
    pub async fn delete_user(&self, cx: &Context, id: &str) -> Result<()> { todo!() }
    pub async fn login(&self, cx: &Context, body: &Json) -> Result<Tokens> { todo!() }
    pub async fn refresh(&self, cx: &Context, body: &Json) -> Result<Tokens> { todo!() }
    pub async fn logout(&self, cx: &Context, body: &Json) -> Result<()> { todo!() }
    pub async fn health(&self, cx: &Context) -> Health { todo!() }
    pub async fn info(&self, cx: &Context) -> Result<Json> { todo!() }
    pub fn schema(&self) -> Arc<Schema> { todo!() }
    pub fn page_limits(&self) -> PageLimits { todo!() }
}
