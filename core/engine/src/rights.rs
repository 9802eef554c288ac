//! What the caller may do, said to the caller (contract/access-control.md §10).

use std::collections::BTreeSet;

use roster_domain::access::{Names, Rule};
use roster_domain::{Action, Collection, Error, Filter, Key, Principal, Result};
use roster_storage::records;
use serde_json::{Map, Value as Json, json};

use crate::context::Context;
use crate::{Inner, access};

/// The flags that one of the caller's policies sets.
pub(crate) fn globals(cx: &Context) -> Json {
    match cx.principal {
        Principal::Public => json!({"app_access": false}),
        _ => json!({
            "app_access": cx.rights.app_access,
            "admin_access": cx.rights.admin_access,
            "enforce_tfa": cx.rights.enforce_tfa,
        }),
    }
}

fn refuse_strangers(cx: &Context) -> Result<()> {
    match cx.principal {
        Principal::Public => Err(Error::forbidden()),
        _ => Ok(()),
    }
}

/// Everything the caller may do, by collection and action.
pub(crate) fn mine(cx: &Context) -> Result<Json> {
    refuse_strangers(cx)?;
    let mut all = Map::new();
    for collection in Collection::ALL {
        let actions = Action::ALL.map(|action| (action.as_str(), of(cx, action, collection)));
        let is_any = actions.iter().any(|(_, said)| said["access"] != "none");
        if !is_any {
            continue;
        }
        let mut said: Map<String, Json> = actions
            .into_iter()
            .map(|(name, said)| (name.to_owned(), said))
            .collect();
        let share = if cx.rights.admin_access {
            json!({"access": "full", "fields": ["*"]})
        } else {
            json!({"access": "none"})
        };
        said.insert("share".to_owned(), share);
        all.insert(collection.as_str().to_owned(), Json::Object(said));
    }
    Ok(Json::Object(all))
}

fn of(cx: &Context, action: Action, collection: Collection) -> Json {
    let Ok(grant) = access::grant(cx, action, collection) else {
        return json!({"access": "none"});
    };
    let Some(rules) = grant.rules() else {
        return json!({"access": "full", "fields": ["*"]});
    };
    let is_full = rules.iter().all(|rule| rule.filter == Filter::Everything);
    let mut said = json!({
        "access": if is_full { "full" } else { "partial" },
        "fields": fields(cx, collection, rules),
    });
    if matches!(action, Action::Create | Action::Update) {
        let presets = grant.presets();
        if !presets.is_empty() {
            said["presets"] = Json::Object(presets.into_owned());
        }
    }
    said
}

fn fields(cx: &Context, collection: Collection, rules: &[Rule]) -> Json {
    let mut names = BTreeSet::new();
    for rule in rules {
        match &rule.fields {
            Names::All => return json!(["*"]),
            Names::Some(some) => names.extend(some.iter().cloned()),
            Names::AllBut(_) => {
                let fields = cx.model.schema(collection).map_or(&[][..], |s| s.fields());
                let names_of = fields.iter().map(|field| &field.name);
                names.extend(names_of.filter(|name| rule.fields.contains(name)).cloned());
            }
        }
    }
    json!(names)
}

/// Whether the caller may change, remove and share a record, or any of a collection.
pub(crate) async fn of_item(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    id: Option<&str>,
) -> Result<Json> {
    refuse_strangers(cx)?;
    let known = Collection::parse(collection);
    let schema = known.and_then(|known| cx.model.schema(known));
    let (Some(known), Some(schema)) = (known, schema) else {
        return Ok(answer(cx.rights.admin_access, cx.rights.admin_access, cx));
    };
    let key = if known == Collection::Settings {
        Some(Key::Serial(1))
    } else {
        id.and_then(|id| schema.key_of(id))
    };
    let is_malformed = id.is_some() && key.is_none();
    let mut may = [false; 2];
    for (may, action) in may.iter_mut().zip([Action::Update, Action::Delete]) {
        let Ok(grant) = access::grant(cx, action, known) else {
            continue;
        };
        *may = match key {
            _ if grant.rules().is_none() => true,
            _ if is_malformed => false,
            None => true,
            Some(key) => {
                let fields = inner.stored_fields(schema);
                let found = records::load(&inner.store, &cx.model, &grant, action, key, &fields);
                found.await?.is_some()
            }
        };
    }
    let mut said = answer(may[0], may[1], cx);
    if known == Collection::Settings && may[0] {
        let update = of(cx, Action::Update, known);
        said["update"]["fields"] = update["fields"].clone();
        said["update"]["presets"] = update["presets"].clone();
    }
    Ok(said)
}

fn answer(update: bool, delete: bool, cx: &Context) -> Json {
    json!({
        "update": {"access": update},
        "delete": {"access": delete},
        "share": {"access": cx.rights.admin_access},
    })
}
