//! Sessions: how they begin, go on and end.

pub(crate) mod logout;
pub(crate) mod password;
pub(crate) mod refresh;

use std::sync::Arc;

use roster_domain::{Error, Result, Rights, RoleId, SessionId, UserId};
use serde_json::{Map, Value as Json};

use crate::Inner;
use crate::context::Context;
use crate::secrets::{AccessClaims, Keys, RefreshToken};

/// The tokens of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The JWT of a request.
    pub access_token: String,
    /// The handle that gives the next pair.
    pub refresh_token: String,
    /// How long the access token lives, in milliseconds.
    pub expires: u64,
}

/// Whose session it is, and with which rights.
struct Owner {
    user: UserId,
    role: Option<RoleId>,
    rights: Arc<Rights>,
}

fn tokens(inner: &Inner, cx: &Context, owner: &Owner, refresh: &RefreshToken) -> Result<Tokens> {
    let ttl = inner.settings.access_token_ttl;
    let issued = cx.now.timestamp();
    let access_token = inner.keys.sign(&AccessClaims {
        id: owner.user,
        role: owner.role,
        app_access: owner.rights.app_access,
        admin_access: owner.rights.admin_access,
        sid: refresh.session,
        iat: issued,
        exp: issued.saturating_add(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX)),
        iss: Keys::issuer(),
    })?;
    let expires = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
    Ok(Tokens {
        access_token,
        refresh_token: refresh.to_text(),
        expires,
    })
}

fn session_id(inner: &Inner) -> Result<SessionId> {
    crate::system::new_id(inner.clock.now()).map(SessionId)
}

/// A body of named texts; all that is wrong with it is reported at once.
struct Body<'a> {
    map: &'a Map<String, Json>,
    reasons: Vec<String>,
}

impl<'a> Body<'a> {
    fn read(body: &'a Json) -> Result<Self> {
        let map = body.as_object();
        let map = map.ok_or_else(|| Error::invalid_payload("\"value\" must be of type object"))?;
        Ok(Self {
            map,
            reasons: Vec::new(),
        })
    }

    fn optional(&mut self, name: &str) -> Option<&'a str> {
        match self.map.get(name) {
            None | Some(Json::Null) => None,
            Some(Json::String(text)) => Some(text),
            Some(_) => {
                self.reasons.push(format!("\"{name}\" must be a string"));
                None
            }
        }
    }

    fn required(&mut self, name: &str) -> &'a str {
        let before = self.reasons.len();
        match self.optional(name) {
            Some("") => self
                .reasons
                .push(format!("\"{name}\" is not allowed to be empty")),
            Some(text) => return text,
            None if self.reasons.len() == before => {
                self.reasons.push(format!("\"{name}\" is required"));
            }
            None => {}
        }
        ""
    }

    /// `json` unless something else is asked for. Cookies are not given out yet.
    fn mode(&mut self) {
        match self.optional("mode") {
            None | Some("json") => {}
            Some("cookie" | "session") => {
                self.reasons
                    .push("\"mode\" cookie and session are not supported yet".to_owned());
            }
            Some(_) => self
                .reasons
                .push("\"mode\" must be one of [cookie, json, session]".to_owned()),
        }
    }

    fn finish(self) -> Result<()> {
        if self.reasons.is_empty() {
            return Ok(());
        }
        Err(Error::invalid_payload(self.reasons.join(". ")))
    }
}
