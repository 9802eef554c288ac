use async_trait::async_trait;
use roster_sdk::{
    AuthProvider, BeginLogin, Callback, Context, Credentials, Event, Failure, HookError, Identity,
    Redirect, Rejection, serde_json,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::auth_provider::AuthProviderKindIndices;
use crate::bindings::base::roster::plugin::records::StepError;
use crate::call;
use crate::guests::Guests;

/// The auth provider of a component.
pub(crate) struct ComponentAuthProvider(pub(crate) Guests<AuthProviderKindIndices>);

impl ComponentAuthProvider {
    async fn step<T: DeserializeOwned>(
        &self,
        cx: &Context,
        step: &'static str,
        input: &(impl Serialize + Sync),
    ) -> Result<T, HookError> {
        let (call, input) = (call::envelope(cx, Event::Authenticate)?, call::json(input)?);
        let answer = self.0.call(&cx.host, move |store, guest| {
            Box::pin(async move {
                let provider = guest.roster_plugin_auth_provider();
                provider.call_step(store, &call, step, &input).await
            })
        });
        match answer.await? {
            Ok(output) => {
                call::bounded([&output])?;
                let read = serde_json::from_str(&output);
                Ok(read.map_err(|error| Failure::new(format!("{step}: {error}")))?)
            }
            Err(StepError::Rejected(refusal)) => {
                call::bounded([&refusal.code, &refusal.message])?;
                let rejection = Rejection::new(refusal.code, refusal.message);
                Err(rejection.with_status(refusal.status).into())
            }
            Err(StepError::Failed(failure)) => Err(call::failure(failure).into()),
        }
    }
}

#[async_trait]
impl AuthProvider for ComponentAuthProvider {
    async fn authenticate(
        &self,
        cx: &Context,
        credentials: &Credentials,
    ) -> Result<Identity, HookError> {
        self.step(cx, "authenticate", credentials).await
    }

    async fn begin(&self, cx: &Context, request: &BeginLogin) -> Result<Redirect, HookError> {
        self.step(cx, "begin", request).await
    }

    async fn complete(&self, cx: &Context, callback: &Callback) -> Result<Identity, HookError> {
        self.step(cx, "complete", callback).await
    }
}
