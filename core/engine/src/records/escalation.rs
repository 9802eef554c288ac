//! Nobody grants more than they hold (security bar 54).
//!
//! Whoever administers may grant anything. Everybody else may hand on what they hold themselves:
//! a rule that one of their own covers, a policy of such rules, a role of such policies. And
//! nobody lays hands on the credentials of an administrator but another one.

use std::collections::BTreeSet;

use roster_domain::access::Names;
use roster_domain::{
    Action, Collection, Error, Principal, Record, Result, RoleId, Status, Valid, Value,
};
use roster_storage::unguarded::{self, Holding, Holdings, KeptRule};
use serde_json::Value as Json;
use uuid::Uuid;

use super::store::{Ready, Stored};
use crate::Inner;
use crate::access;
use crate::context::Context;

/// What would let somebody act as a user.
const CREDENTIALS: [&str; 7] = [
    "password",
    "email",
    "token",
    "provider",
    "external_identifier",
    "auth_data",
    "tfa_secret",
];

/// Refuses operations that would give anybody more than the caller has.
pub(super) async fn check(inner: &Inner, cx: &Context, ready: &[Ready]) -> Result<()> {
    if matches!(cx.principal, Principal::System(_)) || cx.rights.admin_access {
        return Ok(());
    }
    let is_about =
        |one: &&Ready| one.collection.is_decisive() || one.collection == Collection::Users;
    let about: Vec<&Ready> = ready
        .iter()
        .filter(|one| one.is_asked && is_about(one))
        .collect();
    if about.is_empty() {
        return Ok(());
    }
    let checker = Checker::new(inner, cx, ready).await?;
    for one in about {
        checker.judge(one).await?;
    }
    Ok(())
}

struct Checker<'a> {
    inner: &'a Inner,
    cx: &'a Context,
    own: Vec<KeptRule>,
    /// Roles and policies that this very request makes: what is in them is judged by itself.
    made: BTreeSet<Uuid>,
}

fn refused() -> Error {
    Error::forbidden()
}

impl<'a> Checker<'a> {
    async fn new(inner: &'a Inner, cx: &'a Context, ready: &[Ready]) -> Result<Self> {
        let holdings = match &cx.actor {
            Some(actor) => access::holdings(inner, *actor).await?,
            None => std::sync::Arc::default(),
        };
        let holds = |rule: &&KeptRule| cx.rights.policies.contains(&rule.policy);
        let own = holdings.rules.iter().filter(holds).cloned().collect();
        let made = ready
            .iter()
            .filter(|one| matches!(one.what, Stored::Create(_)));
        let made = made.filter_map(|one| one.key?.uuid()).collect();
        Ok(Self {
            inner,
            cx,
            own,
            made,
        })
    }

    async fn judge(&self, one: &Ready) -> Result<()> {
        let (valid, stored) = match &one.what {
            Stored::Create(valid) => (Some(valid), None),
            Stored::Update(stored, valid) => (Some(valid), Some(&**stored)),
            Stored::Delete(stored) => (None, Some(&**stored)),
        };
        match one.collection {
            Collection::Users => self.user(valid, stored).await,
            Collection::Roles => self.role_itself(valid, stored).await,
            Collection::Policies => self.policy_flags(valid, stored),
            Collection::Access => self.attachment(valid, stored).await,
            Collection::Permissions => self.rule(valid, stored),
            _ => Ok(()),
        }
    }

