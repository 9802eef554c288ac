//! Before hooks: in order, under a deadline, within their capabilities, failing as declared.

mod after;
mod login;
mod offered;

pub(crate) use after::{AfterPayload, after};
pub(crate) use login::before_login;
pub(crate) use offered::{Changeable, Offered};

use std::sync::Arc;

use roster_domain::{Code, Collection, Error, Problem, Result};
use roster_sdk::{Event, Failure, HookError, Map, Value as Json};
use uuid::Uuid;

use crate::Inner;
use crate::context::Context;
use crate::convert::{Occasion, check_refusal, field_problem, refusal};
use crate::plugins::{CallHost, effects, run};
use crate::registry::{OnFailure, Placed, Placing};
use crate::system::new_id;

/// Runs the hooks of `create.before` over a draft.
pub(crate) async fn before_create(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    item: Option<String>,
    draft: &mut impl Changeable,
) -> Result<()> {
    let about = About {
        collection,
        event: Event::BeforeCreate,
        item,
    };
    before_write(inner, cx, about, None, draft).await
}

/// Runs the hooks of `update.before` over a draft.
pub(crate) async fn before_update(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    item: String,
    stored: &dyn Offered,
    draft: &mut impl Changeable,
) -> Result<()> {
    let about = About {
        collection,
        event: Event::BeforeUpdate,
        item: Some(item),
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
    stored: Option<&dyn Offered>,
    draft: &mut impl Changeable,
) -> Result<()> {
    let About {
        collection,
        event,
        item,
    } = about;
    let slots = inner.registry.subscribers(collection, event);
    let Some(first) = slots.first() else {
        return Ok(());
    };
    let call = new_id(cx.now)?;
    let order = order(&slots, collection, item.as_deref(), call);
    let host = Arc::clone(&first.host);
    let mut context = Occasion::of(cx).context(call, event, collection, item, host);
    let mut problems = Vec::new();
    for slot in slots.iter() {
        let Some(hooks) = &slot.instance.hooks else {
            continue;
        };
        let host = CallHost::before(slot, cx, order.as_deref());
        context.host = Arc::clone(&host) as _;
        let mut shown = roster_sdk::Draft::new(draft.visible(slot));
        let calling = async {
            let answer = match stored {
                None => hooks.before_create(&context, &mut shown).await,
                Some(stored) => {
                    let stored = roster_sdk::Record(stored.visible(slot));
                    hooks.before_update(&context, &stored, &mut shown).await
                }
            };
            answer.map_err(well_formed)?;
            let (patch, errors) = shown.into_parts();
            take(slot, draft, &patch, errors)
        };
        let answer = run(slot, event, calling).await;
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
    item: &str,
    stored: &dyn Offered,
) -> Result<()> {
    let slots = inner.registry.subscribers(collection, Event::BeforeDelete);
    let Some(first) = slots.first() else {
        return Ok(());
    };
    let (call, event) = (new_id(cx.now)?, Event::BeforeDelete);
    let order = order(&slots, collection, Some(item), call);
    let (item, host) = (Some(item.to_owned()), Arc::clone(&first.host));
    let mut context = Occasion::of(cx).context(call, event, collection, item, host);
    for slot in slots.iter() {
        let Some(hooks) = &slot.instance.hooks else {
            continue;
        };
        let host = CallHost::before(slot, cx, order.as_deref());
        context.host = Arc::clone(&host) as _;
        let stored = roster_sdk::Record(stored.visible(slot));
        let calling = async {
            let answer = hooks.before_delete(&context, &stored).await;
            answer.map_err(well_formed)
        };
        let answer = run(slot, event, calling).await;
        if settle(slot, event, answer)?.is_some() {
            host.keep();
        }
    }
    Ok(())
}

/// What stands for a record in what its hooks want to be stored, if one of them may store something.
fn order(
    slots: &Placing,
    collection: Collection,
    item: Option<&str>,
    call: Uuid,
) -> Option<String> {
    let may_store = slots.iter().any(|slot| slot.may_store());
    may_store.then(|| effects::order(collection, item, call))
}

/// Puts a plugin's changes into the draft, within what it was granted.
fn take(
    slot: &Placed,
    draft: &mut impl Changeable,
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
    if let Some(name) = patch.keys().find(|name| !draft.may_change(slot, name)) {
        return Err(Failure::new(format!("changed field `{name}`, which is not granted")).into());
    }
    if !patch.is_empty() {
        let changed = draft.change(patch);
        changed.map_err(|error| Failure::new(error.to_string()))?;
    }
    Ok(Vec::new())
}

/// A refusal that cannot be passed on is a failure, and counts as one.
fn well_formed(error: HookError) -> HookError {
    match error {
        HookError::Rejected(rejection) => match check_refusal(&rejection) {
            Ok(()) => HookError::Rejected(rejection),
            Err(reason) => Failure::new(reason).into(),
        },
        failed @ HookError::Failed(_) => failed,
    }
}

/// Turns a plugin's answer into ours; `None` when it failed and is to be skipped.
fn settle<T>(slot: &Placed, event: Event, answer: Result<T, HookError>) -> Result<Option<T>> {
    let failure = match answer {
        Ok(answer) => return Ok(Some(answer)),
        Err(HookError::Rejected(rejection)) => match refusal(rejection) {
            Ok(error) => return Err(error),
            Err(reason) => Failure::new(reason),
        },
        Err(HookError::Failed(failure)) => failure,
    };
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
