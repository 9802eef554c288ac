//! Sessions: how they begin, go on and end.

pub(crate) mod admission;
pub(crate) mod attempts;
mod destination;
pub(crate) mod held;
mod identity;
pub(crate) mod impersonate;
pub(crate) mod logout;
mod mode;
pub(crate) mod password;
pub(crate) mod provider;
pub(crate) mod redirect;
pub(crate) mod refresh;
pub(crate) mod second_factor;

use std::time::Duration;

use std::sync::Arc;

use chrono::TimeDelta;
use roster_domain::{
    Action, Collection, Error, Filter, Grant, Query, Reason, Result, Rights, RoleId, SessionId,
    Timestamp, UserId,
};
use roster_sdk::Event;
use roster_storage::records;
use roster_storage::sessions::Origin;
use serde_json::{Map, Value as Json};

use crate::Inner;
use crate::context::Context;
use crate::secrets::{AccessClaims, Keys, RefreshToken};

pub use mode::{Cookies, Mode};

/// The tokens of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// How they are handed over.
    pub mode: Mode,
    /// The JWT of a request.
    pub access_token: String,
    /// The handle that gives the next pair.
    pub refresh_token: String,
    /// How long the access token lives, in milliseconds.
    pub expires: u64,
    /// How long the cookie lives that carries one of them.
    pub cookie_age: Duration,
    /// Whether the user has to set up a second factor before anything else.
    pub enforce_tfa: bool,
}

/// The name of the local password among the providers.
pub const LOCAL: &str = "default";

/// By which way somebody comes in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// The provider.
    pub(crate) provider: &'a str,
    /// The mode of the session, if there is to be one.
    pub(crate) mode: Option<Mode>,
}

impl Entry<'_> {
    /// Proof is asked of somebody who is signed in.
    pub(crate) const AGAIN: Entry<'static> = Entry {
        provider: LOCAL,
        mode: None,
    };

    /// The mode as plugins are told it.
    pub(crate) fn word(&self) -> &'static str {
        self.mode.map_or("", Mode::as_str)
    }
}

/// Whose session it is, and with which rights.
struct Owner {
    user: UserId,
    role: Option<RoleId>,
    rights: Arc<Rights>,
    /// Whether they are asked for a second factor that is not set up yet.
    enforce_tfa: bool,
    /// What plugins say of them.
    claims: Map<String, Json>,
}

/// How long a session of a mode lives unused.
fn idle(inner: &Inner, mode: Mode) -> Duration {
    match mode {
        Mode::Session => inner.settings.accounts.session_ttl,
        Mode::Json | Mode::Cookie => inner.settings.refresh_token_ttl,
    }
}

/// Sessions that were begun then, or before, have ended: the setting counts for those that are there
/// already.
pub(crate) fn oldest(inner: &Inner, now: Timestamp) -> Timestamp {
    let age = TimeDelta::from_std(inner.settings.session_max_age).ok();
    let begun = age.and_then(|age| now.checked_sub_signed(age));
    begun
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .max(Timestamp::UNIX_EPOCH)
}

fn tokens(
    inner: &Inner,
    cx: &Context,
    owner: Owner,
    refresh: &RefreshToken,
    mode: Mode,
) -> Result<Tokens> {
    let ttl = match mode {
        Mode::Session => inner.settings.accounts.session_ttl,
        Mode::Json | Mode::Cookie => inner.settings.access_token_ttl,
    };
    let issued = cx.now.timestamp();
    let access_token = inner.keys.sign(&AccessClaims {
        id: owner.user,
        role: owner.role,
        app_access: owner.rights.app_access,
        admin_access: owner.rights.admin_access,
        sid: refresh.session,
        session: (mode == Mode::Session).then(|| refresh.to_text()),
        act: None,
        enforce_tfa: owner.enforce_tfa,
        iat: issued,
        exp: issued.saturating_add(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX)),
        iss: Keys::issuer(),
        added: owner.claims,
    })?;
    let expires = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
    Ok(Tokens {
        mode,
        cookie_age: idle(inner, mode),
        access_token,
        refresh_token: refresh.to_text(),
        expires,
        enforce_tfa: owner.enforce_tfa,
    })
}

/// Whether anybody is called for an event of users, or will be told of it.
pub(crate) fn is_told(inner: &Inner, event: Event) -> bool {
    let subscribers = inner.registry.subscribers(Collection::Users, event);
    !subscribers.is_empty() || (event.is_after() && inner.settings.outbox.retain)
}

/// A user's record for the hooks of these events; nothing is read when nobody asks.
pub(crate) async fn shown(
    inner: &Inner,
    cx: &Context,
    user: UserId,
    events: &[Event],
) -> Result<Map<String, Json>> {
    if !events.iter().any(|event| is_told(inner, *event)) {
        return Ok(Map::new());
    }
    let grant = Grant::system(Reason::Login, Action::Read, Collection::Users);
    let query = Query::stored(cx.model.users(), &grant, Filter::Everything);
    let item = records::get(&inner.store, &cx.model, &query, user.into()).await?;
    Ok(item.map(|item| item.to_json()).unwrap_or_default())
}

/// Where a session is begun from.
fn origin(cx: &Context) -> Origin {
    Origin {
        ip: cx.client.ip.map(|ip| ip.to_string()),
        user_agent: cx.client.user_agent.clone(),
        origin: cx.client.origin.clone(),
        actor: None,
        reason: None,
    }
}

fn session_id(inner: &Inner) -> Result<SessionId> {
    crate::system::new_id(inner.clock.now()).map(SessionId)
}

/// A body of named texts; all that is wrong with it is reported at once.
pub(crate) struct Body<'a> {
    pub(crate) map: &'a Map<String, Json>,
    pub(crate) reasons: Vec<String>,
}

impl<'a> Body<'a> {
    pub(crate) fn read(body: &'a Json) -> Result<Self> {
        let map = body.as_object();
        let map = map.ok_or_else(|| Error::invalid_payload("\"value\" must be of type object"))?;
        Ok(Self {
            map,
            reasons: Vec::new(),
        })
    }

    pub(crate) fn optional(&mut self, name: &str) -> Option<&'a str> {
        match self.map.get(name) {
            None | Some(Json::Null) => None,
            Some(Json::String(text)) => Some(text),
            Some(_) => {
                self.reasons.push(format!("\"{name}\" must be a string"));
                None
            }
        }
    }

    pub(crate) fn required(&mut self, name: &str) -> &'a str {
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

    /// The mode, if one is asked for.
    fn mode(&mut self) -> Option<Mode> {
        let mode = Mode::parse(self.optional("mode")?);
        if mode.is_none() {
            self.reasons
                .push("\"mode\" must be one of [cookie, json, session]".to_owned());
        }
        mode
    }

    pub(crate) fn finish(self) -> Result<()> {
        if self.reasons.is_empty() {
            return Ok(());
        }
        Err(Error::invalid_payload(self.reasons.join(". ")))
    }
}
