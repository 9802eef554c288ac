//! Writes messages to the server's log instead of sending them: the default mailer.

#![forbid(unsafe_code)]

use roster_sdk::schemars::JsonSchema;
use roster_sdk::{
    Context, Failure, Host, Level, Mailer, Manifest, Message, Plugin, StartError, Value,
    async_trait, schema_of,
};
use serde::{Deserialize, Serialize};

/// The mailer, with its configuration.
#[derive(Debug)]
pub struct LogMailer {
    config: Config,
}

/// `[plugins.<name>.config]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[schemars(crate = "roster_sdk::schemars")]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether the text is logged too. It may hold links that let whoever reads the log in.
    pub show_body: bool,
}

#[async_trait]
impl Plugin for LogMailer {
    type Config = Config;

    async fn start(config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        Ok(Self { config })
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("log-mailer", env!("CARGO_PKG_VERSION"))
    }

    fn schema() -> Option<Value> {
        Some(schema_of::<Config>())
    }
}

#[async_trait]
impl Mailer for LogMailer {
    async fn send(&self, cx: &Context, message: &Message) -> Result<(), Failure> {
        let Message {
            id,
            to,
            subject,
            text,
            ..
        } = message;
        let mut line = format!("message {id} to {}: {subject}", to.join(", "));
        if self.config.show_body {
            line.push('\n');
            line.push_str(text);
        }
        cx.log(Level::Info, &line);
        Ok(())
    }
}

roster_sdk::export_plugin!(LogMailer: Mailer);

#[cfg(test)]
mod tests {
    use roster_sdk::testing::{self, FakeHost};
    use roster_sdk::{Event, Level, Mailer, Message, Value, json};

    use super::LogMailer;

    /// What is logged for one message.
    fn logged(config: Value) -> Vec<(Level, String)> {
        let host = FakeHost::new();
        let mailer: LogMailer = testing::start(config, &host).expect("it starts");
        let message = Message {
            id: "m1".to_owned(),
            from: "no-reply@example.com".to_owned(),
            to: vec!["ada@example.com".to_owned(), "bob@example.com".to_owned()],
            subject: "Reset your password".to_owned(),
            text: "https://example.com/reset?token=secret".to_owned(),
            html: Some("<a href=\"https://example.com/reset?token=secret\">".to_owned()),
        };
        let cx = testing::context(Event::AfterCreate, &host);
        testing::ready(mailer.send(&cx, &message)).expect("it never fails");
        host.lines()
    }

    #[test]
    fn a_message_is_one_line_without_its_text() {
        let line = "message m1 to ada@example.com, bob@example.com: Reset your password";

        assert_eq!(logged(json!({})), [(Level::Info, line.to_owned())]);
    }

    #[test]
    fn the_text_follows_where_the_operator_wants_it() {
        let lines = logged(json!({ "show_body": true }));

        assert_eq!(lines.len(), 1);
        assert!(
            lines[0]
                .1
                .ends_with("\nhttps://example.com/reset?token=secret"),
            "{lines:?}"
        );
    }
}
