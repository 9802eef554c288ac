//! Removing a user.

use roster_domain::{Action, Collection, Error, Grant, Result, UserId};
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
    let mut attempts = Attempts::first();
    loop {
        let done = once(inner, cx, &grant, id).await;
        if !attempts.again(&done) {
            return done;
        }
    }
}

async fn once(inner: &Inner, cx: &Context, grant: &Grant, id: UserId) -> Result<()> {
    let stored = users::load(&inner.store, grant, Action::Delete, id, &inner.everything).await?;
    let stored = stored.ok_or_else(Error::forbidden)?;
    hooks::before_delete(inner, cx, id.0, &stored).await?;

    let mut tx = inner.store.begin().await?;
    users::delete(&mut tx, grant, id, stored.version, &inner.schema).await?;
    users::keep_an_administrator(&mut tx).await?;
    record(
        &mut tx,
        cx,
        Change {
            action: "delete",
            id: id.0,
            revision: None,
        },
    )
    .await?;
    let told = tell(inner, &mut tx, cx, Event::AfterDelete, id.0, |occasion| {
        AfterPayload {
            occasion,
            record: stored.item.to_json(),
            changed: Vec::new(),
            provider: None,
            mode: None,
        }
    })
    .await?;
    commit(inner, tx, told).await
}
