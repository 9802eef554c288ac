//! `roster plugin test`: a component called for all it is there for, with a host that grants
//! everything and does nothing.

use std::path::Path;
use std::sync::Arc;

use roster_sdk::testing::{self, FakeHost};
use roster_sdk::{
    AccessRequest, AuthStyle, BeginLogin, Context, Credentials, Draft, Event, Failure, HookError,
    Hooks, HttpResponse, Instance, Login, Message, Record, Value as Json, json,
};
use roster_wasm::{Limits, Runtime, RuntimeSettings};

/// What a call may take: more than any server lets it.
pub(crate) const PATIENT: Limits = Limits {
    timeout: std::time::Duration::from_secs(10),
    memory_bytes: 256 << 20,
    table_elements: 100_000,
    instances: roster_wasm::Instances::Fresh,
};

/// Loads the component in a file and calls it; gives it, and a line for each call.
///
/// # Errors
/// Why it is not loaded, or which call crashed it.
pub(crate) async fn call_all(file: &Path, config: Json) -> Result<(Instance, Vec<String>), String> {
    let runtime = Runtime::new(RuntimeSettings::default()).map_err(|error| error.to_string())?;
    let host = FakeHost::new();
    host.respond(|_| {
        Ok(HttpResponse {
            status: 200,
            headers: Vec::new(),
            body: b"{}".to_vec(),
        })
    });
    let loaded = runtime.load("tested", file, config, PATIENT, Arc::clone(&host) as _);
    let instance = loaded.await.map_err(|error| error.to_string())?;
    let mut lines = Vec::new();
    let mut note = |call: &str, answer: Result<(), HookError>| match answer {
        Ok(()) => {
            lines.push(format!("{call}: ok"));
            Ok(())
        }
        Err(HookError::Rejected(rejection)) => {
            lines.push(format!("{call}: refuses with {}", rejection.code));
            Ok(())
        }
        Err(HookError::Failed(failure)) if failure.is_crash => {
            Err(format!("`{call}` as a component: {}", failure.reason))
        }
        Err(HookError::Failed(failure)) => {
            lines.push(format!("{call}: fails, {}", failure.reason));
            Ok(())
        }
    };
    if let Some(hooks) = &instance.hooks {
        for wish in &instance.manifest.subscriptions {
            let mut cx = testing::context(wish.event, &host);
            cx.collection.clone_from(&wish.collection);
            let call = format!("{}.{}", wish.collection, wish.event.as_str());
            let mut draft = testing::draft(draft(&wish.collection));
            let answer = tell(hooks.as_ref(), &cx, &mut draft).await;
            note(&call, answer)?;
            let writes = &instance.manifest.writes;
            let (changed, _) = draft.into_parts();
            let is_asked = |name: &String| writes.iter().any(|wish| wish == name || wish == "*");
            if let Some(name) = changed.keys().find(|name| !is_asked(name)) {
                return Err(format!(
                    "`{call}` changes `{name}`, which the manifest does not ask to write"
                ));
            }
        }
    }
    if let Some(mailer) = &instance.mailer {
        let cx = testing::context(Event::AfterUpdate, &host);
        note(
            "mailer",
            mailer
                .send(&cx, &message())
                .await
                .map_err(HookError::Failed),
        )?;
    }
    if let Some(policy) = &instance.policy {
        let cx = testing::context(Event::Narrow, &host);
        let request = AccessRequest {
            action: "read".to_owned(),
            collection: "users".to_owned(),
        };
        let narrowed = policy.narrow(&cx, &request).await;
        note("policy", narrowed.map(drop).map_err(HookError::Failed))?;
    }
    if let Some(provider) = &instance.auth_provider {
        let cx = testing::context(Event::Authenticate, &host);
        for style in &instance.manifest.authenticates {
            let answer = match style {
                AuthStyle::Credentials => {
                    let credentials = Credentials {
                        identifier: "ada@example.com".to_owned(),
                        secret: "a guess".to_owned(),
                    };
                    provider.authenticate(&cx, &credentials).await.map(drop)
                }
                AuthStyle::Redirect => {
                    let request = BeginLogin {
                        redirect_uri: "https://example.com/callback".to_owned(),
                        prompt: false,
                    };
                    provider.begin(&cx, &request).await.map(drop)
                }
            };
            note("auth provider", answer)?;
        }
    }
    Ok((instance, lines))
}

async fn tell(hooks: &dyn Hooks, cx: &Context, draft: &mut Draft) -> Result<(), HookError> {
    let failed = |answer: Result<(), Failure>| answer.map_err(HookError::Failed);
    let (user, login) = (stored(&cx.collection), login());
    match cx.event {
        Event::BeforeCreate => hooks.before_create(cx, draft).await,
        Event::BeforeUpdate => hooks.before_update(cx, &user, draft).await,
        Event::BeforeDelete => hooks.before_delete(cx, &user).await,
        Event::BeforeLogin => hooks.before_login(cx, &login).await,
        Event::AfterCreate => failed(hooks.after_create(cx, &user).await),
        Event::AfterUpdate => {
            let changed = ["first_name".to_owned()];
            failed(hooks.after_update(cx, &user, &changed).await)
        }
        Event::AfterDelete => failed(hooks.after_delete(cx, &user).await),
        Event::AfterLogin => failed(hooks.after_login(cx, &login).await),
        Event::Claims => failed(hooks.claims(cx, &login).await.map(drop)),
        Event::AfterLoginFailed => failed(hooks.after_login_failed(cx, &login).await),
        Event::AfterLocked => failed(hooks.after_locked(cx, &user).await),
        // Nobody subscribes to these.
        Event::Narrow | Event::Authenticate => Ok(()),
    }
}

/// What a new one says, in a collection.
fn draft(collection: &str) -> Json {
    match collection.trim_start_matches("directus_") {
        "fields" => {
            json!({ "collection": "directus_users", "field": "nickname", "type": "string" })
        }
        "relations" => json!({
            "collection": "directus_users",
            "field": "manager",
            "related_collection": "directus_users",
        }),
        _ => json!({ "first_name": "Ada" }),
    }
}

fn stored(collection: &str) -> Record {
    let mut said = draft(collection);
    if said.get("collection").is_none() {
        return user();
    }
    said["schema"] = json!({});
    said["meta"] = json!({ "note": null });
    testing::record(said)
}

fn user() -> Record {
    testing::record(json!({
        "id": "0197a2b0-0000-7000-8000-000000000001",
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "title": null,
        "status": "active",
    }))
}

fn login() -> Login {
    Login {
        user: user(),
        provider: "default".to_owned(),
        mode: "json".to_owned(),
    }
}

fn message() -> Message {
    Message {
        id: "0197a2b0-0000-7000-8000-00000000a001".to_owned(),
        from: "no-reply@example.com".to_owned(),
        to: vec!["ada@example.com".to_owned()],
        subject: "A trial".to_owned(),
        text: "Nobody sent this.".to_owned(),
        html: None,
    }
}
