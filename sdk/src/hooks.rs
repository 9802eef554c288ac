use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Context, Draft, Failure, HookError, Record};

/// Code around the writes of a collection and around logins.
///
/// Only the events named in the manifest are delivered. What a hook did to its draft counts only if
/// it ends well, and field errors count more than changes: a refused write changes nothing.
///
/// ```
/// use roster_sdk::{
///     async_trait, Context, Event, Failure, HookError, Hooks, Host, Level, Login, Manifest,
///     Plugin, Record, Rejection, StartError, Value,
/// };
///
/// /// Keeps active users from being removed, and notes who came in.
/// struct Doorman;
///
/// #[async_trait]
/// impl Plugin for Doorman {
///     type Config = Value;
///
///     async fn start(_config: Value, _host: &dyn Host) -> Result<Self, StartError> {
///         Ok(Self)
///     }
///
///     fn manifest(&self) -> Manifest {
///         Manifest::new("doorman", "1.0.0")
///             .on(Event::BeforeDelete)
///             .on(Event::AfterLogin)
///             .reads(["email", "status"])
///     }
/// }
///
/// #[async_trait]
/// impl Hooks for Doorman {
///     async fn before_delete(&self, _cx: &Context, stored: &Record) -> Result<(), HookError> {
///         if stored.text("status") == Some("active") {
///             return Err(Rejection::new("STILL_ACTIVE", "Suspend the user first.").into());
///         }
///         Ok(())
///     }
///
///     async fn after_login(&self, cx: &Context, login: &Login) -> Result<(), Failure> {
///         let email = login.user.text("email").unwrap_or("somebody");
///         cx.log(Level::Info, &format!("{email} came in by {}", login.provider));
///         Ok(())
///     }
/// }
///
/// roster_sdk::export_plugin!(Doorman: Hooks);
/// ```
#[async_trait]
pub trait Hooks: Send + Sync {
    /// May change or refuse a record that is about to be made.
    async fn before_create(&self, _cx: &Context, _draft: &mut Draft) -> Result<(), HookError> {
        Ok(())
    }

    /// May change or refuse a change of a record. The draft holds the changed fields only.
    async fn before_update(
        &self,
        _cx: &Context,
        _stored: &Record,
        _draft: &mut Draft,
    ) -> Result<(), HookError> {
        Ok(())
    }

    /// May refuse the removal of a record.
    async fn before_delete(&self, _cx: &Context, _stored: &Record) -> Result<(), HookError> {
        Ok(())
    }

    /// May refuse a login whose credentials were proved.
    async fn before_login(&self, _cx: &Context, _login: &Login) -> Result<(), HookError> {
        Ok(())
    }

    /// A record was made. Delivered at least once; an error is retried.
    async fn after_create(&self, _cx: &Context, _record: &Record) -> Result<(), Failure> {
        Ok(())
    }

    /// A record was changed. The record holds the new values, `changed` names the fields.
    async fn after_update(
        &self,
        _cx: &Context,
        _record: &Record,
        _changed: &[String],
    ) -> Result<(), Failure> {
        Ok(())
    }

    /// A record was removed. The record holds its last values.
    async fn after_delete(&self, _cx: &Context, _record: &Record) -> Result<(), Failure> {
        Ok(())
    }

    /// A session began.
    async fn after_login(&self, _cx: &Context, _login: &Login) -> Result<(), Failure> {
        Ok(())
    }

    /// Claims that are added to an access token, whenever one is made: at a login, a refresh, an
    /// impersonation. Reserved ones, such as `sub`, `exp` and `role`, are an error.
    async fn claims(&self, _cx: &Context, _login: &Login) -> Result<Map<String, Value>, Failure> {
        Ok(Map::new())
    }

    /// A login was refused. There is no user if nobody has the name.
    async fn after_login_failed(&self, _cx: &Context, _login: &Login) -> Result<(), Failure> {
        Ok(())
    }

    /// A user was locked out.
    async fn after_locked(&self, _cx: &Context, _record: &Record) -> Result<(), Failure> {
        Ok(())
    }
}

/// A login, the credentials having been proved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Login {
    /// The user, as far as the plugin may read it.
    pub user: Record,
    /// The provider, `default` for the local password.
    pub provider: String,
    /// The session mode: `json`, `cookie` or `session`; `impersonation` for the claims of somebody
    /// who acts as the user; empty where somebody who is signed in failed to prove it again.
    pub mode: String,
}
