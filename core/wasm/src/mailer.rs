use async_trait::async_trait;
use roster_sdk::{Context, Failure, Mailer, Message};

use crate::bindings::mailer::MailerKindIndices;
use crate::call;
use crate::guests::Guests;

/// The mailer of a component.
pub(crate) struct ComponentMailer(pub(crate) Guests<MailerKindIndices>);

#[async_trait]
impl Mailer for ComponentMailer {
    async fn send(&self, cx: &Context, message: &Message) -> Result<(), Failure> {
        let (call, message) = (call::envelope(cx, cx.event)?, call::json(message)?);
        let answer = self.0.call(&cx.host, move |store, guest| {
            Box::pin(async move {
                let mailer = guest.roster_plugin_mailer();
                mailer.call_send(store, &call, &message).await
            })
        });
        answer.await?.map_err(call::failure)
    }
}
