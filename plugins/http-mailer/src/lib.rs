//! Sends mails by posting them to the HTTP API of a mail service.

#![forbid(unsafe_code)]

use roster_sdk::schemars::JsonSchema;
use roster_sdk::{
    Context, Failure, Host, HttpRequest, Mailer, Manifest, Message, Plugin, StartError, Value,
    async_trait, json, schema_of,
};
use serde::Deserialize;

/// The plugin, with its configuration.
#[derive(Debug)]
pub struct HttpMailer {
    config: Config,
}

/// `[plugins.<name>.config]`.
#[derive(Clone, Deserialize, JsonSchema)]
#[schemars(crate = "roster_sdk::schemars")]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where mails are posted to; its origin has to be granted.
    pub url: String,
    /// Sent as `Authorization: Bearer …`, if there is one.
    #[serde(default)]
    #[schemars(extend("format" = "password"))]
    pub token: Option<String>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Plugin for HttpMailer {
    type Config = Config;

    async fn start(config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        if !config.url.starts_with("https://") && !config.url.starts_with("http://") {
            return Err(StartError::new("`url` has to be a web address"));
        }
        Ok(Self { config })
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("http-mailer", env!("CARGO_PKG_VERSION"))
    }

    fn schema() -> Option<Value> {
        Some(schema_of::<Config>())
    }
}

#[async_trait]
impl Mailer for HttpMailer {
    async fn send(&self, cx: &Context, message: &Message) -> Result<(), Failure> {
        let body = json!({
            "from": message.from,
            "to": message.to,
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
        });
        // A service that knows the header sends a mail that comes again only once.
        let mut request = HttpRequest::post(&self.config.url)
            .header("idempotency-key", &message.id)
            .json(&body);
        if let Some(token) = &self.config.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = cx.host.http(&request).await?;
        if answer.is_success() {
            return Ok(());
        }
        let text: String = answer.text().chars().take(200).collect();
        Err(Failure::new(format!(
            "the service answered {}: {text}",
            answer.status
        )))
    }
}

roster_sdk::export_plugin!(HttpMailer: Mailer);

#[cfg(test)]
mod tests {
    use roster_sdk::testing::{self, FakeHost};
    use roster_sdk::{Event, HttpResponse, Value, serde_json};

    use super::*;

    fn answering(status: u16) -> (std::sync::Arc<FakeHost>, HttpMailer) {
        let host = FakeHost::new();
        host.respond(move |_| {
            Ok(HttpResponse {
                status,
                body: b"because".to_vec(),
                ..HttpResponse::default()
            })
        });
        let config = json!({ "url": "https://mail.example.com/send", "token": "secret" });
        let mailer = testing::start(config, &host).unwrap();
        (host, mailer)
    }

    fn message() -> Message {
        Message {
            id: "m1".to_owned(),
            from: "a@example.com".to_owned(),
            to: vec!["b@example.com".to_owned()],
            subject: "Hello".to_owned(),
            text: "Text".to_owned(),
            html: None,
        }
    }

    #[test]
    fn a_message_is_posted_once_and_with_its_token() {
        let (host, mailer) = answering(202);
        let cx = testing::context(Event::AfterUpdate, &host);

        testing::ready(mailer.send(&cx, &message())).unwrap();

        let requests = host.requests();
        let body: Value = serde_json::from_slice(requests[0].body.as_deref().unwrap()).unwrap();
        assert_eq!(requests.len(), 1);
        assert_eq!(
            (&body["to"][0], &body["subject"]),
            (&json!("b@example.com"), &json!("Hello"))
        );
        let token = ("authorization".to_owned(), "Bearer secret".to_owned());
        assert!(requests[0].headers.contains(&token));
    }

    #[test]
    fn a_refusal_is_a_failure_that_says_why() {
        let (host, mailer) = answering(422);
        let cx = testing::context(Event::AfterUpdate, &host);

        let sent = testing::ready(mailer.send(&cx, &message()));

        let expected = Failure::new("the service answered 422: because");
        assert_eq!(sent, Err(expected));
    }
}
