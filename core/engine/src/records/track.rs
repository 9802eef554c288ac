//! The page a user was on last.

use roster_domain::{Code, Error, Principal, Result};
use roster_storage::unguarded;
use serde_json::Value as Json;

use crate::Inner;
use crate::context::Context;

/// The column takes no more, in characters.
const LONGEST: usize = 255;

/// Remembers the caller's page. Navigation is no event: no hook, activity or revision.
pub(crate) async fn run(inner: &Inner, cx: &Context, body: &Json) -> Result<()> {
    let Principal::User { id, .. } = cx.principal else {
        return Err(Code::InvalidCredentials.into());
    };
    let page = body
        .get("last_page")
        .and_then(Json::as_str)
        .filter(|page| !page.is_empty());
    let page = page.ok_or_else(|| Error::invalid_payload("\"last_page\" key is required"))?;
    if page.chars().count() > LONGEST || page.contains('\0') {
        let reason =
            format!("\"last_page\" takes at most {LONGEST} characters, none of them U+0000");
        return Err(Error::invalid_payload(reason));
    }
    let mut tx = inner.store.begin().await?;
    unguarded::track(&mut tx, id, page).await?;
    tx.commit().await
}
