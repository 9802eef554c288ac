//! `users.on_archived_email = "inherit"`: an archived user comes back under a new one's details.

use roster_domain::{
    Action, Collection, Draft, Filter, Grant, Key, Query, Reason, Result, Schema, Value, email,
};
use roster_storage::records;
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
    let grant = Grant::system(Reason::Consequence, Action::Read, Collection::Users);
    let users = cx.model.users();
    let archived = Filter::equals("status", "archived");
    let key = email::key(address);
    // The address as it is stored may differ in case; the normalised one decides.
    let text = roster_domain::filter::Pattern {
        text: address.trim().to_owned(),
        place: roster_domain::filter::Place::Anywhere,
        case: roster_domain::filter::Case::Folded,
    };
    let alike = Filter::Field(
        roster_domain::filter::Operand::field("email"),
        roster_domain::filter::Test::Has(text),
    );
    let query = Query::stored(users, &grant, archived.and(alike));
    let found = records::list(&inner.store, &cx.model, &query).await?;
    let same = found.iter().find(|item| {
        let stored = item.get("email").and_then(Value::as_text);
        stored.is_some_and(|stored| email::key(stored) == key)
    });
    Ok(same.and_then(roster_domain::Item::key))
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
