//! Before hooks: in order, under a deadline, within their capabilities, failing as declared.

use std::sync::Arc;

use roster_domain::{Code, Collection, Draft, Error, Key, Problem, Record, Result, Schema};
use roster_sdk::{Event, Failure, HookError, Hooks, Login, Map, Value as Json};
use uuid::Uuid;

use crate::Inner;
use crate::context::Context;
use crate::convert::{Occasion, field_problem, refusal, visible, visible_json};
use crate::plugins::{CallHost, effects, run};
use crate::registry::{OnFailure, Placed};
use crate::system::new_id;

const USERS: Collection = Collection::Users;

/// Runs the hooks of `create.before` over a draft.
pub(crate) async fn before_create(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    key: Option<Key>,
    draft: &mut Draft,
) -> Result<()> {
    let about = About {
        collection,
        event: Event::BeforeCreate,
        item: key.map(|key| key.to_string()),
    };
    before_write(inner, cx, about, None, draft).await
}

/// Runs the hooks of `update.before` over a draft.
pub(crate) async fn before_update(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    key: Key,
    stored: &Record,
    draft: &mut Draft,
) -> Result<()> {
    let about = About {
        collection,
        event: Event::BeforeUpdate,
        item: Some(key.to_string()),
    };
    before_write(inner, cx, about, Some(stored), draft).await
}

/// What a call is about.
struct About {
    collection: Collection,
    event: Event,
    item: Option<String>,
}

async fn before_write(
    inner: &Inner,
    cx: &Context,
    about: About,
    stored: Option<&Record>,
    draft: &mut Draft,
) -> Result<()> {
    let About {
        collection,
        event,
        item,
    } = about;
    let slots = inner.registry.subscribers(collection, event);
    if slots.is_empty() {
        return Ok(());
    }
    let (occasion, call) = (Occasion::of(cx), new_id(cx.now)?);
    let order = effects::order(collection, item.as_deref(), call);
    cx.effects.begin(&order);
    let mut problems = Vec::new();
    for slot in slots.iter() {
        let mut context = occasion.context(slot, call, event, collection, item.clone());
        let host = CallHost::deferred(&slot.host, cx, &order);
        context.host = Arc::clone(&host) as _;
        let mut shown = roster_sdk::Draft::new(visible(slot, draft.iter()));
        let Some(hooks) = &slot.instance.hooks else {
            continue;
        };
        let answer = run(slot, event, async {
            match stored {
                None => hooks.before_create(&context, &mut shown).await,
                Some(stored) => {
                    let stored = roster_sdk::Record(visible(slot, stored.item.iter()));
                    hooks.before_update(&context, &stored, &mut shown).await
                }
            }
        });
        let answer = answer.await;
        let (patch, errors) = shown.into_parts();
        let answer = answer.and_then(|()| take(slot, draft, &patch, errors));
        if let Some(found) = settle(slot, event, answer)? {
            host.keep();
            problems.extend(found);
        }
    }
    Error::of(problems).map_or(Ok(()), Err)
}

/// Runs the hooks of `delete.before`.
pub(crate) async fn before_delete(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    key: Key,
    stored: &Record,
) -> Result<()> {
    let slots = inner.registry.subscribers(collection, Event::BeforeDelete);
    if slots.is_empty() {
        return Ok(());
    }
    let (occasion, call) = (Occasion::of(cx), new_id(cx.now)?);
    let order = effects::order(collection, Some(&key.to_string()), call);
    cx.effects.begin(&order);
    for slot in slots.iter() {
        let Some(hooks) = &slot.instance.hooks else {
            continue;
        };
        let item = Some(key.to_string());
        let mut context = occasion.context(slot, call, Event::BeforeDelete, collection, item);
        let host = CallHost::deferred(&slot.host, cx, &order);
        context.host = Arc::clone(&host) as _;
        let stored = roster_sdk::Record(visible(slot, stored.item.iter()));
        let answer = run(
            slot,
            Event::BeforeDelete,
            hooks.before_delete(&context, &stored),
        )
        .await;
        if settle(slot, Event::BeforeDelete, answer)?.is_some() {
            host.keep();
        }
    }
    Ok(())
}

