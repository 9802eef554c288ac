use roster_domain::{Collection, Result, UserId};
use roster_sdk::{Event, Map, Value as Json};
use uuid::Uuid;

use crate::Inner;
use crate::context::Context;
use crate::hooks::AfterPayload;
use crate::write::{commit, tell};

/// Something that happened at the door.
#[derive(Debug, Clone, Copy)]
pub enum SecurityEvent<'a> {
    /// A login was refused.
    LoginFailed {
        /// Whose it was, if somebody has the name, with their record.
        user: Option<(Uuid, &'a Map<String, Json>)>,
        /// The provider, `default` for the local password.
        provider: &'a str,
        /// The session mode that was asked for.
        mode: &'a str,
    },
    /// A user was locked out.
    Locked {
        /// Who.
        user: Uuid,
        /// Their record.
        record: &'a Map<String, Json>,
    },
}

/// Puts a security event into the outbox, if somebody is to be told.
pub(crate) async fn report(inner: &Inner, cx: &Context, event: SecurityEvent<'_>) -> Result<()> {
    let (name, user, record, provider, mode) = match event {
        SecurityEvent::LoginFailed {
            user,
            provider,
            mode,
        } => (
            Event::AfterLoginFailed,
            user.map_or(Uuid::nil(), |(id, _)| id),
            user.map(|(_, record)| record.clone()).unwrap_or_default(),
            Some(provider.to_owned()),
            Some(mode.to_owned()),
        ),
        SecurityEvent::Locked { user, record } => {
            (Event::AfterLocked, user, record.clone(), None, None)
        }
    };
    let mut tx = inner.store.begin().await?;
    let (users, key) = (Collection::Users, UserId(user).into());
    let told = tell(inner, &mut tx, cx, users, name, key, |occasion| {
        AfterPayload {
            occasion,
            record,
            changed: Vec::new(),
            provider,
            mode,
        }
    });
    let told = told.await?;
    commit(inner, tx, told).await
}
