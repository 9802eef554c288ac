//! Mails that tell users what happened to them (security bar 14).

use roster_domain::{Record, Result, UserId, Valid, Value, clock};
use roster_storage::{Tx, recipients};
use serde_json::{Map, Value as Json, json};

use super::letter::{Letter, post};
use crate::Inner;
use crate::context::Context;

/// What happened to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Their password was changed.
    Password,
    /// Their address was changed; told at the old one and at the new one.
    Email,
    /// Their static token was changed, or an API token was made.
    Token,
    /// Their provider was changed.
    Provider,
    /// A second factor was set up.
    SecondFactorEnabled,
    /// The second factor was removed.
    SecondFactorDisabled,
    /// A recovery code was used.
    RecoveryCodeUsed,
}

impl Notice {
    /// The word in the templates.
    const fn event(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Email => "email",
            Self::Token => "token",
            Self::Provider => "provider",
            Self::SecondFactorEnabled => "tfa_enabled",
            Self::SecondFactorDisabled => "tfa_disabled",
            Self::RecoveryCodeUsed => "recovery_code_used",
        }
    }
}

/// Tells a user what a write changed of what they log in with. Whether a mail was written.
pub(crate) async fn changed(
    inner: &Inner,
    tx: &mut Tx,
    cx: &Context,
    stored: &Record,
    valid: &Valid,
) -> Result<bool> {
    let text = |name: &str| stored.item.get(name).and_then(Value::as_text);
    let (Some(address), Some(user)) = (text("email"), stored.user_id()) else {
        return Ok(false);
    };
    let language = text("language");
    let mut letters = Vec::new();
    let new = valid.get("email").map(|value| value.as_text());
    if let Some(new) = new.filter(|new| *new != Some(address)) {
        letters.push((Notice::Email, address));
        letters.extend(new.map(|new| (Notice::Email, new)));
    }
    for (field, notice) in [
        ("password", Notice::Password),
        ("token", Notice::Token),
        ("provider", Notice::Provider),
    ] {
        let is_same = valid
            .get(field)
            .is_none_or(|value| value.as_text().is_some() && value.as_text() == text(field));
        if !is_same {
            letters.push((notice, address));
        }
    }
    for (notice, to) in &letters {
        post(inner, tx, cx, letter(cx, user, *notice, to, language)).await?;
    }
    Ok(!letters.is_empty())
}

/// Tells a user something at their stored address. Whether a mail was written: not to those
/// without an address.
pub(crate) async fn notice(
    inner: &Inner,
    tx: &mut Tx,
    cx: &Context,
    user: UserId,
    notice: Notice,
) -> Result<bool> {
    let Some(recipient) = recipients::recipient_within(tx, user).await? else {
        return Ok(false);
    };
    let language = recipient.language.as_deref();
    let letter = letter(cx, user, notice, &recipient.email, language);
    post(inner, tx, cx, letter).await?;
    Ok(true)
}

fn letter<'a>(
    cx: &Context,
    user: UserId,
    notice: Notice,
    to: &'a str,
    language: Option<&'a str>,
) -> Letter<'a> {
    let mut facts: Map<String, Json> = Map::new();
    facts.insert("event".to_owned(), notice.event().into());
    facts.insert("time".to_owned(), clock::format(cx.now).into());
    let ip = cx.client.ip.map(|ip| ip.to_string());
    facts.insert("ip".to_owned(), json!(ip));
    Letter {
        template: "notice",
        user,
        to,
        language,
        facts,
        has_token: false,
    }
}
