use std::collections::BTreeSet;

use roster_domain::{Action, Code, Collection, Error, Result};
use roster_sdk::{AccessRequest, Event, HookError, Value as Json};

use super::run;
use crate::Inner;
use crate::context::Context;
use crate::convert::Occasion;
use crate::registry::OnFailure;
use crate::system::new_id;

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
    if slots.is_empty() {
        return Ok(all);
    }
    let (occasion, call) = (Occasion::of(cx), new_id(cx.now)?);
    let request = AccessRequest {
        action: action.as_str().to_owned(),
        collection: collection.table().to_owned(),
    };
    for slot in slots.iter() {
        let Some(policy) = &slot.instance.policy else {
            continue;
        };
        let context = occasion.context(slot, call, Event::Narrow, collection, None);
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

impl Narrowing {
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
