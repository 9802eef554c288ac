//! The collections, which are built in: they can be looked at.

use roster_domain::{Action, Collection, Error, Result};
use serde_json::{Value as Json, json};

use super::{LISTED, known};
use crate::context::Context;
use crate::{Inner, access};

/// The collections that the caller may read.
pub(crate) fn collections(inner: &Inner, cx: &Context) -> Result<Vec<Json>> {
    super::readable(cx, Collection::Collections)?;
    let readable = LISTED
        .into_iter()
        .filter(|known| access::grant(cx, Action::Read, *known).is_ok());
    Ok(readable.map(|known| said(inner, known)).collect())
}

/// One collection.
pub(crate) fn collection(inner: &Inner, cx: &Context, name: &str) -> Result<Json> {
    super::readable(cx, Collection::Collections)?;
    let known = known(cx, name).map_err(|_| Error::forbidden())?;
    access::grant(cx, Action::Read, known)?;
    Ok(said(inner, known))
}

fn said(inner: &Inner, collection: Collection) -> Json {
    let is_users = collection == Collection::Users;
    let word = |word: &str| if is_users { json!(word) } else { Json::Null };
    let name = collection.as_str();
    let mut schema = json!({"name": name});
    if inner.store.kind() == "postgres" {
        schema["schema"] = "public".into();
        schema["comment"] = Json::Null;
    }
    json!({
        "collection": name,
        "meta": {
            "collection": name,
            "note": format!("$t:directus_collection.{name}"),
            "hidden": false,
            "singleton": collection == Collection::Settings,
            "icon": icon(collection),
            "translations": null,
            "display_template": word("{{ first_name }} {{ last_name }}"),
            "accountability": "all",
            "archive_field": word("status"),
            "archive_value": word("archived"),
            "unarchive_value": word("draft"),
            "system": true,
        },
        "schema": schema,
    })
}

const fn icon(collection: Collection) -> &'static str {
    match collection {
        Collection::Users => "people_alt",
        Collection::Roles => "supervised_user_circle",
        Collection::Policies | Collection::Access | Collection::Permissions => {
            "admin_panel_settings"
        }
        Collection::Settings => "settings",
        Collection::Files => "folder",
        _ => "history",
    }
}
