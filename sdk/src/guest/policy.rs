use super::Exported;
use super::bindings::base::roster::plugin::records::{Call, Failure};
use super::bindings::policy::exports::roster::plugin::policy::Guest;
use super::call::{context, decode, encode, started};
use crate::ready::ready;
use crate::{Plugin, Policy};

impl<P: Plugin + Policy> Guest for Exported<P> {
    fn narrow(call: Call, request: String) -> Result<String, Failure> {
        let narrowing = async {
            let plugin = started::<P>().await?;
            let request = decode("request", &request)?;
            encode(&plugin.narrow(&context(call)?, &request).await?)
        };
        ready(narrowing).map_err(Failure::from)
    }
}
