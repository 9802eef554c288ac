//! Domain ↔ SDK: what a plugin is shown, and what it says, in our words.

use std::sync::Arc;

use roster_domain::{
    Code, Collection, Draft, Error, Field, Item, Principal, Problem, Schema, Value, clock,
};
use roster_sdk::{Event, Host, Map, Rejection, Value as Json};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::registry::Placed;

/// What every call of one event tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Occasion {
    pub(crate) source: String,
    pub(crate) principal: roster_sdk::Principal,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) time: String,
}

impl Occasion {
    pub(crate) fn of(cx: &Context) -> Self {
        Self {
            source: cx.client.source.as_str().to_owned(),
            principal: principal(&cx.principal),
            ip: cx.client.ip.map(|ip| ip.to_string()),
            user_agent: cx.client.user_agent.clone(),
            time: clock::format(cx.now),
        }
    }

    /// The context of the calls of one event. Each of them gets a host of its own.
    pub(crate) fn context(
        self,
        id: Uuid,
        event: Event,
        collection: Collection,
        item: Option<String>,
        host: Arc<dyn Host>,
    ) -> roster_sdk::Context {
        roster_sdk::Context {
            id: id.to_string(),
            event,
            collection: collection.table().to_owned(),
            item,
            source: self.source,
            principal: self.principal,
            ip: self.ip,
            user_agent: self.user_agent,
            time: self.time,
            depth: 0,
            host,
        }
    }
}

fn principal(principal: &Principal) -> roster_sdk::Principal {
    match principal {
        Principal::Public => roster_sdk::Principal::Public,
        Principal::User { id, role, .. } => roster_sdk::Principal::User {
            id: id.to_string(),
            role: role.map(|role| role.to_string()),
        },
        Principal::System(reason) => roster_sdk::Principal::System {
            reason: reason.as_str().to_owned(),
        },
    }
}

/// What the plugin may see of a record.
pub(crate) fn visible(plugin: &Placed, item: &Item) -> Map<String, Json> {
    let shown = |(field, value): (&Field, &Value)| (field.name.clone(), value.to_json());
    // Where few are asked for, looking at each field of the record takes longer than the hook.
    if let Some(names) = plugin.reads_only() {
        let seen = names.filter_map(|name| item.field(name));
        let seen = seen.filter(|(field, _)| plugin.reads(field));
        return few(seen.map(shown));
    }
    let seen = item.iter().filter(|(field, _)| plugin.reads(field));
    seen.map(shown).collect()
}

/// A handful of values: to collect them would put them into a list first, to sort it.
fn few(values: impl Iterator<Item = (String, Json)>) -> Map<String, Json> {
    let mut map = Map::new();
    map.extend(values);
    map
}

/// What the plugin may see of what is about to be written.
pub(crate) fn visible_draft(plugin: &Placed, draft: &Draft) -> Map<String, Json> {
    let is_of_users = draft.schema().collection() == Collection::Users;
    let seen = draft.iter().filter(|(field, _)| {
        if is_of_users {
            plugin.reads_draft(field)
        } else {
            plugin.reads(field)
        }
    });
    few(seen.map(|(field, value)| (field.name.clone(), value.to_json())))
}

/// What the plugin may see of a record that was kept as JSON.
pub(crate) fn visible_json(
    plugin: &Placed,
    schema: &Schema,
    values: &Map<String, Json>,
) -> Map<String, Json> {
    let seen = values
        .iter()
        .filter(|(name, _)| schema.field(name).is_some_and(|f| plugin.reads(f)));
    seen.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// A plugin's refusal in our words; the reason if it is malformed.
pub(crate) fn refusal(rejection: Rejection) -> Result<Error, String> {
    check_refusal(&rejection)?;
    let code = Code::Plugin(rejection.code, rejection.status);
    Ok(Problem::new(code).saying(cut(rejection.message)).into())
}

/// What is malformed about a plugin's refusal.
pub(crate) fn check_refusal(rejection: &Rejection) -> Result<(), String> {
    if !(400..=499).contains(&rejection.status) {
        return Err(format!(
            "rejected with status {}, expected 400 to 499",
            rejection.status
        ));
    }
    check_code(&rejection.code)
}

/// A plugin's problem with a field in our words; the reason if it is malformed.
pub(crate) fn field_problem(error: roster_sdk::FieldError) -> Result<Problem, String> {
    check_code(&error.code)?;
    let problem = Problem::new(Code::Plugin(error.code, 400)).saying(cut(error.message));
    Ok(problem
        .with("field", error.field)
        .with("path", Json::Array(Vec::new())))
}

fn check_code(code: &str) -> Result<(), String> {
    let is_word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if (1..=64).contains(&code.len()) && code.chars().all(is_word) {
        Ok(())
    } else {
        Err("rejected with a code that is not UPPER_SNAKE of at most 64 characters".to_owned())
    }
}

fn cut(message: String) -> String {
    match message.char_indices().nth(1_000) {
        Some((end, _)) => message[..end].to_owned(),
        None => message,
    }
}
