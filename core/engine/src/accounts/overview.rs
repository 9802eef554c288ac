//! What a page tells users of themselves, and those who follow a link of whom it is for.

use roster_domain::{Code, Result};
use roster_storage::{recipients, second_factors};

use super::links::{self, Judged};
use super::myself;
use crate::Inner;
use crate::context::Context;
use crate::secrets::Purpose;

/// What users see of themselves, whatever their rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Their address, if they have one.
    pub email: Option<String>,
    /// Their names, as far as there are any.
    pub name: String,
    /// Whether they log in with a second factor.
    pub has_second_factor: bool,
    /// Whether they have to set one up before they do anything else.
    pub must_set_up: bool,
    /// Whether they have a password here.
    pub is_local: bool,
}

/// A mail's link to one of our pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// To accept an invitation.
    Invitation,
    /// To set a new password.
    Reset,
}

/// What the caller sees of themselves.
pub(crate) async fn of_caller(inner: &Inner, cx: &Context) -> Result<Overview> {
    let (user, _) = myself(cx)?;
    let recipient = recipients::recipient_of(&inner.store, user).await?;
    let factor = second_factors::get(&inner.store, user).await?;
    let is_local = recipient.as_ref().is_none_or(|r| r.provider == "default");
    let (email, names) = recipient.map_or_else(Default::default, |r| {
        (Some(r.email), [r.first_name, r.last_name])
    });
    let names: Vec<String> = names.into_iter().flatten().collect();
    Ok(Overview {
        email,
        name: names.join(" ").trim().to_owned(),
        has_second_factor: factor.secret.is_some(),
        must_set_up: cx.rights.is_locked,
        is_local,
    })
}

/// The address that a link was mailed to, as long as the link works. It is not used up.
///
/// # Errors
/// `INVALID_TOKEN`, `TOKEN_EXPIRED`, `FORBIDDEN`, `INVALID_INVITE`.
pub(crate) async fn addressee(
    inner: &Inner,
    cx: &Context,
    link: Link,
    token: &str,
) -> Result<String> {
    let (purpose, spent) = match link {
        Link::Invitation => (Purpose::Invite, Code::InvalidInvite),
        Link::Reset => (Purpose::Reset, Code::Forbidden),
    };
    match links::judge(inner, cx, purpose, token).await? {
        (email, Judged::Good(_)) => Ok(email),
        (_, Judged::Spent) => Err(spent.into()),
    }
}
