use async_trait::async_trait;
use roster_sdk::{AccessRequest, Context, Event, Failure, Narrowing, Policy, serde_json};

use crate::bindings::policy::PolicyKindIndices;
use crate::call;
use crate::guests::Guests;

/// The policy of a component.
pub(crate) struct ComponentPolicy(pub(crate) Guests<PolicyKindIndices>);

#[async_trait]
impl Policy for ComponentPolicy {
    async fn narrow(&self, cx: &Context, request: &AccessRequest) -> Result<Narrowing, Failure> {
        let (call, request) = (call::envelope(cx, Event::Narrow)?, call::json(request)?);
        let answer = self.0.call(&cx.host, move |store, guest| {
            Box::pin(async move {
                let policy = guest.roster_plugin_policy();
                policy.call_narrow(store, &call, &request).await
            })
        });
        let answer = answer.await?.map_err(call::failure)?;
        call::bounded([&answer])?;
        serde_json::from_str(&answer).map_err(|error| Failure::new(format!("narrowing: {error}")))
    }
}
