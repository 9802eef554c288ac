//! Removing a user.

use roster_domain::{Action, Collection, Error, Grant, Result, UserId};
use serde_json::Value as Json;

use super::batch;
use super::read::{load, select};
use roster_sdk::Event;
use roster_storage::users;

use crate::context::Context;
use crate::hooks::AfterPayload;
use crate::write::{Attempts, Change, commit, record, tell};
use crate::{Inner, access, hooks};

/// Removes the user of that id.
pub(crate) async fn run(inner: &Inner, cx: &Context, id: &str) -> Result<()> {
    let grant = access::grant(cx, Action::Delete, Collection::Users)?;
    let id = UserId::parse(id).ok_or_else(Error::forbidden)?;
    repeat(inner, cx, &grant, &[id]).await
}

/// Removes many users, all or none.
pub(crate) async fn many(inner: &Inner, cx: &Context, body: &Json) -> Result<()> {
    let grant = access::grant(cx, Action::Delete, Collection::Users)?;
    let mut ids = select(inner, cx, &batch::removals(body)?).await?;
    ids.sort_unstable();
    ids.dedup();
    repeat(inner, cx, &grant, &ids).await
}

async fn repeat(inner: &Inner, cx: &Context, grant: &Grant, ids: &[UserId]) -> Result<()> {
    let mut attempts = Attempts::first();
    loop {
        let done = once(inner, cx, grant, ids).await;
        if !attempts.again(&done) {
            return done;
        }
    }
}

async fn once(inner: &Inner, cx: &Context, grant: &Grant, ids: &[UserId]) -> Result<()> {
    let stored = load(inner, grant, Action::Delete, ids).await?;
    for (id, stored) in ids.iter().zip(&stored) {
        hooks::before_delete(inner, cx, id.0, stored).await?;
    }
    if stored.is_empty() {
        return Ok(());
    }
    let mut tx = inner.store.begin().await?;
    let mut told = false;
    for (id, stored) in ids.iter().zip(&stored) {
        users::delete(&mut tx, grant, *id, stored.version, &inner.schema).await?;
        let change = Change::user("delete", id.0, None);
        record(&mut tx, cx, change).await?;
        let after = tell(inner, &mut tx, cx, Event::AfterDelete, id.0, |occasion| {
            AfterPayload {
                occasion,
                record: stored.item.to_json(),
                changed: Vec::new(),
                provider: None,
                mode: None,
            }
        });
        told |= after.await?;
    }
    users::keep_an_administrator(&mut tx).await?;
    commit(inner, tx, told).await
}
