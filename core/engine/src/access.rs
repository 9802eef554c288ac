//! What a principal's policies come to, cached under everything that decided it.

use moka::future::Cache;
use roster_domain::{Action, Collection, Grant, Result, Rights, UserId, authorize};
use roster_storage::unguarded::{self, Bearer};

use crate::Inner;
use crate::context::Context;

/// The user, their generation and the rules' epoch: a change of any of them is another key.
type Key = (UserId, i64, i64);

/// Rights by user.
pub(crate) struct RightsCache(Cache<Key, Rights>);

impl RightsCache {
    pub(crate) fn new() -> Self {
        Self(Cache::new(100_000))
    }
}

/// The rights of a user, from the cache if nothing that decides them has changed.
pub(crate) async fn rights(inner: &Inner, bearer: &Bearer) -> Result<Rights> {
    let key = (bearer.id, bearer.generation, bearer.rules_epoch);
    if let Some(rights) = inner.rights.0.get(&key).await {
        return Ok(rights);
    }
    let rights = unguarded::rights(&inner.store, bearer.id).await?;
    inner.rights.0.insert(key, rights).await;
    Ok(rights)
}

/// The grant of a request for an action on a collection.
pub(crate) fn grant(cx: &Context, action: Action, collection: Collection) -> Result<Grant> {
    authorize(&cx.principal, cx.rights, action, collection)
}
