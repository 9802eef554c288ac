use std::collections::BTreeSet;
use std::sync::Arc;

use roster_domain::filter::Uses;
use roster_domain::query::Parameters;
use roster_domain::{Action, Code, Collection, Error, Filter, Principal, Problem, Result, Rights};
use roster_sdk::{AccessRequest, Event, HookError, Value as Json};

use super::{CallHost, run};
use crate::context::Context;
use crate::convert::Occasion;
use crate::registry::OnFailure;
use crate::system::new_id;
use crate::{Inner, access};

/// What the policy plugins make of an action: all of it together, and who said what.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Narrowing {
    /// Nothing is permitted: the first reason given, for the caller to read.
    pub deny: Option<String>,
    /// Only records that pass all of these, written as in the query parameter `filter`.
    pub filters: Vec<Json>,
    /// Without these fields.
    pub dropped_fields: BTreeSet<String>,
    /// What each plugin that had something to say said.
    pub by: Vec<Narrowed>,
}

/// What one policy plugin said.
#[derive(Debug, Clone, PartialEq)]
pub struct Narrowed {
    /// The name of its section in the configuration.
    pub plugin: String,
    /// What it said.
    pub narrowing: roster_sdk::Narrowing,
}

impl Narrowing {
    /// Whether nothing changes.
    pub fn is_none(&self) -> bool {
        self.by.is_empty()
    }
}

/// Asks every policy plugin, in order, what becomes of an action on a collection.
pub(crate) async fn narrow(
    inner: &Inner,
    cx: &Context,
    action: Action,
    collection: Collection,
) -> Result<Narrowing> {
    let mut all = Narrowing::default();
    let slots = inner.registry.policies();
    let Some(first) = slots.first() else {
        return Ok(all);
    };
    let (call, host) = (new_id(cx.now)?, Arc::clone(&first.host));
    let mut context = Occasion::of(cx).context(call, Event::Narrow, collection, None, host);
    let request = AccessRequest {
        action: action.as_str().to_owned(),
        collection: collection.table().to_owned(),
    };
    for slot in slots.iter() {
        let manifest = &slot.instance.manifest;
        if !manifest.is_asked_about(action.as_str(), collection.table()) {
            continue;
        }
        let Some(policy) = &slot.instance.policy else {
            continue;
        };
        context.host = CallHost::direct(&slot.host);
        let asking = async {
            let answer = policy.narrow(&context, &request).await?;
            match &answer.filter {
                Some(filter) if !filter.is_object() => {
                    let reason = format!("narrowed by a filter that is no object: {filter}");
                    Err(HookError::Failed(roster_sdk::Failure::new(reason)))
                }
                _ => Ok(answer),
            }
        };
        match run(slot, Event::Narrow, asking).await {
            Ok(answer) => all.add(&slot.name, answer),
            Err(error) => {
                let (plugin, reason) = (slot.name.as_str(), error.to_string());
                match slot.on_failure {
                    OnFailure::Reject => {
                        tracing::error!(plugin, reason, "policy failed, nothing is permitted");
                        return Err(Error::from(Code::PluginFailed));
                    }
                    OnFailure::Skip => {
                        tracing::warn!(plugin, reason, "policy failed, skipped");
                    }
                }
            }
        }
        if all.deny.is_some() {
            break;
        }
    }
    Ok(all)
}

/// The rights of a request as far as the policy plugins let them be. What they are not asked about
/// is not permitted, so that no check can be forgotten.
///
/// A plugin that fails takes what it was asked about with it, and nothing else.
pub(crate) async fn narrow_rights(inner: &Inner, cx: &Context) -> Result<Arc<Rights>> {
    let is_system = matches!(cx.principal, Principal::System(_));
    if inner.registry.policies().is_empty() || is_system || cx.rights.is_locked {
        return Ok(Arc::clone(&cx.rights));
    }
    let mut rights = cx.rights.as_ref().clone();
    for collection in Collection::ALL {
        for action in Action::ALL {
            if !cx.rights.is_open(action, collection) {
                continue;
            }
            if cx.client.only_reads && action != Action::Read {
                let problem = Problem::new(Code::Forbidden);
                rights.refuse(action, collection, problem);
                continue;
            }
            let asked = narrow(inner, cx, action, collection).await;
            let limits = match asked {
                Ok(said) if said.is_none() => continue,
                Ok(Narrowing {
                    deny: Some(reason), ..
                }) => {
                    let problem = Problem::new(Code::Forbidden).saying(reason);
                    rights.refuse(action, collection, problem);
                    continue;
                }
                Ok(said) => read(inner, cx, collection, &said)
                    .await
                    .map(|filter| (filter, said)),
                Err(error) => Err(error),
            };
            match limits {
                Ok((filter, said)) => {
                    rights.narrow(action, collection, &filter, &said.dropped_fields);
                }
                Err(error) => {
                    let problem = error.problems()[0].clone();
                    rights.refuse(action, collection, problem);
                }
            }
        }
    }
    Ok(Arc::new(rights))
}

/// The filters of plugins as one, the variables in them replaced.
async fn read(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    said: &Narrowing,
) -> Result<Filter> {
    let mut all = Filter::Everything;
    for (filter, by) in said.filters.iter().zip(said.filtering()) {
        let asked = Parameters::from_iter([("filter".to_owned(), filter.clone())]);
        let values = access::variables(inner, cx, &asked).await?;
        let read = access::read_rule(&cx.model, &values, collection, filter, Uses::Selection);
        let read = read.map_err(|error| {
            tracing::error!(plugin = by, %error, "policy gave a filter that cannot be read");
            Error::from(Code::PluginFailed)
        })?;
        all = all.and(read);
    }
    Ok(all)
}

impl Narrowing {
    /// The plugins that gave the filters, in their order.
    fn filtering(&self) -> impl Iterator<Item = &str> {
        let gave = |by: &&Narrowed| by.narrowing.filter.is_some();
        self.by.iter().filter(gave).map(|by| by.plugin.as_str())
    }

    fn add(&mut self, plugin: &str, answer: roster_sdk::Narrowing) {
        if answer == roster_sdk::Narrowing::none() {
            return;
        }
        self.filters.extend(answer.filter.clone());
        self.dropped_fields
            .extend(answer.dropped_fields.iter().cloned());
        if self.deny.is_none() {
            self.deny.clone_from(&answer.deny);
        }
        self.by.push(Narrowed {
            plugin: plugin.to_owned(),
            narrowing: answer,
        });
    }
}
