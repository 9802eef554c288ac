use super::Exported;
use super::bindings::auth_provider::exports::roster::plugin::auth_provider::Guest;
use super::bindings::base::roster::plugin::records::{Call, Rejection, StepError};
use super::call::{context, decode, encode, started};
use crate::ready::ready;
use crate::{AuthProvider, Failure, HookError, Plugin};

impl<P: Plugin + AuthProvider> Guest for Exported<P> {
    fn step(call: Call, step: String, input: String) -> Result<String, StepError> {
        let stepping = async {
            let plugin = started::<P>().await?;
            let cx = context(call)?;
            let output = match step.as_str() {
                "authenticate" => {
                    let credentials = decode("credentials", &input)?;
                    encode(&plugin.authenticate(&cx, &credentials).await?)
                }
                "begin" => encode(&plugin.begin(&cx, &decode("request", &input)?).await?),
                "complete" => encode(&plugin.complete(&cx, &decode("callback", &input)?).await?),
                other => Err(Failure::new(format!(
                    "step `{other}` is not known to this plugin"
                ))),
            };
            Ok(output?)
        };
        ready(stepping).map_err(|error: HookError| match error {
            HookError::Rejected(refusal) => StepError::Rejected(Rejection {
                code: refusal.code,
                message: refusal.message,
                status: refusal.status,
            }),
            HookError::Failed(failure) => StepError::Failed(failure.into()),
        })
    }
}
