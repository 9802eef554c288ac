//! What `$CURRENT_USER.location` and its like lead to.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use roster_domain::query::{Ask, PageLimits, Parameters};
use roster_domain::variables::{self as names, Variables};
use roster_domain::{Action, Collection, Grant, Key, Model, Principal, Query, Reason, Result};
use roster_storage::{Store, records};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::grant;
use crate::Inner;
use crate::context::Context;

/// What paths such as `$CURRENT_USER.location` lead to. For a rule that is whatever there is, for
/// the caller what they see of it.
pub(super) async fn follow(
    store: &Store,
    model: &Arc<Model>,
    values: &Variables,
    paths: &BTreeSet<String>,
    caller: Option<&Context>,
) -> Result<HashMap<String, Json>> {
    let mut found = HashMap::new();
    for root in names::ROOTS {
        let prefix = format!("{root}.");
        let wanted = || paths.iter().filter_map(|path| path.strip_prefix(&prefix));
        let (collection, keys): (_, Vec<Uuid>) = match root {
            "$CURRENT_USER" => (Collection::Users, values.user.into_iter().collect()),
            "$CURRENT_ROLE" => (Collection::Roles, values.role.into_iter().collect()),
            "$CURRENT_ROLES" => (Collection::Roles, values.roles.clone()),
            _ => (Collection::Policies, values.policies.clone()),
        };
        if keys.is_empty() || wanted().next().is_none() {
            continue;
        }
        let grant = match caller.map(|cx| grant(cx, Action::Read, collection)) {
            None => Grant::system(Reason::Variables, Action::Read, collection),
            Some(Ok(grant)) => grant,
            Some(Err(_)) => continue,
        };
        for path in wanted() {
            let ask = Ask {
                model,
                grant: &grant,
                variables: values,
                pages: PageLimits::NONE,
            };
            let parameters = Map::from_iter([("fields".to_owned(), json!([path]))]);
            // A path that does not exist, or that the caller may not follow, is null.
            let Ok(query) = Query::parse(&ask, &parameters) else {
                continue;
            };
            let mut reached = Vec::new();
            for key in &keys {
                let item = records::get(store, model, &query, Key::Uuid(*key)).await?;
                walk(
                    &json!(item),
                    &path.split('.').collect::<Vec<_>>(),
                    &mut reached,
                );
            }
            let is_one = matches!(root, "$CURRENT_USER" | "$CURRENT_ROLE");
            let value = match reached.len() {
                0 if is_one => Json::Null,
                1 if is_one => reached.swap_remove(0),
                _ => Json::Array(reached),
            };
            found.insert(format!("{prefix}{path}"), value);
        }
    }
    Ok(found)
}

fn walk(json: &Json, path: &[&str], reached: &mut Vec<Json>) {
    match (json, path.split_first()) {
        (Json::Array(items), _) => items.iter().for_each(|item| walk(item, path, reached)),
        (json, None) => reached.push(json.clone()),
        (Json::Object(map), Some((name, rest))) => {
            if let Some(value) = map.get(*name) {
                walk(value, rest, reached);
            }
        }
        _ => {}
    }
}

/// What variables stand for in a request, those in its own filters included.
pub(crate) async fn variables(
    inner: &Inner,
    cx: &Context,
    parameters: &Parameters,
) -> Result<Variables> {
    let (user, role) = match &cx.principal {
        Principal::User { id, role, .. } => (Some(id.0), role.map(|role| role.0)),
        Principal::Public | Principal::System(_) => (None, None),
    };
    let mut values = Variables {
        now: cx.now,
        user,
        role,
        roles: cx.rights.roles.clone(),
        policies: cx.rights.policies.clone(),
        paths: HashMap::new(),
    };
    let mut paths = BTreeSet::new();
    for name in ["filter", "deep"] {
        match parameters.get(name) {
            Some(Json::String(text)) if text.contains("$CURRENT_") => {
                // What is no JSON is refused where the query is understood.
                if let Ok(json) = serde_json::from_str(text) {
                    names::paths(&json, &mut paths);
                }
            }
            Some(json) => names::paths(json, &mut paths),
            None => {}
        }
    }
    if !paths.is_empty() {
        values.paths = follow(&inner.store, &cx.model, &values, &paths, Some(cx)).await?;
    }
    Ok(values)
}
