//! After hooks: what the outbox keeps of an event, and telling it.

use std::sync::Arc;

use roster_domain::{Collection, Schema};
use roster_sdk::{Event, Failure, HookError, Hooks, Login, Map, Record, Value as Json};

use crate::Inner;
use crate::convert::Occasion;
use crate::fields::Said;
use crate::plugins::run;
use crate::registry::Placed;

/// Runs one after hook with what the outbox kept. The error is for the operator.
pub(crate) async fn after(
    inner: &Inner,
    slot: &Arc<Placed>,
    hooks: &Arc<dyn Hooks>,
    context: roster_sdk::Context,
    payload: &AfterPayload,
) -> Result<(), Failure> {
    let known = Known::of(inner, &context.collection).await?;
    let shown = known.visible(slot, &payload.record);
    let call = async {
        match context.event {
            Event::AfterCreate => hooks.after_create(&context, &shown).await,
            Event::AfterUpdate => {
                let seen = payload
                    .changed
                    .iter()
                    .filter(|name| known.shows(slot, name));
                let changed: Vec<String> = seen.cloned().collect();
                hooks.after_update(&context, &shown, &changed).await
            }
            Event::AfterDelete => hooks.after_delete(&context, &shown).await,
            Event::AfterLocked => hooks.after_locked(&context, &shown).await,
            event => {
                let login = Login {
                    user: shown,
                    provider: payload.provider.clone().unwrap_or_default(),
                    mode: payload.mode.clone().unwrap_or_default(),
                };
                match event {
                    Event::AfterLoginFailed => hooks.after_login_failed(&context, &login).await,
                    _ => hooks.after_login(&context, &login).await,
                }
            }
        }
    };
    let event = context.event;
    run(slot, event, async { call.await.map_err(HookError::Failed) })
        .await
        .map_err(|error| match error {
            HookError::Failed(failure) => failure,
            HookError::Rejected(rejection) => Failure::new(rejection.message),
        })
}

/// What the outbox keeps of an after-event.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct AfterPayload {
    pub(crate) occasion: Occasion,
    pub(crate) record: Map<String, Json>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) changed: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mode: Option<String>,
}

impl AfterPayload {
    /// A record and nothing more.
    pub(crate) const fn of(occasion: Occasion, record: Map<String, Json>) -> Self {
        Self {
            occasion,
            record,
            changed: Vec::new(),
            provider: None,
            mode: None,
        }
    }
}

/// What the values of an event are called.
enum Known {
    /// The fields of a record.
    Record(Arc<Schema>),
    /// What is said of a field or a relation.
    Said(&'static [&'static str]),
}

impl Known {
    async fn of(inner: &Inner, collection: &str) -> Result<Self, Failure> {
        let unknown = || Failure::new("an event of an unknown collection");
        let collection = Collection::parse(collection).ok_or_else(unknown)?;
        if let Some(names) = Said::names(collection) {
            return Ok(Self::Said(names));
        }
        let model = inner.model().await;
        let model = model.map_err(|error| Failure::new(error.to_string()))?;
        let schema = model.schema(collection).cloned();
        schema.map(Self::Record).ok_or_else(unknown)
    }

    fn shows(&self, slot: &Placed, name: &str) -> bool {
        match self {
            Self::Record(schema) => schema.field(name).is_some_and(|field| slot.reads(field)),
            Self::Said(names) => names.contains(&name) && slot.reads_named(name),
        }
    }

    fn visible(&self, slot: &Placed, values: &Map<String, Json>) -> Record {
        let seen = values.iter().filter(|(name, _)| self.shows(slot, name));
        let seen = seen.map(|(name, value)| (name.clone(), value.clone()));
        Record(seen.collect())
    }
}
