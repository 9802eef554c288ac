//! What a component says its configuration may be.

use std::sync::Arc;

use roster_sdk::{Failure, Host, Value, serde_json};
use wasmtime::component::InstancePre;

use crate::bindings::config::ConfigKindPre;
use crate::call;
use crate::component::Component;
use crate::error::LoadCause;
use crate::host::State;
use crate::load::DESCRIBE;

/// Asks for the schema; none if the component does not export what is asked.
pub(crate) async fn schema(
    component: &Component,
    linked: &InstancePre<State>,
    export: Option<&str>,
    host: &Arc<dyn Host>,
) -> Result<Option<Value>, LoadCause> {
    let Some(export) = export else {
        return Ok(None);
    };
    let kind = ConfigKindPre::new(linked.clone());
    let kind = kind.map_err(|_| LoadCause::OtherAbi(export.to_owned()))?;
    let deadline = component.limits.timeout.max(DESCRIBE);
    let asking = async {
        let mut store = component.store(host, deadline);
        let guest = kind.instantiate_async(&mut store).await?;
        guest.roster_plugin_config().call_schema(&mut store).await
    };
    let failed = |failure: Failure| LoadCause::Failed(failure.reason);
    let Some(text) = component
        .run_within(deadline, asking)
        .await
        .map_err(failed)?
    else {
        return Ok(None);
    };
    call::bounded([&text]).map_err(failed)?;
    let schema = serde_json::from_str(&text);
    schema
        .map(Some)
        .map_err(|error| LoadCause::Schema(error.to_string()))
}
