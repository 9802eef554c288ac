//! `users.on_archived_email = "inherit"`: an archived user comes back under a new one's details.

use roster_domain::{
    Action, Collection, Draft, Filter, Grant, Key, Query, Reason, Result, Schema, email,
};
use roster_storage::{records, unguarded};
use serde_json::{Map, Value as Json};

use crate::Inner;
use crate::context::{Context, Source};

/// The archived user with the address of a new one. Strangers never bring anybody back: it takes
/// an authorised create.
pub(super) async fn find(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    body: &Map<String, Json>,
) -> Result<Option<Key>> {
    let is_authorised = matches!(
        cx.client.source,
        Source::Rest | Source::Import | Source::CommandLine
    );
    if collection != Collection::Users || !inner.settings.users.inherits || !is_authorised {
        return Ok(None);
    }
    let Some(address) = body.get("email").and_then(Json::as_str) else {
        return Ok(None);
    };
    let known = unguarded::user_by_email(&inner.store, &email::key(address)).await?;
    let Some(id) = known else { return Ok(None) };
    let grant = Grant::system(Reason::Consequence, Action::Read, Collection::Users);
    let archived = Filter::equals("status", "archived").and(Filter::equals_key(id.into()));
    let query = Query::keys(cx.model.users(), &grant, archived);
    let found = records::find(&inner.store, &cx.model, &query).await?;
    Ok(found.first().copied())
}

/// The body without the id: that of the archived user stays.
pub(super) fn fresh(mut body: Map<String, Json>) -> Map<String, Json> {
    body.remove("id");
    body
}

/// What the new details say nothing of is as in a new record; what let the old user in is gone.
pub(super) fn complete(users: &Schema, draft: &mut Draft) {
    for field in users.fields().iter().filter(|field| field.is_stored()) {
        let stays = matches!(field.name.as_str(), "id" | "last_access" | "last_page");
        if !stays && draft.get(&field.name).is_none() {
            draft.set(&field.name, field.default.clone());
        }
    }
}
