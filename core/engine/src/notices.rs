//! Mails that tell users what happened to them (security bar 14).

use roster_domain::{Collection, Record, Result, Valid, Value, clock};
use roster_sdk::Message;
use roster_storage::Tx;
use roster_storage::outbox::{self, Entry};

use crate::Inner;
use crate::context::Context;
use crate::system::new_id;

/// The event name of mails in the outbox.
pub(crate) const MAIL: &str = "mail.send";

/// Tells a user that their password or address was changed; a changed address is told at the old
/// one. Whether a mail was written.
pub(crate) async fn changed(
    inner: &Inner,
    tx: &mut Tx,
    cx: &Context,
    stored: &Record,
    valid: &Valid,
) -> Result<bool> {
    let Some(address) = stored.item.get("email").and_then(Value::as_text) else {
        return Ok(false);
    };
    let what = match (valid.get("email"), valid.get("password")) {
        (Some(new), _) if new.as_text() != Some(address) => "e-mail address",
        (_, Some(_)) => "password",
        _ => return Ok(false),
    };
    let id = new_id(cx.now)?;
    let message = Message {
        id: id.to_string(),
        from: inner.settings.mail_from.clone(),
        to: vec![address.to_owned()],
        subject: format!("Your {what} was changed"),
        text: format!(
            "The {what} of your account was changed at {}.\n\nIf this was not you, ask your administrator for help.\n",
            clock::format(cx.now)
        ),
        html: None,
    };
    let entry = Entry {
        id,
        kind: "mail".to_owned(),
        event: MAIL.to_owned(),
        collection: Collection::Users.table().to_owned(),
        item: stored
            .user_id()
            .map(|id| id.to_string())
            .unwrap_or_default(),
        user: stored.user_id().map(|id| id.0),
        payload: serde_json::to_value(&message).map_err(roster_domain::Error::internal)?,
        created_at: cx.now,
    };
    outbox::enqueue(tx, &entry, std::slice::from_ref(&inner.settings.mailer)).await?;
    Ok(true)
}
