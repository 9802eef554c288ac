//! What a principal's policies come to, cached under everything that decided it.

pub(crate) mod explain;
pub(crate) mod minimal;
pub(crate) mod presets;
pub(crate) mod simulate;
mod variables;

pub(crate) use variables::variables;

use self::variables::follow;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use moka::future::Cache;
use roster_domain::access::{Names, Rule};
use roster_domain::filter::{Limits, Reader, Uses};
use roster_domain::variables::{self as names, Variables};
use roster_domain::{
    Action, Collection, Filter, Grant, Model, Result, Rights, RoleId, Timestamp, UserId, address,
    authorize,
};
use roster_storage::Store;
use roster_storage::unguarded::{self, Bearer, Holdings, KeptRule};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::context::Context;
use crate::{Inner, plugins};

/// Who acts: a user with a role, or nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Actor {
    pub(crate) user: Option<UserId>,
    pub(crate) role: Option<RoleId>,
    /// Raised whenever something changes about the user that rights depend on.
    pub(crate) generation: i64,
    /// Raised whenever a role, policy or rule changes.
    pub(crate) rules_epoch: i64,
}

/// The actor, the epoch of the fields, and which of the actor's policies hold: at the address, and
/// for the token.
type Key = (Actor, u64, Vec<bool>);

/// Holdings and rights by actor. A change of anything that decides them is another key.
pub(crate) struct RightsCache {
    holdings: Cache<Actor, Arc<Holdings>>,
    rights: Cache<Key, Arc<Rights>>,
}

impl RightsCache {
    pub(crate) fn new() -> Self {
        Self {
            holdings: Cache::new(100_000),
            rights: Cache::new(100_000),
        }
    }
}

/// What decides what an actor may do, before addresses and variables are looked at.
pub(crate) async fn holdings(inner: &Inner, actor: Actor) -> Result<Arc<Holdings>> {
    if let Some(known) = inner.rights.holdings.get(&actor).await {
        return Ok(known);
    }
    let found = Arc::new(unguarded::holdings(&inner.store, actor.user, actor.role).await?);
    inner
        .rights
        .holdings
        .insert(actor, Arc::clone(&found))
        .await;
    Ok(found)
}

/// What an actor may do from an address at a moment.
pub(crate) async fn rights(
    inner: &Inner,
    model: &Arc<Model>,
    actor: Actor,
    ip: Option<IpAddr>,
    now: Timestamp,
) -> Result<Arc<Rights>> {
    narrowed_rights(inner, model, actor, ip, now, None).await
}

/// The same with no more than these policies, as far as the actor holds them now.
pub(crate) async fn narrowed_rights(
    inner: &Inner,
    model: &Arc<Model>,
    actor: Actor,
    ip: Option<IpAddr>,
    now: Timestamp,
    narrowed: Option<&[Uuid]>,
) -> Result<Arc<Rights>> {
    let holdings = holdings(inner, actor).await?;
    let policies = holdings.policies.iter();
    let holds: Vec<bool> = policies
        .map(|held| {
            address::reaches(held.ip_access.as_deref(), ip)
                && narrowed.is_none_or(|policies| policies.contains(&held.policy))
        })
        .collect();
    let key = (actor, model.epoch(), holds);
    if let Some(rights) = inner.rights.rights.get(&key).await {
        return Ok(rights);
    }
    let compiled = compile(&inner.store, model, actor, &holdings, &key.2, now).await?;
    let rights = Arc::new(compiled.rights);
    if compiled.is_lasting {
        inner.rights.rights.insert(key, Arc::clone(&rights)).await;
    }
    Ok(rights)
}

/// The caller after a write of theirs: who they are and what they hold is what it was, the values
/// that their rules look at are those there are now. Nothing where the rules look at none.
pub(crate) async fn after_write(inner: &Inner, cx: &Context) -> Result<Option<Context>> {
    let (Some(actor), true) = (cx.actor, cx.rights.is_derived && !cx.rights.is_locked) else {
        return Ok(None);
    };
    let kept = cx.is_narrowed.then_some(cx.rights.policies.as_slice());
    let rights = narrowed_rights(inner, &cx.model, actor, cx.client.ip, cx.now, kept).await?;
    let cx = Context {
        rights,
        ..cx.clone()
    };
    let rights = plugins::narrow_rights(inner, &cx).await?;
    Ok(Some(Context { rights, ..cx }))
}

/// What a user may do who is about to begin or go on with a session.
pub(crate) async fn of_bearer(inner: &Inner, cx: &Context, bearer: &Bearer) -> Result<Arc<Rights>> {
    let model = inner.model_at(bearer.schema_epoch).await?;
    let actor = Actor {
        user: Some(bearer.id),
        role: bearer.role,
        generation: bearer.generation,
        rules_epoch: bearer.rules_epoch,
    };
    rights(inner, &model, actor, cx.client.ip, cx.now).await
}

/// Rights, and whether they are the same at another moment.
struct Compiled {
    rights: Rights,
    is_lasting: bool,
}

