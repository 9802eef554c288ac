//! What there is to say of policies, rules and fields.

use std::collections::BTreeSet;

use roster_domain::access::Visibility;
use roster_domain::variables::Variables;
use roster_domain::{Action, Collection, Grant, Result, Rights, address};
use roster_storage::unguarded::{Holding, KeptRule};
use serde_json::{Map, Value as Json, json};

use super::ask::Ask;
use super::clauses::Clauses;
use super::{Case, follow, minimal, names, passes};
use crate::Inner;
use crate::context::Context;

impl Case {
    fn holds(&self, held: &Holding) -> bool {
        self.cx.rights.policies.contains(&held.policy)
    }

    pub(super) fn policy(&self, held: &Holding) -> Json {
        let at = self.cx.client.ip;
        let through = match (held.role, held.is_own) {
            (Some(role), _) => json!({ "role": role }),
            (None, true) => json!({ "user": self.cx.principal.user().map(|user| user.0) }),
            (None, false) => json!("public"),
        };
        let is_near = address::reaches(held.ip_access.as_deref(), at);
        let why = (!is_near).then(|| {
            let list = held.ip_access.as_deref().unwrap_or_default();
            let from = at.map_or("no known address".to_owned(), |at| at.to_string());
            format!("`ip_access` is {list}, which does not reach {from}")
        });
        json!({
            "policy": held.policy,
            "name": held.name,
            "through": through,
            "holds": is_near,
            "why_not": why,
            "admin_access": held.admin_access,
            "app_access": held.app_access,
            "enforce_tfa": held.enforce_tfa,
        })
    }

    /// The permissions that are about this, those of policies that do not hold included.
    fn about(&self, ask: &Ask) -> impl Iterator<Item = &KeptRule> {
        let (action, collection) = (ask.action, ask.collection);
        self.holdings.rules.iter().filter(move |rule| {
            Action::parse(&rule.action) == Some(action)
                && Collection::parse(&rule.collection) == Some(collection)
        })
    }

    pub(super) fn of_rules(&self, ask: &Ask, part: impl Fn(&KeptRule) -> Option<Json>) -> Json {
        let holds = |rule: &&KeptRule| self.cx.rights.policies.contains(&rule.policy);
        self.about(ask)
            .filter(holds)
            .filter_map(|rule| Some(json!({ "permission": rule.id, "rule": part(rule)? })))
            .collect()
    }

    pub(super) async fn rules(&self, inner: &Inner, cx: &Context, ask: &Ask) -> Result<Json> {
        let values = self.variables(inner, ask).await?;
        let mut clauses = Clauses::new(inner, cx, ask, values);
        let mut told = Vec::new();
        for rule in self.about(ask) {
            let held = self
                .holdings
                .policies
                .iter()
                .find(|held| held.policy == rule.policy);
            let fields = rule.fields.as_deref().unwrap_or_default();
            let (matches, said) = clauses.of(rule.permissions.as_ref()).await?;
            told.push(json!({
                "permission": rule.id,
                "policy": rule.policy,
                "holds": held.is_some_and(|held| self.holds(held)),
                "rule": rule.permissions,
                "matches": matches,
                "clauses": said,
                "fields": fields.split(',').filter(|name| !name.is_empty()).collect::<Vec<_>>(),
            }));
        }
        let is_app = self.cx.rights.app_access && !self.cx.rights.admin_access;
        let least = minimal::least().into_iter().filter(|least| {
            is_app && ask.action == Action::Read && least.collection == ask.collection
        });
        for least in least {
            let (matches, said) = clauses.of(least.permissions.as_ref()).await?;
            told.push(json!({
                "permission": null,
                "policy": null,
                "system": true,
                "holds": true,
                "rule": least.permissions,
                "matches": matches,
                "clauses": said,
                "fields": least.fields,
            }));
        }
        Ok(Json::Array(told))
    }

    /// What variables stand for in the rules that are about this.
    async fn variables(&self, inner: &Inner, ask: &Ask) -> Result<Variables> {
        let rights: &Rights = &self.cx.rights;
        let mut values = Variables {
            now: self.cx.now,
            user: self
                .cx
                .actor
                .and_then(|actor| actor.user)
                .map(|user| user.0),
            role: self
                .cx
                .actor
                .and_then(|actor| actor.role)
                .map(|role| role.0),
            roles: rights.roles.clone(),
            policies: rights.policies.clone(),
            ..Variables::default()
        };
        let mut paths = BTreeSet::new();
        for rule in self.about(ask).filter_map(|rule| rule.permissions.as_ref()) {
            names::paths(rule, &mut paths);
        }
        values.paths = follow(&inner.store, &self.cx.model, &values, &paths, None).await?;
        Ok(values)
    }

    /// What becomes of each field: of those asked about, else of all.
    pub(super) async fn fields(
        &self,
        inner: &Inner,
        cx: &Context,
        ask: &Ask,
        grant: Option<&Grant>,
    ) -> Result<Json> {
        let known = cx.model.schema(ask.collection);
        let known = known.map_or(&[][..], |schema| schema.fields());
        let all = || known.iter().map(|field| field.name.clone());
        let names: Vec<String> = if ask.fields.is_empty() {
            all().collect()
        } else {
            ask.fields.clone()
        };
        let mut told = Map::new();
        for name in names {
            let visibility = grant.map_or(Visibility::Never, |grant| grant.visibility(&name));
            let access = match (visibility, ask.key) {
                (Visibility::Always, _) => "allow",
                (Visibility::Never, _) => "deny",
                (Visibility::When(_), _) if ask.action == Action::Create => "allow",
                (Visibility::When(_), None) => "partial",
                (Visibility::When(filter), Some(key)) => {
                    if passes(inner, cx, ask.collection, &filter, key).await? {
                        "allow"
                    } else {
                        "deny"
                    }
                }
            };
            let giving = grant.and_then(Grant::rules).unwrap_or_default();
            let giving = giving.iter().filter(|rule| rule.fields.contains(&name));
            let by: Vec<Option<i64>> = giving.map(|rule| rule.id).collect();
            told.insert(name, json!({ "access": access, "permissions": by }));
        }
        Ok(Json::Object(told))
    }
}
