//! Why somebody may do something, or may not. The decision is made by what enforces it; what is
//! said around it is read from the same rules.

mod ask;
mod clauses;
mod tell;

use std::sync::Arc;

use roster_domain::access::{Names, Rule};
use roster_domain::filter::Uses;
use roster_domain::query::Parameters;
use roster_domain::variables::Variables;
use roster_domain::{
    Action, Collection, Error, Filter, Grant, Key, Principal, Query, Result, Status, UserId,
    authorize,
};
use roster_storage::records;
use roster_storage::unguarded::{self, Holdings};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use self::ask::{Ask, Subject};
use super::{Actor, follow, minimal, names};
use crate::context::{Client, Context};
use crate::plugins::{Effects, Narrowing};
use crate::records::read::{self, schema};
use crate::{Inner, access, plugins};

/// What whoever asks has to be able to read without limits: nothing is told that they could not
/// look up.
const READABLE: [Collection; 5] = [
    Collection::Users,
    Collection::Roles,
    Collection::Policies,
    Collection::Access,
    Collection::Permissions,
];

/// Refuses callers who may not read every rule, and every record of a collection.
///
/// # Errors
/// `FORBIDDEN`.
pub(super) fn permit(cx: &Context, collection: Option<Collection>) -> Result<()> {
    for collection in READABLE.into_iter().chain(collection) {
        let grant = super::grant(cx, Action::Read, collection)?;
        let is_whole = |rule: &Rule| rule.filter == Filter::Everything && rule.fields == Names::All;
        if grant
            .rules()
            .is_some_and(|rules| !rules.iter().any(is_whole))
        {
            return Err(Error::forbidden());
        }
    }
    Ok(())
}

/// Says what is decided about an action, and what decided it.
pub(crate) async fn explain(inner: &Inner, cx: &Context, body: &Json) -> Result<Json> {
    permit(cx, None)?;
    let ask = Ask::parse(cx, body)?;
    permit(cx, Some(ask.collection))?;
    let subject = Case::of(inner, cx, &ask).await?;
    subject.tell(inner, cx, &ask).await
}

/// Somebody who wants to do something.
struct Case {
    /// Their own request, as it would be.
    cx: Context,
    /// What they hold, whether it holds at the address or not.
    holdings: Arc<Holdings>,
    /// What plugins say.
    narrowing: Narrowing,
    /// Why they are refused whatever they hold.
    barred: Option<String>,
}

impl Case {
    async fn of(inner: &Inner, cx: &Context, ask: &Ask) -> Result<Self> {
        let now = ask.at.unwrap_or(cx.now);
        let (rules_epoch, _) = unguarded::epochs(&inner.store).await?;
        let mut barred = None;
        let mut is_due = false;
        let actor = match ask.subject {
            Subject::Public => Actor {
                user: None,
                role: None,
                generation: 0,
                rules_epoch,
            },
            Subject::Role(role) => Actor {
                user: None,
                role: Some(role),
                generation: 0,
                rules_epoch,
            },
            Subject::User(user) => {
                let bearer = unguarded::bearer_of_user(&inner.store, user).await?;
                let bearer = bearer.ok_or_else(Error::forbidden)?;
                if bearer.status != Status::Active.as_str() {
                    let status = &bearer.status;
                    barred = Some(format!(
                        "The status is `{status}`; only `active` users can log in."
                    ));
                }
                is_due = !bearer.has_second_factor;
                Actor {
                    user: Some(user),
                    role: bearer.role,
                    generation: bearer.generation,
                    rules_epoch: bearer.rules_epoch,
                }
            }
        };
        let holdings = super::holdings(inner, actor).await?;
        let rights = super::rights(inner, &cx.model, actor, ask.ip, now).await?;
        if rights.enforce_tfa && is_due && barred.is_none() {
            barred = Some(
                "A policy demands a second factor, which is not set up: a session may set it up and nothing else."
                    .to_owned(),
            );
        }
        let client = Client {
            ip: ask.ip,
            user_agent: None,
            origin: None,
            only_reads: false,
            ..cx.client.as_ref().clone()
        };
        let principal = match ask.subject {
            Subject::Public => Principal::Public,
            Subject::User(id) => Principal::User {
                id,
                role: actor.role,
                session: None,
            },
            // Nobody in particular who has the role.
            Subject::Role(role) => Principal::User {
                id: UserId(Uuid::nil()),
                role: Some(role),
                session: None,
            },
        };
        let mut case = Self {
            cx: Context {
                principal,
                rights,
                actor: Some(actor),
                impersonator: None,
                is_narrowed: false,
                token: None,
                model: Arc::clone(&cx.model),
                client: Arc::new(client),
                now,
                effects: Effects::default(),
            },
            holdings,
            narrowing: Narrowing::default(),
            barred,
        };
        // A plugin decides about users; what it would say of everybody with a role, nobody knows.
        if !matches!(ask.subject, Subject::Role(_)) {
            case.narrowing =
                plugins::ask_policies(inner, &case.cx, ask.action, ask.collection).await?;
            case.cx.rights = plugins::narrow_rights(inner, &case.cx).await?;
        }
        Ok(case)
    }

    fn grant(&self, ask: &Ask) -> Result<Grant> {
        let cx = &self.cx;
        authorize(&cx.principal, &cx.rights, ask.action, ask.collection)
    }

