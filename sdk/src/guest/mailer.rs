use super::Exported;
use super::bindings::base::roster::plugin::records::{Call, Failure};
use super::bindings::mailer::exports::roster::plugin::mailer::Guest;
use super::call::{context, decode, started};
use crate::ready::ready;
use crate::{Mailer, Plugin};

impl<P: Plugin + Mailer> Guest for Exported<P> {
    fn send(call: Call, message: String) -> Result<(), Failure> {
        let sending = async {
            let plugin = started::<P>().await?;
            plugin
                .send(&context(call)?, &decode("message", &message)?)
                .await
        };
        ready(sending).map_err(Failure::from)
    }
}