    async fn user(&self, valid: Option<&Valid>, stored: Option<&Record>) -> Result<()> {
        if let Some(stored) = stored {
            let touches_credentials = valid.is_none_or(|valid| {
                let deactivates = valid
                    .get("status")
                    .is_some_and(|status| status.as_text() != Some(Status::Active.as_str()));
                deactivates
                    || valid
                        .names()
                        .any(|name| CREDENTIALS.contains(&name) || name == "role")
            });
            let id = stored.user_id();
            let is_own = self.cx.principal.user() == id;
            if touches_credentials && is_own && self.cx.is_narrowed {
                // With them the token would be its owner, and no longer narrowed.
                return Err(refused());
            }
            if touches_credentials && !is_own {
                let role = stored.item.get("role").and_then(Value::as_uuid).map(RoleId);
                let theirs = unguarded::holdings(&self.inner.store, id, role).await?;
                if theirs.policies.iter().any(|held| held.admin_access) {
                    return Err(refused());
                }
            }
        }
        match valid.and_then(|valid| valid.get("role")) {
            Some(Value::Uuid(role)) => self.role(*role).await,
            _ => Ok(()),
        }
    }

    /// The roles of the caller are not for the caller to move or remove, nor are those that
    /// administer.
    async fn role_itself(&self, valid: Option<&Valid>, stored: Option<&Record>) -> Result<()> {
        let parent = valid.and_then(|valid| valid.get("parent"));
        let id = stored.and_then(|stored| stored.key()?.uuid());
        if let Some(id) = id.filter(|_| valid.is_none() || parent.is_some()) {
            let brings = unguarded::holdings(&self.inner.store, None, Some(RoleId(id))).await?;
            let administers = brings.policies.iter().any(|held| held.admin_access);
            if administers || self.cx.rights.roles.contains(&id) {
                return Err(refused());
            }
        }
        match parent {
            Some(Value::Uuid(parent)) => self.role(*parent).await,
            _ => Ok(()),
        }
    }

    /// Everything that a role brings has to be the caller's.
    async fn role(&self, role: Uuid) -> Result<()> {
        // A narrowed token has roles of its owner, but not all that they bring.
        let is_own = self.cx.rights.roles.contains(&role) && !self.cx.is_narrowed;
        if self.made.contains(&role) || is_own {
            return Ok(());
        }
        let brings = unguarded::holdings(&self.inner.store, None, Some(RoleId(role))).await?;
        self.covers_all(&brings)
    }

    fn covers_all(&self, brings: &Holdings) -> Result<()> {
        let fits = brings.policies.iter().all(|held| self.covers_flags(held));
        if fits && brings.rules.iter().all(|rule| self.covers(rule)) {
            Ok(())
        } else {
            Err(refused())
        }
    }

    fn covers_flags(&self, held: &Holding) -> bool {
        !held.admin_access && (!held.app_access || self.cx.rights.app_access)
    }

    fn policy_flags(&self, valid: Option<&Valid>, stored: Option<&Record>) -> Result<()> {
        let administers = stored.and_then(|stored| stored.item.get("admin_access"));
        let Some(valid) = valid else {
            let is_own = stored.and_then(|stored| stored.key()?.uuid());
            let is_own = is_own.is_some_and(|id| self.cx.rights.policies.contains(&id));
            let is_refused = is_own || administers == Some(&Value::Boolean(true));
            return if is_refused { Err(refused()) } else { Ok(()) };
        };
        let is_set = |name: &str| valid.get(name) == Some(&Value::Boolean(true));
        let gives = is_set("admin_access") || (is_set("app_access") && !self.cx.rights.app_access);
        // Where and how a policy that is there holds is for administrators to say.
        let changes = |name: &&&str| {
            let before = stored.and_then(|stored| stored.item.get(name));
            before.is_some() && valid.get(name).is_some_and(|after| Some(after) != before)
        };
        let loosens = ["ip_access", "enforce_tfa", "admin_access"]
            .iter()
            .any(|name| changes(&name));
        if gives || loosens {
            Err(refused())
        } else {
            Ok(())
        }
    }