    async fn tell(&self, inner: &Inner, cx: &Context, ask: &Ask) -> Result<Json> {
        let rights = &self.cx.rights;
        let grant = self.grant(ask);
        let (decision, mut reason) = self.decide(inner, ask, &grant).await?;
        if let Some(barred) = &self.barred {
            reason.clone_from(barred);
        }
        let decision = if self.barred.is_some() {
            "deny"
        } else {
            decision
        };
        Ok(json!({
            "decision": decision,
            "reason": reason,
            "action": ask.action.as_str(),
            "collection": ask.collection.as_str(),
            "id": ask.key.map(Key::value),
            "principal": {
                "user": match ask.subject { Subject::User(id) => Some(id.0), _ => None },
                "role": self.cx.actor.and_then(|actor| actor.role).map(|role| role.0),
                "roles": rights.roles,
                "admin_access": rights.admin_access,
                "app_access": rights.app_access,
                "enforce_tfa": rights.enforce_tfa,
            },
            "policies": self.holdings.policies.iter().map(|held| self.policy(held)).collect::<Json>(),
            "rules": self.rules(inner, cx, ask).await?,
            "fields": self.fields(inner, cx, ask, grant.as_ref().ok()).await?,
            "validation": grant.as_ref().ok().map(|_| self.of_rules(ask, |rule| rule.validation.clone())),
            "presets": grant.as_ref().ok().map(Grant::presets),
            "plugins": self.narrowing.by.iter().map(|by| json!({
                "plugin": by.plugin,
                "deny": by.narrowing.deny,
                "filter": by.narrowing.filter,
                "dropped_fields": by.narrowing.dropped_fields,
            })).collect::<Json>(),
        }))
    }

    /// The decision, by the very code that enforces it, and a sentence.
    async fn decide(
        &self,
        inner: &Inner,
        ask: &Ask,
        grant: &Result<Grant>,
    ) -> Result<(&'static str, String)> {
        let (action, collection) = (ask.action.as_str(), ask.collection.as_str());
        let grant = match grant {
            Ok(grant) => grant,
            Err(_) if self.narrowing.deny.is_some() => {
                let denying = self
                    .narrowing
                    .by
                    .iter()
                    .find(|by| by.narrowing.deny.is_some());
                let plugin = denying.map_or("", |by| by.plugin.as_str());
                let why = self.narrowing.deny.as_deref().unwrap_or_default();
                return Ok(("deny", format!("The plugin `{plugin}` denies it: {why}")));
            }
            Err(_) => {
                let reason =
                    format!("No rule of a policy that holds gives {action} on {collection}.");
                return Ok(("deny", reason));
            }
        };
        if let Err(error) = named(ask, grant) {
            return Ok(("deny", error.problems()[0].message.clone()));
        }
        let is_limited = *grant.filter() != Filter::Everything;
        let Some(key) = ask.key.filter(|_| ask.action != Action::Create) else {
            let by = if grant.rules().is_none() {
                "A policy with admin_access gives everything.".to_owned()
            } else if is_limited && ask.action != Action::Create {
                "Some records are reached: those that pass one of the rules.".to_owned()
            } else {
                "A rule gives it without conditions on records.".to_owned()
            };
            let decision = if is_limited && ask.action != Action::Create {
                "partial"
            } else {
                "allow"
            };
            return Ok((decision, by));
        };
        if self.reaches(inner, ask, grant, key).await? {
            let reason = if grant.rules().is_none() {
                "A policy with admin_access gives everything.".to_owned()
            } else {
                "The record passes a rule that gives it.".to_owned()
            };
            return Ok(("allow", reason));
        }
        let reason = "There is no such record, or it passes no rule that gives all of this.";
        Ok(("deny", reason.to_owned()))
    }

    async fn reaches(&self, inner: &Inner, ask: &Ask, grant: &Grant, key: Key) -> Result<bool> {
        if ask.action == Action::Read {
            let fields = if ask.fields.is_empty() {
                json!(["*"])
            } else {
                json!(ask.fields)
            };
            let parameters = Parameters::from_iter([("fields".to_owned(), fields)]);
            let id = key.to_string();
            let found = read::one(inner, &self.cx, ask.collection, &id, &parameters).await;
            return Ok(found.is_ok());
        }
        let grant = grant.writing(ask.fields.iter().map(String::as_str))?;
        let schema = schema(&self.cx, ask.collection)?;
        let (store, model) = (&inner.store, &self.cx.model);
        let whole = inner.stored_fields(schema);
        let found = records::load(store, model, &grant, ask.action, key, &whole).await?;
        Ok(found.is_some())
    }
}

/// Whether a record passes a filter. The caller may read the collection without limits.
async fn passes(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    filter: &Filter,
    key: Key,
) -> Result<bool> {
    let grant = access::grant(cx, Action::Read, collection)?;
    let filter = filter.clone().and(Filter::equals_key(key));
    let query = Query::keys(schema(cx, collection)?, &grant, filter);
    let found = records::find(&inner.store, &cx.model, &query).await?;
    Ok(!found.is_empty())
}

/// A condition of a rule, understood.
fn understand(
    cx: &Context,
    values: &Variables,
    collection: Collection,
    json: &Json,
) -> Result<Filter> {
    super::read_rule(&cx.model, values, collection, json, Uses::Selection)
}

/// Whether every field that is asked about may be named at all.
fn named(ask: &Ask, grant: &Grant) -> Result<()> {
    if ask.action == Action::Read {
        let hidden = ask.fields.iter().filter(|field| !grant.allows(field));
        let hidden: Vec<String> = hidden.cloned().collect();
        if hidden.is_empty() {
            return Ok(());
        }
        return Err(Error::forbidden_fields(ask.collection.as_str(), &hidden));
    }
    grant
        .writing(ask.fields.iter().map(String::as_str))
        .map(drop)
}
