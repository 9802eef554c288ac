//! A plugin that asks its host for what the title of a new user says, and keeps the answer in the
//! description. For tests.

#![forbid(unsafe_code)]

use roster_sdk::{
    Context, Draft, Event, Expected, Failure, HookError, Hooks, Host, HostError, HttpRequest,
    Login, Mail, Manifest, Map, Plugin, Record, Rejection, StartError, UserQuery, Value,
    async_trait, json,
};
use serde::Deserialize;

/// The plugin, with its configuration.
pub struct Stock {
    config: Config,
}

/// `[plugins.<name>.config]`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Config {
    claims: Map<String, Value>,
    /// Whether it looks after fields, too.
    labels: bool,
    /// Whether it looks at changes of users, too.
    updates: bool,
}

#[async_trait]
impl Plugin for Stock {
    type Config = Config;

    async fn start(config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        Ok(Self { config })
    }

    fn manifest(&self) -> Manifest {
        let mut manifest = Manifest::new("stock", env!("CARGO_PKG_VERSION"))
            .on(Event::BeforeCreate)
            .on(Event::AfterDelete)
            .on(Event::Claims)
            .on(Event::AfterLoginFailed)
            .on(Event::AfterLocked)
            .reads(["email", "title", "description"])
            .writes(["description"]);
        if self.config.updates {
            manifest = manifest.on(Event::BeforeUpdate);
        }
        if !self.config.labels {
            return manifest;
        }
        manifest
            .on_collection("fields", Event::BeforeCreate)
            .on_collection("directus_fields", Event::AfterCreate)
            .reads(["field", "type"])
            .writes(["meta"])
    }
}

fn told<T: std::fmt::Debug>(answer: Result<T, HostError>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => error.to_string(),
    }
}

async fn ask(host: &dyn Host, wish: &str, what: &str) -> Result<String, HostError> {
    Ok(match wish {
        "count" => {
            let seen = host.store_get(what).await?;
            let count = seen.and_then(|entry| entry.value.as_u64()).unwrap_or(0) + 1;
            host.store_set(what, &json!(count), Expected::Any).await?;
            count.to_string()
        }
        "claim" => {
            let set = host.store_set(what, &json!(true), Expected::Absent).await;
            set.map(|_| "mine".to_owned())?
        }
        "twice" => {
            let first = host.store_set(what, &json!("first"), Expected::Any).await?;
            let second = json!("second");
            host.store_set(what, &second, Expected::Version(first))
                .await?;
            let stale = host
                .store_set(what, &second, Expected::Version(first))
                .await;
            told(stale.map(drop))
        }
        "keep" => {
            host.store_set(what, &json!("kept"), Expected::Any).await?;
            "kept".to_owned()
        }
        "forget" => told(host.store_delete(what, Expected::Any).await),
        "read" => told(
            host.store_get(what)
                .await
                .map(|entry| entry.map(|entry| entry.value)),
        ),
        "keys" => told(host.store_keys(what, 10).await),
        "user" => {
            let query = UserQuery::filter(json!({ "email": { "_eq": what } }));
            told(host.users(&query.fields(["email", "title"])).await)
        }
        "secret" => {
            let query = UserQuery::filter(json!({ "password": { "_nnull": true } }));
            told(host.users(&query.fields(["email"])).await)
        }
        "field" => told(host.users(&UserQuery::default().fields([what])).await),
        "mail" => {
            let mail = Mail {
                to: vec![what.to_owned()],
                subject: "Hello".to_owned(),
                text: "From stock.".to_owned(),
                html: None,
            };
            host.send_mail(&mail).await.map(|_| "sent".to_owned())?
        }
        "get" => {
            let answer = host.http(&HttpRequest::get(what)).await?;
            format!("{} {}", answer.status, answer.text())
        }
        "post" => {
            let request = HttpRequest::post(what).header("host", "evil.example");
            let answer = host.http(&request.body("posted")).await?;
            format!("{} {}", answer.status, answer.text())
        }
        "flood" => {
            let mut last = String::new();
            for _ in 0..1_000 {
                if let Err(error) = host.store_get("x").await {
                    last = error.to_string();
                }
            }
            last
        }
        "requests" => {
            let mut last = String::new();
            for _ in 0..20 {
                if let Err(error) = host.http(&HttpRequest::get(what)).await {
                    last = error.to_string();
                }
            }
            last
        }
        "clock" => format!("{} {}", host.now().len(), host.unix_now() > 1_700_000_000),
        "random" => format!("{} {}", host.random(32).len(), host.random(9_999).len()),
        _ => String::new(),
    })
}

