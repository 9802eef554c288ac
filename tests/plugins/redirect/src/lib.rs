//! A small auth provider of the redirect style, in the manner of OAuth 2. For tests.

#![forbid(unsafe_code)]

use roster_sdk::{
    AuthProvider, AuthStyle, BeginLogin, Callback, Context, Credentials, HookError, Host,
    HttpRequest, Identity, Manifest, Map, Plugin, Redirect, Rejection, StartError, Value,
    async_trait, json,
};
use serde::Deserialize;

/// The plugin, with its configuration.
pub struct RedirectProvider {
    config: Config,
}

/// `[plugins.<name>.config]`.
#[derive(Deserialize)]
pub struct Config {
    server: String,
}

#[async_trait]
impl Plugin for RedirectProvider {
    type Config = Config;

    async fn start(config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        Ok(Self { config })
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("redirect", env!("CARGO_PKG_VERSION"))
            .authenticates(AuthStyle::Redirect)
            .authenticates(AuthStyle::Credentials)
    }
}

impl RedirectProvider {
    async fn ask(&self, cx: &Context, path: &str, body: &Value) -> Result<Identity, HookError> {
        let url = format!("{}{path}", self.config.server);
        let answer = cx.host.http(&HttpRequest::post(url).json(body)).await?;
        match answer.status {
            200 => Ok(answer.json()?),
            _ => Err(Rejection::invalid_credentials().into()),
        }
    }
}

#[async_trait]
impl AuthProvider for RedirectProvider {
    async fn authenticate(
        &self,
        cx: &Context,
        credentials: &Credentials,
    ) -> Result<Identity, HookError> {
        let Credentials { identifier, secret } = credentials;
        let body = json!({ "name": identifier, "secret": secret });
        self.ask(cx, "/check", &body).await
    }

    async fn begin(&self, cx: &Context, request: &BeginLogin) -> Result<Redirect, HookError> {
        let random = cx.host.random(16);
        let nonce: Vec<String> = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let nonce = nonce.concat();
        let mut state = Map::new();
        state.insert("nonce".to_owned(), json!(nonce));
        Ok(Redirect {
            url: format!(
                "{}/authorize?redirect_uri={}&state={nonce}",
                self.config.server, request.redirect_uri
            ),
            state,
        })
    }

    async fn complete(&self, cx: &Context, callback: &Callback) -> Result<Identity, HookError> {
        let nonce = callback.state.get("nonce").and_then(Value::as_str);
        if nonce.is_none() || callback.parameters.get("state").map(String::as_str) != nonce {
            let refusal = Rejection::new("STATE_MISMATCH", "This login was not begun here.");
            return Err(refusal.with_status(401).into());
        }
        let body = json!({
            "code": callback.parameters.get("code"),
            "redirect_uri": callback.redirect_uri,
        });
        self.ask(cx, "/token", &body).await
    }
}

roster_sdk::export_plugin!(RedirectProvider: AuthProvider);
