//! What a write of a user takes and brings beyond the record.

use roster_domain::error::field as problem;
use roster_domain::value::MASK;
use roster_domain::{Key, Record, Result, Status, UserId, Valid, Value};
use roster_storage::records::Generation;
use roster_storage::{Tx, api_tokens, second_factors, sessions};
use serde_json::{Map, Value as Json};

use crate::Inner;
use crate::context::Context;
use crate::login::attempts::prove_password;
use crate::write::is_own;

/// What tokens and rights depend on.
const DECISIVE: [&str; 6] = ["status", "role", "password", "email", "token", "provider"];

pub(super) fn touches(valid: &Valid, fields: &[&str]) -> bool {
    valid.names().any(|name| fields.contains(&name))
}

pub(super) fn generation(valid: &Valid) -> Generation {
    if touches(valid, &DECISIVE) {
        Generation::Raise
    } else {
        Generation::Keep
    }
}

/// Sessions end with the status that allowed them, and with the credential that began them.
pub(super) async fn end_sessions(tx: &mut Tx, id: UserId, valid: &Valid) -> Result<()> {
    let active = Status::Active.as_str();
    let is_out = valid
        .get("status")
        .is_some_and(|status| status.as_text() != Some(active));
    if is_out || touches(valid, &["password", "email"]) {
        sessions::end_all(tx, id, None).await?;
    }
    Ok(())
}

/// What let an archived user in does not let in the one who takes their place.
pub(super) async fn forget_credentials(tx: &mut Tx, id: UserId) -> Result<()> {
    sessions::end_all(tx, id, None).await?;
    second_factors::disable(tx, id).await?;
    api_tokens::remove_all(tx, id).await
}

/// Changing one's own password needs the present one, `current_password`, in the same body, unless
/// the operator turned that off or there is none. Takes it out of the body.
pub(super) async fn prove_password_change(
    inner: &Inner,
    cx: &Context,
    key: Key,
    stored: &Record,
    body: &mut Map<String, Json>,
) -> Result<()> {
    let changes = body
        .get("password")
        .is_some_and(|password| password.as_str() != Some(MASK));
    let current = body.remove("current_password");
    let Some(id) = key.uuid() else { return Ok(()) };
    let must = inner.settings.password.require_current && is_own(&cx.principal, id);
    if !changes || !must {
        return Ok(());
    }
    match current {
        Some(current) => {
            let current = current.as_str().unwrap_or_default();
            prove_password(inner, cx, UserId(id), current).await
        }
        None if stored.item.get("password") == Some(&Value::Concealed) => {
            Err(problem::failed("current_password", "required", "Value is required.").into())
        }
        None => Ok(()),
    }
}
