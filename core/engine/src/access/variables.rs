//! What `$CURRENT_USER.location` and its like lead to.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use roster_domain::query::{Ask, PageLimits, Parameters};
use roster_domain::variables::{self as names, Variables};
use roster_domain::{Action, Collection, Filter, Grant, Model, Principal, Query, Reason, Result};
use roster_storage::{Store, records};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::grant;
use crate::Inner;
use crate::context::Context;

/// What paths such as `$CURRENT_USER.location` lead to: one statement for each variable.
pub(super) async fn follow(
    store: &Store,
    model: &Arc<Model>,
    values: &Variables,
    paths: &BTreeSet<String>,
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
        let grant = Grant::system(Reason::Variables, Action::Read, collection);
        for path in wanted() {
            let ask = Ask {
                model,
                grant: &grant,
                variables: values,
                pages: PageLimits::NONE,
            };
            let parameters = Map::from_iter([("fields".to_owned(), json!([path]))]);
            // A path that does not exist is null.
            let Ok(mut query) = Query::parse(&ask, &parameters) else {
                continue;
            };
            query.filter = Filter::one_of("id", keys.iter().copied());
            let items = records::list(store, model, &query).await?;
            let jsons: Vec<Json> = items.iter().map(|item| json!(item)).collect();
            let mut reached = Vec::new();
            for json in &jsons {
                walk(json, &path.split('.').collect::<Vec<_>>(), &mut reached);
            }
            let is_one = matches!(root, "$CURRENT_USER" | "$CURRENT_ROLE") && reached.len() == 1;
            let value = if is_one {
                reached.swap_remove(0)
            } else {
                Json::Array(reached)
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
        // What the caller may not read of themselves is not compared with either.
        paths.retain(|path| may_follow(cx, path));
        values.paths = follow(&inner.store, &cx.model, &values, &paths).await?;
    }
    Ok(values)
}

/// Whether a query may compare with a path: its first field has to be readable.
fn may_follow(cx: &Context, path: &str) -> bool {
    let (root, rest) = path.split_once('.').unwrap_or((path, ""));
    let collection = match root {
        "$CURRENT_USER" => Collection::Users,
        "$CURRENT_ROLE" | "$CURRENT_ROLES" => Collection::Roles,
        _ => Collection::Policies,
    };
    let Ok(mut grant) = grant(cx, Action::Read, collection) else {
        return false;
    };
    let mut schema = cx.model.schema(collection);
    for name in rest.split('.') {
        let Some(field) = schema.and_then(|schema| schema.field(name)) else {
            return false;
        };
        if !grant.allows(name) || field.is_concealed {
            return false;
        }
        let Some(to) = field.leads_to() else { break };
        let Some(next) = grant.related(to) else {
            return rest.ends_with(name);
        };
        grant = next;
        schema = cx.model.schema(to);
    }
    true
}
