use async_trait::async_trait;
use roster_sdk::{
    Context, Draft, Event, Failure, HookError, Hooks, Login, Map, Record, Rejection, Value,
    serde_json,
};
use serde::Serialize;

use crate::bindings::base::roster::plugin::records::Outcome;
use crate::bindings::hooks::HooksKindIndices;
use crate::call;
use crate::guests::Guests;

/// The hooks of a component.
pub(crate) struct ComponentHooks(pub(crate) Guests<HooksKindIndices>);

/// What an event tells, as JSON; what it does not have is left out.
#[derive(Default, Serialize)]
struct Payload<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<&'a Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    draft: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<&'a [String]>,
}

#[async_trait]
impl Hooks for ComponentHooks {
    async fn before_create(&self, cx: &Context, draft: &mut Draft) -> Result<(), HookError> {
        let payload = Payload {
            draft: Some(draft.values()),
            ..Payload::default()
        };
        edit(draft, self.call(cx, Event::BeforeCreate, &payload).await?)
    }

    async fn before_update(
        &self,
        cx: &Context,
        stored: &Record,
        draft: &mut Draft,
    ) -> Result<(), HookError> {
        let payload = Payload {
            stored: Some(stored),
            draft: Some(draft.values()),
            ..Payload::default()
        };
        edit(draft, self.call(cx, Event::BeforeUpdate, &payload).await?)
    }

    async fn before_delete(&self, cx: &Context, stored: &Record) -> Result<(), HookError> {
        let payload = Payload {
            stored: Some(stored),
            ..Payload::default()
        };
        judge(self.call(cx, Event::BeforeDelete, &payload).await?)
    }

    async fn before_login(&self, cx: &Context, login: &Login) -> Result<(), HookError> {
        judge(self.call(cx, Event::BeforeLogin, login).await?)
    }

    async fn after_create(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        let payload = Payload {
            record: Some(record),
            ..Payload::default()
        };
        note(&self.call(cx, Event::AfterCreate, &payload).await?)
    }

    async fn after_update(
        &self,
        cx: &Context,
        record: &Record,
        changed: &[String],
    ) -> Result<(), Failure> {
        let payload = Payload {
            record: Some(record),
            changed: Some(changed),
            ..Payload::default()
        };
        note(&self.call(cx, Event::AfterUpdate, &payload).await?)
    }

    async fn after_delete(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        let payload = Payload {
            record: Some(record),
            ..Payload::default()
        };
        note(&self.call(cx, Event::AfterDelete, &payload).await?)
    }

    async fn after_login(&self, cx: &Context, login: &Login) -> Result<(), Failure> {
        note(&self.call(cx, Event::AfterLogin, login).await?)
    }

    async fn claims(&self, cx: &Context, login: &Login) -> Result<Map<String, Value>, Failure> {
        match self.call(cx, Event::Claims, login).await? {
            Outcome::Unchanged => Ok(Map::new()),
            Outcome::Patch(claims) => serde_json::from_str(&claims)
                .map_err(|error| Failure::new(format!("claims: {error}"))),
            Outcome::Reject(_) | Outcome::Invalid(_) => {
                Err(Failure::new("a refusal, where claims were asked for"))
            }
        }
    }

    async fn after_login_failed(&self, cx: &Context, login: &Login) -> Result<(), Failure> {
        note(&self.call(cx, Event::AfterLoginFailed, login).await?)
    }

    async fn after_locked(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        let payload = Payload {
            record: Some(record),
            ..Payload::default()
        };
        note(&self.call(cx, Event::AfterLocked, &payload).await?)
    }
}

impl ComponentHooks {
    async fn call(
        &self,
        cx: &Context,
        event: Event,
        payload: &(impl Serialize + Sync),
    ) -> Result<Outcome, Failure> {
        let (call, payload) = (call::envelope(cx, event)?, call::json(payload)?);
        let answer = self.0.call(&cx.host, move |store, guest| {
            Box::pin(async move {
                let hooks = guest.roster_plugin_hooks();
                hooks.call_on_event(store, &call, &payload).await
            })
        });
        let outcome = answer.await?.map_err(call::failure)?;
        match &outcome {
            Outcome::Unchanged => {}
            Outcome::Patch(patch) => call::bounded([patch])?,
            Outcome::Reject(refusal) => call::bounded([&refusal.code, &refusal.message])?,
            Outcome::Invalid(issues) => {
                let texts = issues
                    .iter()
                    .map(|issue| [&issue.field, &issue.code, &issue.message]);
                call::bounded(texts.flatten())?;
            }
        }
        Ok(outcome)
    }
}

/// Brings the outcome of an event with a draft into the draft.
fn edit(draft: &mut Draft, outcome: Outcome) -> Result<(), HookError> {
    match outcome {
        Outcome::Patch(patch) => {
            let patch: Map<String, Value> = serde_json::from_str(&patch)
                .map_err(|error| Failure::new(format!("patch: {error}")))?;
            for (field, value) in patch {
                draft.set(field, value);
            }
            Ok(())
        }
        Outcome::Invalid(issues) => {
            for issue in issues {
                draft.error(issue.field, issue.code, issue.message);
            }
            Ok(())
        }
        other => judge(other),
    }
}

/// The outcome of an event that may be refused and has nothing to change.
fn judge(outcome: Outcome) -> Result<(), HookError> {
    match outcome {
        Outcome::Unchanged => Ok(()),
        Outcome::Reject(refusal) if (400..=499).contains(&refusal.status) => {
            let rejection = Rejection::new(refusal.code, refusal.message);
            Err(rejection.with_status(refusal.status).into())
        }
        Outcome::Reject(refusal) => {
            let reason = format!(
                "rejection with status {}: expected 400 to 499",
                refusal.status
            );
            Err(Failure::new(reason).into())
        }
        Outcome::Patch(_) | Outcome::Invalid(_) => {
            Err(Failure::new("changes or field errors, where there is no draft").into())
        }
    }
}

/// The outcome of an event that already happened.
fn note(outcome: &Outcome) -> Result<(), Failure> {
    match outcome {
        Outcome::Unchanged => Ok(()),
        _ => Err(Failure::new(
            "an outcome, where nothing can be refused or changed any more",
        )),
    }
}