/// Runs the hooks of `login.before`, the credentials having been proved.
pub(crate) async fn before_login(
    inner: &Inner,
    cx: &Context,
    id: Uuid,
    user: &Map<String, Json>,
    provider: &str,
    mode: &str,
) -> Result<()> {
    let slots = inner.registry.subscribers(USERS, Event::BeforeLogin);
    if slots.is_empty() {
        return Ok(());
    }
    let (occasion, call) = (Occasion::of(cx), new_id(cx.now)?);
    let order = effects::order(USERS, Some(&id.to_string()), call);
    cx.effects.begin(&order);
    for slot in slots.iter() {
        let Some(hooks) = &slot.instance.hooks else {
            continue;
        };
        let item = Some(id.to_string());
        let mut context = occasion.context(slot, call, Event::BeforeLogin, USERS, item);
        let host = CallHost::deferred(&slot.host, cx, &order);
        context.host = Arc::clone(&host) as _;
        let login = Login {
            user: record(slot, cx.model.users(), user),
            provider: provider.to_owned(),
            mode: mode.to_owned(),
        };
        let answer = run(
            slot,
            Event::BeforeLogin,
            hooks.before_login(&context, &login),
        )
        .await;
        if settle(slot, Event::BeforeLogin, answer)?.is_some() {
            host.keep();
        }
    }
    Ok(())
}

/// Runs one after hook with what the outbox kept. The error is for the operator.
pub(crate) async fn after(
    inner: &Inner,
    slot: &Arc<Placed>,
    hooks: &Arc<dyn Hooks>,
    context: roster_sdk::Context,
    payload: &AfterPayload,
) -> Result<(), Failure> {
    let model = inner.model().await;
    let model = model.map_err(|error| Failure::new(error.to_string()))?;
    let collection = Collection::parse(&context.collection);
    let schema = collection.and_then(|collection| model.schema(collection));
    let Some(schema) = schema else {
        return Err(Failure::new("an event of an unknown collection"));
    };
    let shown = record(slot, schema, &payload.record);
    let call = async {
        match context.event {
            Event::AfterCreate => hooks.after_create(&context, &shown).await,
            Event::AfterUpdate => {
                let seen = payload
                    .changed
                    .iter()
                    .filter(|name| schema.field(name).is_some_and(|field| slot.reads(field)));
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

fn record(slot: &Placed, schema: &Schema, values: &Map<String, Json>) -> roster_sdk::Record {
    roster_sdk::Record(visible_json(slot, schema, values))
}

/// Puts a plugin's changes into the draft, within what it was granted.
fn take(
    slot: &Placed,
    draft: &mut Draft,
    patch: &Map<String, Json>,
    errors: Vec<roster_sdk::FieldError>,
) -> Result<Vec<Problem>, HookError> {
    if !errors.is_empty() {
        // The write is refused, so what was changed beside the errors is of no use to anybody.
        let problems = errors.into_iter().map(field_problem).collect();
        return Result::map_err(problems, |reason: String| {
            HookError::Failed(Failure::new(reason))
        });
    }
    let schema = draft.schema();
    let writes = |name: &str| schema.field(name).is_some_and(|field| slot.writes(field));
    if let Some(name) = patch.keys().find(|name| !writes(name)) {
        return Err(Failure::new(format!("changed field `{name}`, which is not granted")).into());
    }
    if !patch.is_empty() {
        let mut changed = draft.clone();
        let patched = changed.patch(patch);
        patched.map_err(|error| Failure::new(error.to_string()))?;
        *draft = changed;
    }
    Ok(Vec::new())
}

/// Turns a plugin's answer into ours; `None` when it failed and is to be skipped.
fn settle<T>(slot: &Placed, event: Event, answer: Result<T, HookError>) -> Result<Option<T>> {
    let outcome = |outcome: &'static str| {
        let labels = [
            ("plugin", slot.name.clone()),
            ("event", event.as_str().to_owned()),
            ("outcome", outcome.to_owned()),
        ];
        metrics::counter!("roster_hook_calls_total", &labels).increment(1);
    };
    let failure = match answer {
        Ok(answer) => {
            outcome("ok");
            return Ok(Some(answer));
        }
        Err(HookError::Rejected(rejection)) => match refusal(rejection) {
            Ok(error) => {
                outcome("rejected");
                return Err(error);
            }
            Err(reason) => Failure::new(reason),
        },
        Err(HookError::Failed(failure)) => failure,
    };
    outcome("failed");
    let (plugin, event, reason) = (slot.name.as_str(), event.as_str(), failure.reason.as_str());
    match slot.on_failure {
        OnFailure::Reject => {
            tracing::error!(plugin, event, reason, "hook failed, write refused");
            Err(Error::from(Code::PluginFailed))
        }
        OnFailure::Skip => {
            tracing::warn!(plugin, event, reason, "hook failed, skipped");
            Ok(None)
        }
    }
}
