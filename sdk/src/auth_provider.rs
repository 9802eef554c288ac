use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Context, Failure, HookError};

/// Proves who somebody is, elsewhere: with a name and a secret, or by sending the browser there
/// and back. The manifest says which styles it has.
///
/// ```
/// use roster_sdk::{
///     async_trait, json, AuthProvider, AuthStyle, Context, Credentials, HookError, Host,
///     HttpRequest, Identity, Manifest, Plugin, Rejection, StartError, Value,
/// };
///
/// /// Asks a directory over HTTP.
/// struct Directory {
///     url: String,
/// }
///
/// #[async_trait]
/// impl Plugin for Directory {
///     type Config = String;
///
///     async fn start(url: String, _host: &dyn Host) -> Result<Self, StartError> {
///         Ok(Self { url })
///     }
///
///     fn manifest(&self) -> Manifest {
///         Manifest::new("directory", "1.0.0").authenticates(AuthStyle::Credentials)
///     }
/// }
///
/// #[async_trait]
/// impl AuthProvider for Directory {
///     async fn authenticate(
///         &self,
///         cx: &Context,
///         credentials: &Credentials,
///     ) -> Result<Identity, HookError> {
///         let body = json!({ "name": credentials.identifier, "secret": credentials.secret });
///         let answer = cx.host.http(&HttpRequest::post(&self.url).json(&body)).await?;
///         if answer.status == 401 {
///             return Err(Rejection::invalid_credentials().into());
///         }
///         Ok(answer.json()?)
///     }
/// }
///
/// roster_sdk::export_plugin!(Directory: AuthProvider);
/// ```
#[async_trait]
pub trait AuthProvider: Send + Sync {
    /// Credential style: checks a name and a secret.
    async fn authenticate(
        &self,
        _cx: &Context,
        _credentials: &Credentials,
    ) -> Result<Identity, HookError> {
        Err(Failure::new("the plugin takes no credentials").into())
    }

    /// Redirect style: where the browser is sent. The state comes back unread with the callback.
    async fn begin(&self, _cx: &Context, _request: &BeginLogin) -> Result<Redirect, HookError> {
        Err(Failure::new("the plugin sends nobody elsewhere").into())
    }

    /// Redirect style: what the browser brought back.
    async fn complete(&self, _cx: &Context, _callback: &Callback) -> Result<Identity, HookError> {
        Err(Failure::new("the plugin sends nobody elsewhere").into())
    }
}

/// How an auth provider is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthStyle {
    /// With a name and a secret.
    Credentials,
    /// By sending the browser elsewhere and back.
    Redirect,
}

/// A name and a secret. `Debug` shows the name only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// The name.
    pub identifier: String,
    /// The secret.
    pub secret: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("identifier", &self.identifier)
            .finish_non_exhaustive()
    }
}

/// The beginning of a login by redirect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeginLogin {
    /// Where the browser has to come back to.
    pub redirect_uri: String,
    /// Whether the provider has to ask, also whom it knows already.
    #[serde(default)]
    pub prompt: bool,
}

/// Where the browser is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// The address.
    pub url: String,
    /// What the plugin has to see again: nonces, verifiers. The server keeps it from the browser
    /// and gives it to [`AuthProvider::complete`] once.
    pub state: Map<String, Value>,
}

/// What the browser brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Where the browser came back to.
    pub redirect_uri: String,
    /// The state of [`Redirect`].
    pub state: Map<String, Value>,
    /// The query string, or the form.
    pub parameters: BTreeMap<String, String>,
}

/// Who somebody is elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Their identifier there, which never changes and is never given to another.
    pub external_identifier: String,
    /// Their address, if it is known.
    #[serde(default)]
    pub email: Option<String>,
    /// Whether the provider proved the address. An unproved one never finds a user.
    #[serde(default)]
    pub email_verified: bool,
    /// Their first name.
    #[serde(default)]
    pub first_name: Option<String>,
    /// Their last name.
    #[serde(default)]
    pub last_name: Option<String>,
    /// What the provider wants to be kept.
    #[serde(default)]
    pub data: Map<String, Value>,
}
