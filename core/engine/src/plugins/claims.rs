use std::sync::Arc;

use roster_domain::{Code, Collection, Error, Result};
use roster_sdk::{Event, Failure, HookError, Login, Map, Record, Value as Json};
use uuid::Uuid;

use super::{CallHost, run};
use crate::Inner;
use crate::context::Context;
use crate::convert::{Occasion, visible_json};
use crate::registry::OnFailure;
use crate::system::new_id;

/// Claims that are ours, or mean something to everybody (RFC 7519 §4.1, `OpenID` Connect Core §2).
const RESERVED: [&str; 26] = [
    "id",
    "role",
    "roles",
    "admin_access",
    "app_access",
    "sid",
    "session",
    "scope",
    "share",
    "act",
    "enforce_tfa",
    "purpose",
    "type",
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "azp",
    "acr",
    "amr",
    "nonce",
    "auth_time",
    "cnf",
];
/// The most bytes of all claims together: a token travels with every request.
const BYTES: usize = 2_048;

/// The claims that hooks add to an access token; a later hook does not change an earlier one's.
pub(crate) async fn claims(
    inner: &Inner,
    cx: &Context,
    id: Uuid,
    user: &Map<String, Json>,
    provider: &str,
    mode: &str,
) -> Result<Map<String, Json>> {
    let mut all = Map::new();
    let slots = inner.registry.subscribers(Collection::Users, Event::Claims);
    let Some(first) = slots.first() else {
        return Ok(all);
    };
    let (call, item, host) = (new_id(cx.now)?, id.to_string(), Arc::clone(&first.host));
    let mut context =
        Occasion::of(cx).context(call, Event::Claims, Collection::Users, Some(item), host);
    for slot in slots.iter() {
        let Some(hooks) = &slot.instance.hooks else {
            continue;
        };
        context.host = CallHost::direct(&slot.host);
        let login = Login {
            user: Record(visible_json(slot, cx.model.users(), user)),
            provider: provider.to_owned(),
            mode: mode.to_owned(),
        };
        let asking = async {
            let claims = hooks.claims(&context, &login).await?;
            check(&all, &claims).map_err(|reason| HookError::Failed(Failure::new(reason)))?;
            Ok(claims)
        };
        match run(slot, Event::Claims, asking).await {
            Ok(claims) => all.extend(claims),
            Err(error) => {
                let (plugin, reason) = (slot.name.as_str(), error.to_string());
                match slot.on_failure {
                    OnFailure::Reject => {
                        tracing::error!(plugin, reason, "claims failed, no token");
                        return Err(Error::from(Code::PluginFailed));
                    }
                    OnFailure::Skip => tracing::warn!(plugin, reason, "claims failed, skipped"),
                }
            }
        }
    }
    Ok(all)
}

fn check(all: &Map<String, Json>, claims: &Map<String, Json>) -> Result<(), String> {
    for name in claims.keys() {
        if RESERVED.contains(&name.as_str()) {
            return Err(format!("claim `{name}` is reserved"));
        }
        if all.contains_key(name) {
            return Err(format!("claim `{name}` was added by another plugin"));
        }
    }
    let bytes: usize = [all, claims]
        .into_iter()
        .flatten()
        .map(|(name, value)| name.len() + value.to_string().len())
        .sum();
    if bytes > BYTES {
        return Err(format!("claims of {bytes} bytes, expected at most {BYTES}"));
    }
    Ok(())
}