    async fn attachment(&self, valid: Option<&Valid>, stored: Option<&Record>) -> Result<()> {
        // What binds the caller is not for the caller to take off.
        if let Some(stored) = stored {
            let of = |name: &str| stored.item.get(name).and_then(Value::as_uuid);
            let is_own =
                of("user").is_some() && of("user") == self.cx.principal.user().map(|id| id.0);
            let is_role = of("role").is_some_and(|role| self.cx.rights.roles.contains(&role));
            let policy = of("policy");
            let administers = match policy {
                Some(policy) => unguarded::policy(&self.inner.store, policy).await?.0,
                None => None,
            };
            if is_own || is_role || administers.is_some_and(|held| held.admin_access) {
                return Err(refused());
            }
        }
        let Some(valid) = valid else { return Ok(()) };
        let policy = valid.get("policy").or_else(|| stored?.item.get("policy"));
        let Some(Value::Uuid(policy)) = policy else {
            return Ok(());
        };
        if self.made.contains(policy) {
            return Ok(());
        }
        let (held, rules) = unguarded::policy(&self.inner.store, *policy).await?;
        let brings = Holdings {
            roles: Vec::new(),
            policies: held.into_iter().collect(),
            rules,
        };
        self.covers_all(&brings)
    }

    fn rule(&self, valid: Option<&Valid>, stored: Option<&Record>) -> Result<()> {
        let value = |name: &str| {
            let written = valid.and_then(|valid| valid.get(name));
            written.or_else(|| stored.and_then(|stored| stored.item.get(name)))
        };
        let json = |name: &str| match value(name) {
            Some(Value::Json(json)) => Some(json.clone()),
            _ => None,
        };
        let text = |name: &str| value(name).and_then(Value::as_text).map(ToOwned::to_owned);
        // What a rule demands of values binds everybody it holds for.
        if let Some(stored) = stored {
            let demanded = stored
                .item
                .get("validation")
                .is_some_and(|json| !json.is_null());
            if demanded {
                return Err(refused());
            }
        }
        if valid.is_none() {
            return Ok(());
        }
        let rule = KeptRule {
            id: 0,
            policy: Uuid::nil(),
            collection: text("collection").unwrap_or_default(),
            action: text("action").unwrap_or_default(),
            permissions: json("permissions"),
            validation: json("validation"),
            presets: json("presets"),
            fields: text("fields"),
        };
        if self.covers(&rule) {
            Ok(())
        } else {
            Err(refused())
        }
    }

    /// Whether one of the caller's own rules gives at least as much as this one.
    fn covers(&self, rule: &KeptRule) -> bool {
        let names = |rule: &KeptRule| {
            let list = rule.fields.clone().unwrap_or_default();
            Names::of(
                list.split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty()),
            )
        };
        let is_open = |json: &Option<Json>| match json {
            None | Some(Json::Null) => true,
            Some(Json::Object(map)) => map.is_empty(),
            Some(_) => false,
        };
        let about = Collection::parse(&rule.collection);
        let wanted = names(rule);
        let is_write = Action::parse(&rule.action)
            .is_some_and(|action| matches!(action, Action::Create | Action::Update));
        // Presets write whatever the fields say.
        if is_write && !is_open(&rule.presets) && !self.covers_presets(rule) {
            return false;
        }
        self.own.iter().any(|own| {
            let is_same = own.action == rule.action
                && Collection::parse(&own.collection) == about
                && (about.is_some() || own.collection == rule.collection);
            let fields = match (names(own), &wanted) {
                (Names::All, _) => true,
                (Names::Some(own), Names::Some(wanted)) => wanted.is_subset(&own),
                // What is kept lists names, or all there are.
                _ => false,
            };
            let rows = is_open(&own.permissions) || own.permissions == rule.permissions;
            let demands =
                !is_write || is_open(&own.validation) || own.validation == rule.validation;
            is_same && fields && rows && demands
        })
    }

    fn covers_presets(&self, rule: &KeptRule) -> bool {
        let Some(Json::Object(presets)) = &rule.presets else {
            return true;
        };
        let same = |own: &&KeptRule| own.collection == rule.collection && own.action == rule.action;
        self.own.iter().filter(same).any(|own| {
            let fields = own.fields.clone().unwrap_or_default();
            let listed = Names::of(fields.split(',').map(str::trim));
            own.presets == rule.presets || presets.keys().all(|name| listed.contains(name))
        })
    }
}