/// Numbers new fields in their notes; of two names it knows better.
async fn label(cx: &Context, draft: &mut Draft) -> Result<(), HookError> {
    let count = ask(cx.host.as_ref(), "count", "fields").await?;
    match draft.text("field") {
        Some("forbidden") => return Err(Rejection::new("NO", "No.").with_status(403).into()),
        Some("odd") => draft.error("field", "ODD_NAME", "This name is odd."),
        _ => {}
    }
    let meta = draft.get("meta").filter(|meta| meta.is_object());
    let mut meta = meta.cloned().unwrap_or_else(|| json!({}));
    let item = cx.item.as_deref().unwrap_or_default();
    meta["note"] = json!(format!("{count}: {item}"));
    draft.set("meta", meta);
    Ok(())
}

#[async_trait]
impl Hooks for Stock {
    async fn before_create(&self, cx: &Context, draft: &mut Draft) -> Result<(), HookError> {
        if cx.collection == "fields" {
            return label(cx, draft).await;
        }
        let title = draft.text("title").unwrap_or_default().to_owned();
        let (wish, what) = title.split_once(' ').unwrap_or((&title, ""));
        if wish == "refuse" {
            ask(cx.host.as_ref(), "keep", what).await?;
            ask(cx.host.as_ref(), "mail", "nobody@example.com").await?;
            return Err(Rejection::new("NO", "No.").into());
        }
        if wish == "fail" {
            ask(cx.host.as_ref(), "keep", what).await?;
            return Err(Failure::new("as it was told").into());
        }
        let answer = ask(cx.host.as_ref(), wish, what).await;
        let answer = answer.unwrap_or_else(|error| error.to_string());
        if !answer.is_empty() {
            draft.set("description", answer);
        }
        Ok(())
    }

    async fn before_update(
        &self,
        cx: &Context,
        stored: &Record,
        draft: &mut Draft,
    ) -> Result<(), HookError> {
        let was = stored.text("title").unwrap_or_default();
        let counted = ask(cx.host.as_ref(), "count", "updates").await;
        let counted = counted.unwrap_or_else(|error| error.to_string());
        draft.set("description", format!("{counted}: it was {was}"));
        Ok(())
    }

    async fn after_create(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        let told = json!([cx.collection, cx.item, record]);
        cx.host.store_set("made", &told, Expected::Any).await?;
        Ok(())
    }

    async fn after_delete(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        let title = json!(record.text("title"));
        cx.host.store_set("deleted", &title, Expected::Any).await?;
        Ok(())
    }

    async fn claims(&self, _cx: &Context, login: &Login) -> Result<Map<String, Value>, Failure> {
        let mut claims = self.config.claims.clone();
        if let Some(title) = login.user.text("title") {
            claims.insert("title".to_owned(), json!(title));
        }
        Ok(claims)
    }

    async fn after_login_failed(&self, cx: &Context, login: &Login) -> Result<(), Failure> {
        let told = json!([login.provider, login.user.text("email")]);
        cx.host.store_set("failed", &told, Expected::Any).await?;
        Ok(())
    }

    async fn after_locked(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        let told = json!(record.text("email"));
        cx.host.store_set("locked", &told, Expected::Any).await?;
        Ok(())
    }
}

roster_sdk::export_plugin!(Stock: Hooks);
