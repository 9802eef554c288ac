//! Posts after-events to an HTTP endpoint, signed as in the Standard Webhooks specification.

#![forbid(unsafe_code)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use roster_sdk::schemars::JsonSchema;
use roster_sdk::{
    Context, Event, Failure, Hooks, Host, HttpRequest, Login, Manifest, Plugin, Record, StartError,
    Value, async_trait, json, schema_of,
};
use serde::Deserialize;
use sha2::Sha256;

/// The events it knows, with the names it sends.
const EVENTS: [(Event, &str); 6] = [
    (Event::AfterCreate, "create"),
    (Event::AfterUpdate, "update"),
    (Event::AfterDelete, "delete"),
    (Event::AfterLogin, "login"),
    (Event::AfterLoginFailed, "login_failed"),
    (Event::AfterLocked, "locked"),
];

/// The plugin, with its configuration.
pub struct Webhook {
    config: Config,
    key: Vec<u8>,
}

/// `[plugins.<name>.config]`.
#[derive(Clone, Deserialize, JsonSchema)]
#[schemars(crate = "roster_sdk::schemars")]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where events are posted to; its origin has to be granted.
    pub url: String,
    /// What they are signed with: `whsec_` and 24 to 64 bytes in base64.
    #[schemars(extend("format" = "password"))]
    pub secret: String,
    /// Which events, such as `users.create`.
    #[serde(default = "usual")]
    pub events: Vec<String>,
    /// Which fields are sent.
    #[serde(default = "everything")]
    pub fields: Vec<String>,
}

fn usual() -> Vec<String> {
    ["users.create", "users.update", "users.delete"]
        .map(str::to_owned)
        .to_vec()
}

fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

/// The collection and the event of a name such as `users.create`.
fn wish(name: &str) -> Option<(&str, Event)> {
    let (collection, event) = name.rsplit_once('.')?;
    let known = EVENTS.iter().find(|(_, known)| *known == event)?;
    Some((collection, known.0))
}

#[async_trait]
impl Plugin for Webhook {
    type Config = Config;

    async fn start(config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        if !config.url.starts_with("https://") && !config.url.starts_with("http://") {
            return Err(StartError::new("`url` has to be a web address"));
        }
        let secret = config.secret.strip_prefix("whsec_");
        let key = secret.and_then(|secret| STANDARD.decode(secret).ok());
        let key = key.filter(|key| (24..=64).contains(&key.len()));
        let key = key.ok_or_else(|| {
            StartError::new("`secret` has to be `whsec_` and 24 to 64 bytes in base64")
        })?;
        if let Some(unknown) = config.events.iter().find(|name| wish(name).is_none()) {
            let text = format!("`events`: expected one such as `users.create`, got `{unknown}`");
            return Err(StartError::new(text));
        }
        Ok(Self { config, key })
    }

    fn manifest(&self) -> Manifest {
        let manifest = Manifest::new("webhook", env!("CARGO_PKG_VERSION"));
        let wishes = self.config.events.iter().filter_map(|name| wish(name));
        wishes
            .fold(manifest, |manifest, (collection, event)| {
                manifest.on_collection(collection, event)
            })
            .reads(self.config.fields.iter().cloned())
    }

    fn schema() -> Option<Value> {
        Some(schema_of::<Config>())
    }
}

impl Webhook {
    async fn post(&self, cx: &Context, mut data: Value) -> Result<(), Failure> {
        let event = EVENTS.iter().find(|(event, _)| *event == cx.event);
        let event = event.map_or(cx.event.as_str(), |(_, name)| *name);
        data["id"] = json!(cx.item);
        let body = json!({
            "type": format!("{}.{event}", cx.collection),
            "timestamp": cx.time,
            "data": data,
        });
        let body = body.to_string();
        let time = cx.host.unix_now().to_string();
        let request = HttpRequest::post(&self.config.url)
            .header("content-type", "application/json")
            .header("webhook-id", &cx.id)
            .header("webhook-timestamp", &time)
            .header("webhook-signature", self.sign(&cx.id, &time, &body)?)
            .body(body);
        let answer = cx.host.http(&request).await?;
        if answer.is_success() {
            Ok(())
        } else {
            Err(Failure::new(format!(
                "the endpoint answered {}",
                answer.status
            )))
        }
    }

    /// `v1,` and the HMAC-SHA256 of id, time and body, with dots between them.
    fn sign(&self, id: &str, time: &str, body: &str) -> Result<String, Failure> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key);
        let mut mac = mac.map_err(|error| Failure::new(error.to_string()))?;
        for part in [id, ".", time, ".", body] {
            mac.update(part.as_bytes());
        }
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        Ok(format!("v1,{signature}"))
    }
}

#[async_trait]
impl Hooks for Webhook {
    async fn after_create(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        self.post(cx, json!({ "record": record })).await
    }

    async fn after_update(
        &self,
        cx: &Context,
        record: &Record,
        changed: &[String],
    ) -> Result<(), Failure> {
        self.post(cx, json!({ "record": record, "changed": changed }))
            .await
    }

    async fn after_delete(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        self.post(cx, json!({ "record": record })).await
    }

    async fn after_login(&self, cx: &Context, login: &Login) -> Result<(), Failure> {
        self.post(
            cx,
            json!({ "record": login.user, "provider": login.provider }),
        )
        .await
    }

    async fn after_login_failed(&self, cx: &Context, login: &Login) -> Result<(), Failure> {
        self.post(
            cx,
            json!({ "record": login.user, "provider": login.provider }),
        )
        .await
    }

    async fn after_locked(&self, cx: &Context, record: &Record) -> Result<(), Failure> {
        self.post(cx, json!({ "record": record })).await
    }
}

roster_sdk::export_plugin!(Webhook: Hooks);

#[cfg(test)]
mod tests;
