//! The sessions of a user, as they and their administrators see them.

use roster_domain::{Error, Result, SessionId, UserId, clock};
use roster_storage::sessions::{self, Listed};
use serde::Serialize;

use super::{myself, myself_in_person, somebody};
use crate::context::Context;
use crate::write::{Change, record};
use crate::{Inner, login};

/// A session as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedSession {
    /// Its id.
    pub id: String,
    /// `json`, `cookie`, `session` or `impersonation`.
    pub mode: String,
    /// Whether the request came in it.
    pub is_current: bool,
    /// When it was begun.
    pub created_at: String,
    /// When it was used last, to a minute.
    pub last_used_at: String,
    /// When it ends unless it is refreshed.
    pub expires_at: String,
    /// The address it was begun from.
    pub ip: Option<String>,
    /// The client it was begun with.
    pub user_agent: Option<String>,
    /// The origin it was begun from.
    pub origin: Option<String>,
    /// The id of the administrator who acts in it.
    pub actor: Option<String>,
    /// Why they do.
    pub reason: Option<String>,
}

/// Whose sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Owner<'a> {
    /// The caller's.
    Caller,
    /// Those of somebody whom an administrator names.
    User(&'a str),
}

/// The sessions that have not ended, the newest first.
pub(crate) async fn list(
    inner: &Inner,
    cx: &Context,
    owner: Owner<'_>,
) -> Result<Vec<ListedSession>> {
    let (_, current) = myself(cx)?;
    let user = match owner {
        Owner::Caller => myself(cx)?.0,
        Owner::User(id) => somebody(cx, id)?,
    };
    let oldest = login::oldest(inner, cx.now);
    let listed = sessions::list(&inner.store, user, cx.now, oldest).await?;
    let shown = listed.into_iter().map(|session| show(session, current));
    Ok(shown.collect())
}

/// Ends one session.
///
/// # Errors
/// `FORBIDDEN` when there is none of that id.
pub(crate) async fn end(
    inner: &Inner,
    cx: &Context,
    owner: Owner<'_>,
    session: &str,
) -> Result<()> {
    let user = whose(cx, owner)?;
    let session = SessionId::parse(session).ok_or_else(Error::forbidden)?;
    let mut tx = inner.store.begin().await?;
    if !sessions::end_one(&mut tx, user, session).await? {
        return Err(Error::forbidden());
    }
    record(&mut tx, cx, Change::user("session_ended", user.0)).await?;
    tx.commit().await
}

/// Ends all sessions but the one of the request.
pub(crate) async fn end_others(inner: &Inner, cx: &Context, owner: Owner<'_>) -> Result<()> {
    let (_, current) = myself(cx)?;
    let user = whose(cx, owner)?;
    let mut tx = inner.store.begin().await?;
    sessions::end_all(&mut tx, user, current).await?;
    record(&mut tx, cx, Change::user("sessions_ended", user.0)).await?;
    tx.commit().await
}

fn whose(cx: &Context, owner: Owner<'_>) -> Result<UserId> {
    match owner {
        Owner::Caller => Ok(myself_in_person(cx)?.0),
        Owner::User(id) => somebody(cx, id),
    }
}

fn show(session: Listed, current: Option<SessionId>) -> ListedSession {
    let Listed {
        id,
        mode,
        created_at,
        last_used_at,
        expires_at,
        origin,
    } = session;
    ListedSession {
        id: id.to_string(),
        mode,
        is_current: current == Some(id),
        created_at: clock::format(created_at),
        last_used_at: clock::format(last_used_at),
        expires_at: clock::format(expires_at),
        ip: origin.ip,
        user_agent: origin.user_agent,
        origin: origin.origin,
        actor: origin.actor.map(|actor| actor.to_string()),
        reason: origin.reason,
    }
}
