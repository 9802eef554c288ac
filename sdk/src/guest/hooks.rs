use serde::Deserialize;
use serde_json::{Map, Value};

use super::Exported;
use super::bindings::base::roster::plugin::records;
use super::bindings::hooks::exports::roster::plugin::hooks::Guest;
use super::call::{context, decode, started};
use crate::ready::ready;
use crate::{Context, Draft, Event, Failure, HookError, Hooks, Plugin, Record};

impl<P: Plugin + Hooks> Guest for Exported<P> {
    fn on_event(
        call: records::Call,
        payload: String,
    ) -> Result<records::Outcome, records::Failure> {
        let handling = async {
            let plugin = started::<P>().await?;
            handle(&*plugin, &context(call)?, &payload).await
        };
        match ready(handling) {
            Ok(draft) => outcome(draft).map_err(records::Failure::from),
            Err(HookError::Rejected(refusal)) => Ok(records::Outcome::Reject(records::Rejection {
                code: refusal.code,
                message: refusal.message,
                status: refusal.status,
            })),
            Err(HookError::Failed(failure)) => Err(failure.into()),
        }
    }
}

#[derive(Deserialize)]
struct Creation {
    draft: Map<String, Value>,
}

#[derive(Deserialize)]
struct Change {
    stored: Record,
    draft: Map<String, Value>,
}

#[derive(Deserialize)]
struct Stored {
    stored: Record,
}

#[derive(Deserialize)]
struct Written {
    record: Record,
    #[serde(default)]
    changed: Vec<String>,
}

/// Calls the event's hook. The draft is the one it worked on, if the event has one.
async fn handle(
    plugin: &impl Hooks,
    cx: &Context,
    payload: &str,
) -> Result<Option<Draft>, HookError> {
    match cx.event {
        Event::BeforeCreate => {
            let mut draft = Draft::new(read::<Creation>(payload)?.draft);
            plugin.before_create(cx, &mut draft).await?;
            return Ok(Some(draft));
        }
        Event::BeforeUpdate => {
            let Change { stored, draft } = read(payload)?;
            let mut draft = Draft::new(draft);
            plugin.before_update(cx, &stored, &mut draft).await?;
            return Ok(Some(draft));
        }
        Event::BeforeDelete => {
            let Stored { stored } = read(payload)?;
            plugin.before_delete(cx, &stored).await?;
        }
        Event::BeforeLogin => plugin.before_login(cx, &read(payload)?).await?,
        Event::AfterCreate => {
            let Written { record, .. } = read(payload)?;
            plugin.after_create(cx, &record).await?;
        }
        Event::AfterUpdate => {
            let Written { record, changed } = read(payload)?;
            plugin.after_update(cx, &record, &changed).await?;
        }
        Event::AfterDelete => {
            let Written { record, .. } = read(payload)?;
            plugin.after_delete(cx, &record).await?;
        }
        Event::AfterLogin => plugin.after_login(cx, &read(payload)?).await?,
        Event::Claims => {
            let mut claims = Draft::default();
            for (name, value) in plugin.claims(cx, &read(payload)?).await? {
                claims.set(name, value);
            }
            return Ok(Some(claims));
        }
        Event::AfterLoginFailed => plugin.after_login_failed(cx, &read(payload)?).await?,
        Event::AfterLocked => {
            let Written { record, .. } = read(payload)?;
            plugin.after_locked(cx, &record).await?;
        }
        Event::Narrow | Event::Authenticate => {
            return Err(
                Failure::new(format!("`{}` is no event of hooks", cx.event.as_str())).into(),
            );
        }
    }
    Ok(None)
}

fn read<T: serde::de::DeserializeOwned>(payload: &str) -> Result<T, Failure> {
    decode("payload", payload)
}

fn outcome(draft: Option<Draft>) -> Result<records::Outcome, Failure> {
    let (patch, errors) = draft.unwrap_or_default().into_parts();
    if !errors.is_empty() {
        let issues = errors.into_iter().map(|error| records::Issue {
            field: error.field,
            code: error.code,
            message: error.message,
        });
        return Ok(records::Outcome::Invalid(issues.collect()));
    }
    if patch.is_empty() {
        return Ok(records::Outcome::Unchanged);
    }
    let patch = serde_json::to_string(&patch);
    let patch = patch.map_err(|error| Failure::new(format!("patch: {error}")))?;
    Ok(records::Outcome::Patch(patch))
}
