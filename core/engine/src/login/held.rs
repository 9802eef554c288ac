//! A password that was right, kept until its code comes: encrypted, by whoever asks for both.

use chrono::TimeDelta;
use roster_domain::{Code, Result};
use serde::{Deserialize, Serialize};

use crate::Inner;
use crate::context::Context;

/// How long somebody may look for their phone.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);
/// Where it is encrypted for.
const PLACE: &str = "held login";

/// What a login without a code was tried with.
#[derive(Serialize, Deserialize)]
struct Held {
    email: String,
    password: String,
    until: i64,
}

/// Encrypts what a login was tried with, so that a form can carry it to the next page.
pub(crate) fn hold(inner: &Inner, cx: &Context, email: &str, password: &str) -> Result<String> {
    let held = Held {
        email: email.to_owned(),
        password: password.to_owned(),
        until: (cx.now + PATIENCE).timestamp(),
    };
    let text = serde_json::to_string(&held).map_err(roster_domain::Error::internal)?;
    inner.keys.lock(PLACE, &text)
}

/// The address and the password again. They prove nothing by themselves: the login judges them as
/// any others.
///
/// # Errors
/// `TOKEN_EXPIRED`, also for what was not encrypted here.
pub(crate) fn release(inner: &Inner, cx: &Context, held: &str) -> Result<(String, String)> {
    let held = inner.keys.unlock(PLACE, held).ok();
    let held: Option<Held> = held.and_then(|text| serde_json::from_str(&text).ok());
    let held = held.filter(|held| cx.now.timestamp() < held.until);
    let Held {
        email, password, ..
    } = held.ok_or(Code::TokenExpired)?;
    Ok((email, password))
}
