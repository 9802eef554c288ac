//! How tokens are handed over, and where those are that a client hands back.

use roster_domain::{Error, Result};
use serde_json::Value as Json;

use super::Body;
use crate::Inner;
use crate::context::Context;
use crate::secrets::RefreshToken;

/// How tokens are handed over (contract/auth.md §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Both in the body.
    Json,
    /// The refresh token in a cookie.
    Cookie,
    /// One cookie that is both.
    Session,
}

impl Mode {
    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Cookie => "cookie",
            Self::Session => "session",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Json, Self::Cookie, Self::Session]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }
}

/// The cookies of a request that are ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cookies {
    /// The refresh token.
    pub refresh: Option<String>,
    /// The session token, a JWT.
    pub session: Option<String>,
}

/// The token of a refresh or a logout, where it was found and how to go on.
pub(super) struct Presented {
    pub(super) mode: Mode,
    /// Nothing when it cannot be one of ours.
    pub(super) token: Option<RefreshToken>,
}

/// Looks for the token where the mode says (contract/auth.md §5).
///
/// # Errors
/// `INVALID_PAYLOAD` when there is none.
pub(super) fn presented(
    inner: &Inner,
    cx: &Context,
    body: &Json,
    cookies: &Cookies,
) -> Result<Presented> {
    let mut body = Body::read(body)?;
    let given = body
        .optional("refresh_token")
        .filter(|token| !token.is_empty());
    let mode = body.mode();
    body.finish()?;
    let mode = mode.unwrap_or(match given {
        Some(_) => Mode::Json,
        None => Mode::Cookie,
    });
    let text = match mode {
        Mode::Json => given.map(ToOwned::to_owned),
        Mode::Cookie => cookies.refresh.clone(),
        // An unreadable cookie is a token too, of nobody.
        Mode::Session => cookies.session.as_ref().map(|cookie| {
            let claims = inner.keys.verify(cookie, cx.now).ok();
            claims.and_then(|claims| claims.session).unwrap_or_default()
        }),
    };
    let text = text.ok_or_else(|| {
        Error::invalid_payload("The refresh token is required in either the payload or cookie")
    })?;
    Ok(Presented {
        mode,
        token: RefreshToken::parse(&text),
    })
}
