//! A plugin of all four kinds, each as small as a useful one gets, for measuring what a call costs:
//! the hook reads two fields and writes a third.

#![forbid(unsafe_code)]

use roster_sdk::{
    AccessRequest, AuthProvider, AuthStyle, BeginLogin, Context, Draft, Event, Failure, HookError,
    Hooks, Host, Mailer, Manifest, Map, Message, Narrowing, Plugin, Policy, Principal, Record,
    Redirect, StartError, Value, async_trait, json,
};

/// The plugin. It has no configuration.
#[derive(Debug)]
pub struct Touch;

#[async_trait]
impl Plugin for Touch {
    type Config = Value;

    async fn start(_config: Value, _host: &dyn Host) -> Result<Self, StartError> {
        Ok(Self)
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("touch", env!("CARGO_PKG_VERSION"))
            .on(Event::BeforeUpdate)
            .narrows("read", "users")
            .authenticates(AuthStyle::Redirect)
            .reads(["first_name", "last_name"])
            .writes(["title"])
    }
}

#[async_trait]
impl Hooks for Touch {
    async fn before_update(
        &self,
        _cx: &Context,
        stored: &Record,
        draft: &mut Draft,
    ) -> Result<(), HookError> {
        let name = |field| {
            draft
                .text(field)
                .or_else(|| stored.text(field))
                .unwrap_or_default()
        };
        let title = format!("{}, {}", name("last_name"), name("first_name"));
        draft.set("title", title);
        Ok(())
    }
}

#[async_trait]
impl Policy for Touch {
    async fn narrow(&self, cx: &Context, _request: &AccessRequest) -> Result<Narrowing, Failure> {
        match &cx.principal {
            Principal::User { role, .. } => {
                Ok(Narrowing::filter(json!({ "role": { "_eq": role } })))
            }
            Principal::Public | Principal::System { .. } => Ok(Narrowing::none()),
        }
    }
}

#[async_trait]
impl AuthProvider for Touch {
    async fn begin(&self, _cx: &Context, request: &BeginLogin) -> Result<Redirect, HookError> {
        let mut state = Map::new();
        state.insert("back".to_owned(), json!(request.redirect_uri));
        Ok(Redirect {
            url: format!("https://login.example?back={}", request.redirect_uri),
            state,
        })
    }
}

#[async_trait]
impl Mailer for Touch {
    async fn send(&self, _cx: &Context, message: &Message) -> Result<(), Failure> {
        let body = json!({ "to": message.to, "subject": message.subject, "text": message.text });
        if body.to_string().len() > 1_000_000 {
            return Err(Failure::new("the message is too long"));
        }
        Ok(())
    }
}

roster_sdk::export_plugin!(Touch: Hooks, Policy, AuthProvider, Mailer);
