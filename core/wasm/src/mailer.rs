use std::sync::Arc;

use async_trait::async_trait;
use roster_sdk::{Context, Failure, Mailer, Message};

use crate::bindings::mailer::MailerKindPre;
use crate::call;
use crate::component::Component;
use crate::host::State;

/// The mailer of a component.
pub(crate) struct ComponentMailer {
    pub(crate) component: Arc<Component>,
    pub(crate) guest: MailerKindPre<State>,
}

#[async_trait]
impl Mailer for ComponentMailer {
    async fn send(&self, cx: &Context, message: &Message) -> Result<(), Failure> {
        let (call, message) = (call::envelope(cx, cx.event)?, call::json(message)?);
        let sending = async {
            let mut store = self.component.store(&cx.host);
            let guest = self.guest.instantiate_async(&mut store).await?;
            guest
                .roster_plugin_mailer()
                .call_send(&mut store, &call, &message)
                .await
        };
        self.component.run(sending).await?.map_err(call::failure)
    }
}