async fn compile(
    store: &Store,
    model: &Arc<Model>,
    actor: Actor,
    holdings: &Holdings,
    holds: &[bool],
    now: Timestamp,
) -> Result<Compiled> {
    let held = || {
        holdings
            .policies
            .iter()
            .zip(holds)
            .filter(|(_, holds)| **holds)
            .map(|(held, _)| held)
    };
    let mut policies = Vec::new();
    for policy in held().map(|held| held.policy) {
        if !policies.contains(&policy) {
            policies.push(policy);
        }
    }
    // What everybody without a role has never makes an administrator.
    let flags = || held().filter(|held| held.is_own || held.role.is_some());
    let admin_access = flags().any(|held| held.admin_access);
    let mut rights = Rights {
        admin_access,
        app_access: admin_access || flags().any(|held| held.app_access),
        enforce_tfa: flags().any(|held| held.enforce_tfa),
        roles: holdings.roles.clone(),
        policies,
        ..Rights::default()
    };
    if admin_access {
        return Ok(Compiled {
            rights,
            is_lasting: true,
        });
    }
    let kept = || {
        let place = |rule: &KeptRule| rights.policies.iter().position(|id| *id == rule.policy);
        let mut kept: Vec<(usize, &KeptRule)> = holdings
            .rules
            .iter()
            .filter_map(|rule| Some((place(rule)?, rule)))
            .collect();
        kept.sort_by_key(|(place, rule)| (*place, rule.id));
        kept
    };
    let kept = kept();
    let (mut paths, mut depends_on_now) = (BTreeSet::new(), false);
    for json in kept
        .iter()
        .flat_map(|(_, rule)| [&rule.permissions, &rule.validation, &rule.presets])
        .flatten()
    {
        names::paths(json, &mut paths);
        depends_on_now |= names::depends_on_now(json);
    }
    let is_lasting = paths.is_empty() && !depends_on_now;
    rights.is_derived = !paths.is_empty();
    let mut values = Variables {
        now,
        user: actor.user.map(|user| user.0),
        role: actor.role.map(|role| role.0),
        roles: rights.roles.clone(),
        policies: rights.policies.clone(),
        paths: HashMap::new(),
    };
    values.paths = follow(store, model, &values, &paths, None).await?;
    let mut rules: HashMap<(Collection, Action), Vec<Rule>> = HashMap::new();
    for (_, kept) in kept {
        if let Some((about, rule)) = understood(model, &values, kept) {
            rules.entry(about).or_default().push(rule);
        }
    }
    if rights.app_access {
        for (about, rule) in minimal::rules(model, &values) {
            rules.entry(about).or_default().push(rule);
        }
    }
    rights.rules = rules
        .into_iter()
        .map(|(about, rules)| (about, rules.into()))
        .collect();
    Ok(Compiled { rights, is_lasting })
}

/// A permission with its variables replaced. One that cannot be read gives nothing: it denies.
fn understood(
    model: &Model,
    values: &Variables,
    kept: &KeptRule,
) -> Option<((Collection, Action), Rule)> {
    let about = (
        Collection::parse(&kept.collection)?,
        Action::parse(&kept.action)?,
    );
    let read = |json: &Option<Json>, uses| match json {
        None | Some(Json::Null) => Ok(Filter::Everything),
        Some(json) => read_rule(model, values, about.0, json, uses),
    };
    let filter = match about {
        (_, Action::Create) => Filter::Everything,
        (Collection::Fields | Collection::Relations | Collection::Collections, _) => {
            Filter::Everything
        }
        _ => read(&kept.permissions, Uses::Selection)
            .inspect_err(|error| {
                tracing::warn!(permission = kept.id, %error, "permission cannot be read and gives nothing");
            })
            .ok()?,
    };
    let is_write = matches!(about.1, Action::Create | Action::Update);
    let validation = if is_write {
        // What cannot be read passes nothing.
        read(&kept.validation, Uses::Validation).unwrap_or(Filter::Nothing)
    } else {
        Filter::Everything
    };
    let presets = match kept.presets.as_ref().map(|json| values.fill(json)) {
        Some(Json::Object(map)) if is_write => map,
        _ => Map::new(),
    };
    let fields = kept.fields.as_deref().unwrap_or_default();
    let rule = Rule {
        id: Some(kept.id),
        policy: Some(kept.policy),
        filter,
        fields: Names::of(
            fields
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty()),
        ),
        validation,
        presets,
    };
    Some((about, rule))
}

/// Reads the filter of a rule.
pub(crate) fn read_rule(
    model: &Model,
    values: &Variables,
    collection: Collection,
    json: &Json,
    uses: Uses,
) -> Result<Filter> {
    let reader = Reader {
        model,
        variables: values,
        grant: None,
        uses,
        limits: Limits::default(),
    };
    reader.read(collection, json)
}

/// The grant of a request for an action on a collection.
pub(crate) fn grant(cx: &Context, action: Action, collection: Collection) -> Result<Grant> {
    authorize(&cx.principal, &cx.rights, action, collection)
}

/// The same where having none is no refusal: what failed is one all the same.
pub(crate) fn grant_if_any(
    cx: &Context,
    action: Action,
    collection: Collection,
) -> Result<Option<Grant>> {
    match grant(cx, action, collection) {
        Ok(grant) => Ok(Some(grant)),
        Err(error) if error.status() >= 500 => Err(error),
        Err(_) => Ok(None),
    }
}
