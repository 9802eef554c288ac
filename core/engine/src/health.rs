//! How the server is, and what the project is.

use roster_domain::{Principal, Result};
use roster_storage::settings;
use serde::Serialize;
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::Inner;
use crate::context::Context;

/// How the server is.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `ok`, `warn` or `error`.
    pub status: &'static str,
    /// For administrators: the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_id: Option<&'static str>,
    /// For administrators: the id of this node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_id: Option<String>,
    /// For administrators: what was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checks: Option<Json>,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// A database that takes longer is worth a warning, in milliseconds.
const SLOW: u128 = 500;

pub(crate) async fn health(inner: &Inner, cx: &Context) -> Health {
    let begun = Instant::now();
    let answer = inner.store.ping().await;
    let took = begun.elapsed();
    let status = match &answer {
        Err(_) => "error",
        Ok(()) if took.as_millis() > SLOW => "warn",
        Ok(()) => "ok",
    };
    if !cx.rights.admin_access {
        return Health {
            status,
            release_id: None,
            service_id: None,
            checks: None,
        };
    }
    let name = format!("{}:responseTime", inner.store.kind());
    let check = json!([{
        "componentType": "datastore",
        "status": status,
        "observedValue": took.as_secs_f64() * 1_000.0,
        "observedUnit": "ms",
        "threshold": 500,
    }]);
    Health {
        status,
        release_id: Some(VERSION),
        service_id: Some(inner.node.clone()),
        checks: Some(json!({ name: check })),
    }
}

pub(crate) async fn info(inner: &Inner, cx: &Context) -> Result<Json> {
    let project = settings::project(&inner.store).await?;
    let mut info = json!({ "project": project, "setupCompleted": true });
    if matches!(cx.principal, Principal::User { .. })
        && let Some(info) = info.as_object_mut()
    {
        let pages = inner.settings.pages;
        let limit = |limit: Option<u64>| limit.map_or(json!(-1), |limit| json!(limit));
        info.insert("version".to_owned(), json!(VERSION));
        // In seconds (contract/query.md, GET /server/info).
        let rate = inner.settings.accounts.rates.api.map_or(
            json!(false),
            |rate| json!({ "points": rate.count, "duration": rate.per.as_secs() }),
        );
        info.insert("rateLimit".to_owned(), rate);
        info.insert("rateLimitGlobal".to_owned(), json!(false));
        info.insert("websocket".to_owned(), json!(false));
        info.insert("extensions".to_owned(), json!({ "limit": null }));
        let query = json!({ "default": limit(pages.default), "max": limit(pages.max) });
        info.insert("queryLimit".to_owned(), query);
    }
    Ok(info)
}
