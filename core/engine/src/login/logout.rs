//! Ending a session.

use roster_domain::Result;
use roster_domain::session::Proof;
use roster_storage::sessions;
use serde_json::Value as Json;

use super::Cookies;
use super::mode::presented;
use crate::Inner;
use crate::context::Context;
use crate::write::{Change, record};

/// Ends the session of a refresh token. An unknown token is fine and changes nothing.
pub(crate) async fn run(inner: &Inner, cx: &Context, body: &Json, cookies: &Cookies) -> Result<()> {
    let Some(token) = presented(inner, cx, body, cookies)?.token else {
        return Ok(());
    };
    let Some(session) = sessions::find(&inner.store, token.session).await? else {
        return Ok(());
    };
    if token.proof(&inner.keys, &session) == Proof::None {
        return Ok(());
    }
    let mut tx = inner.store.begin().await?;
    sessions::end(&mut tx, session.id).await?;
    let change = Change::session("logout", session.user.0);
    record(&mut tx, cx, change).await?;
    tx.commit().await
}
