//! Accounts: what users do with the means by which they log in.

pub(crate) mod api;
mod invite;
pub(crate) mod limiter;
mod links;
mod overview;
mod register;
mod reset;
mod sessions;
mod settings;
mod tfa;
pub(crate) mod tokens;

use roster_domain::{Code, Error, Principal, Result, SessionId, UserId};

pub use overview::{Link, Overview};
pub use sessions::ListedSession;
pub use settings::{AccountSettings, Lockout, Mailing, Rate, Rates};
pub use tfa::Proposal;
pub use tokens::{ListedToken, NewToken};

use serde_json::Value as Json;

use crate::context::Context;

/// The caller, who has to be a user. What belongs to users whatever their policies is none of a
/// token's that is narrowed to some.
fn myself(cx: &Context) -> Result<(UserId, Option<SessionId>)> {
    let Principal::User { id, session, .. } = cx.principal else {
        return Err(Code::InvalidCredentials.into());
    };
    if cx.is_narrowed {
        return Err(Error::forbidden());
    }
    Ok((id, session))
}

/// The caller, acting for themselves: nobody changes what another one logs in with by acting as
/// them.
fn myself_in_person(cx: &Context) -> Result<(UserId, Option<SessionId>)> {
    let caller = myself(cx)?;
    match cx.impersonator {
        None => Ok(caller),
        Some(_) => Err(Error::forbidden()),
    }
}

/// What a user logs in with, in a body.
const MEANS: [&str; 6] = [
    "password",
    "email",
    "token",
    "provider",
    "external_identifier",
    "status",
];

/// Refuses to change what a user logs in with by acting as them.
///
/// # Errors
/// `FORBIDDEN`.
pub(crate) fn check_acting(cx: &Context, body: &Json) -> Result<()> {
    if cx.impersonator.is_none() || !names_means(body) {
        return Ok(());
    }
    Err(Error::forbidden())
}

fn names_means(body: &Json) -> bool {
    match body {
        Json::Object(map) => {
            map.keys().any(|name| MEANS.contains(&name.as_str()))
                || map.get("data").is_some_and(names_means)
        }
        Json::Array(list) => list.iter().any(names_means),
        _ => false,
    }
}

/// The user whom an administrator means.
fn somebody(cx: &Context, id: &str) -> Result<UserId> {
    if cx.principal.user().is_none() {
        return Err(Code::InvalidCredentials.into());
    }
    let id = UserId::parse(id).filter(|_| cx.rights.admin_access && cx.impersonator.is_none());
    id.ok_or_else(Error::forbidden)
}
