//! A plugin of two kinds in one component, which answers with what it was told. For tests.

#![forbid(unsafe_code)]

use roster_sdk::{
    Context, Draft, Event, Failure, HookError, Hooks, Host, Level, Login, Mailer, Manifest,
    Message, Plugin, Principal, Record, Rejection, StartError, Value, async_trait, serde_json,
};

struct TwoKinds {
    config: Value,
}

#[async_trait]
impl Plugin for TwoKinds {
    type Config = Value;

    async fn start(config: Value, _host: &dyn Host) -> Result<Self, StartError> {
        Ok(Self { config })
    }

    fn manifest(&self) -> Manifest {
        let manifest = Manifest::new("two-kinds", env!("CARGO_PKG_VERSION"));
        Event::ALL
            .into_iter()
            .fold(manifest, Manifest::on)
            .reads(["*"])
            .writes(["description"])
    }
}

#[async_trait]
impl Hooks for TwoKinds {
    async fn before_create(&self, cx: &Context, draft: &mut Draft) -> Result<(), HookError> {
        if draft.text("title") == Some("bad") {
            draft.error("title", "TITLE_BAD", "This title is bad.");
            draft.error("email", "EMAIL_BAD", "So is this address.");
        } else {
            draft.set("description", told(cx, &self.config));
        }
        Ok(())
    }

    async fn before_update(
        &self,
        _cx: &Context,
        stored: &Record,
        draft: &mut Draft,
    ) -> Result<(), HookError> {
        let [was, is] = [stored.text("title"), draft.text("title")].map(Option::unwrap_or_default);
        draft.set("description", format!("{was} became {is}"));
        Ok(())
    }

    async fn before_delete(&self, _cx: &Context, stored: &Record) -> Result<(), HookError> {
        let title = stored.text("title").unwrap_or_default();
        Err(Rejection::new("STAYS", format!("{title} stays."))
            .with_status(409)
            .into())
    }

    async fn before_login(&self, cx: &Context, login: &Login) -> Result<(), HookError> {
        match &cx.principal {
            Principal::Public => {
                Err(Failure::new(format!("{} {}", login.provider, login.mode)).into())
            }
            _ => Ok(()),
        }
    }

    async fn after_update(
        &self,
        cx: &Context,
        record: &Record,
        changed: &[String],
    ) -> Result<(), Failure> {
        let title = record.text("title").unwrap_or_default();
        cx.log(Level::Warn, &format!("{title}: {}", changed.join(",")));
        Ok(())
    }

    async fn after_create(&self, _cx: &Context, record: &Record) -> Result<(), Failure> {
        Err(Failure::new(format!(
            "cannot tell {}",
            record.text("title").unwrap_or_default()
        )))
    }
}

#[async_trait]
impl Mailer for TwoKinds {
    async fn send(&self, cx: &Context, message: &Message) -> Result<(), Failure> {
        if message.to.is_empty() {
            return Err(Failure::new("nobody to send to"));
        }
        cx.log(
            Level::Info,
            &format!("{} to {}", message.subject, message.to.join(",")),
        );
        Ok(())
    }
}

/// Everything the plugin may know of the call, as JSON text.
fn told(cx: &Context, config: &Value) -> String {
    serde_json::json!({
        "id": cx.id,
        "event": cx.event,
        "collection": cx.collection,
        "item": cx.item,
        "source": cx.source,
        "principal": cx.principal,
        "ip": cx.ip,
        "user_agent": cx.user_agent,
        "time": cx.time,
        "depth": cx.depth,
        "config": config,
    })
    .to_string()
}

roster_sdk::export_plugin!(TwoKinds: Hooks, Mailer);
