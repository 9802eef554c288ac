use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Context, Failure};

/// Narrows what principals may do: ANDs a filter, drops fields, or denies. It never widens.
///
/// Asked on every permission check, so it should be quick and ask the host for little. When it
/// fails, `on_failure` decides: nothing is permitted (`reject`), or the others decide without it.
///
/// ```
/// use roster_sdk::{
///     async_trait, json, AccessRequest, Context, Failure, Host, Manifest, Narrowing, Plugin,
///     Policy, Principal, StartError, Value,
/// };
///
/// /// Lets users see those of their own role only.
/// struct OwnRole;
///
/// #[async_trait]
/// impl Plugin for OwnRole {
///     type Config = Value;
///
///     async fn start(_config: Value, _host: &dyn Host) -> Result<Self, StartError> {
///         Ok(Self)
///     }
///
///     fn manifest(&self) -> Manifest {
///         Manifest::new("own-role", "1.0.0")
///     }
/// }
///
/// #[async_trait]
/// impl Policy for OwnRole {
///     async fn narrow(&self, cx: &Context, request: &AccessRequest) -> Result<Narrowing, Failure> {
///         match &cx.principal {
///             Principal::User { role, .. } if request.collection == "users" => {
///                 Ok(Narrowing::filter(json!({ "role": { "_eq": role } })))
///             }
///             Principal::User { .. } | Principal::System { .. } => Ok(Narrowing::none()),
///             Principal::Public => Ok(Narrowing::deny("Log in first.")),
///         }
///     }
/// }
///
/// roster_sdk::export_plugin!(OwnRole: Policy);
/// ```
#[async_trait]
pub trait Policy: Send + Sync {
    /// How much smaller the grant becomes.
    async fn narrow(&self, cx: &Context, request: &AccessRequest) -> Result<Narrowing, Failure>;
}

/// What a principal is about to be permitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRequest {
    /// `create`, `read`, `update` or `delete`.
    pub action: String,
    /// The collection, such as `users`.
    pub collection: String,
}

/// How much smaller a grant becomes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Narrowing {
    /// Nothing is permitted, for this reason, which the caller reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deny: Option<String>,
    /// Only records that pass this filter too, written as in the query parameter `filter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Value>,
    /// Without these fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped_fields: Vec<String>,
}

impl Narrowing {
    /// The grant stays as it is.
    pub fn none() -> Self {
        Self::default()
    }

    /// Nothing is permitted.
    pub fn deny(reason: impl Into<String>) -> Self {
        Self {
            deny: Some(reason.into()),
            ..Self::default()
        }
    }

    /// Only records that pass a filter.
    pub fn filter(filter: Value) -> Self {
        Self {
            filter: Some(filter),
            ..Self::default()
        }
    }

    /// Without these fields.
    #[must_use]
    pub fn without<S: Into<String>>(mut self, fields: impl IntoIterator<Item = S>) -> Self {
        self.dropped_fields
            .extend(fields.into_iter().map(Into::into));
        self
    }
}
