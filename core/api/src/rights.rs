//! What the caller may do: `/permissions/me`, `/policies/me/globals`.

use poem_openapi::OpenApi;
use roster_engine::Engine;

use crate::caller::{Caller, Visitor};
use crate::document::Tag;
use crate::envelope::One;
use crate::error::Failure;
use crate::fields::Object;
use crate::parameters::{Id, Second};

/// The resource.
pub(crate) struct RightsApi {
    pub(crate) engine: Engine,
}

#[OpenApi(tag = "Tag::Access")]
impl RightsApi {
    /// Read the caller's flags
    ///
    /// `app_access`, `admin_access` and `enforce_tfa`: true if one of the caller's policies says so.
    #[oai(
        path = "/policies/me/globals",
        method = "get",
        operation_id = "readPolicyGlobals"
    )]
    #[expect(
        clippy::unused_async,
        reason = "the framework takes async functions alone"
    )]
    async fn globals(&self, visitor: Visitor<'_>) -> Result<One<Object>, Failure> {
        One::of(&self.engine.globals(&visitor))
    }

    /// Read the caller's permissions
    ///
    /// By collection and action: `access` is `none`, `partial` or `full`, beside `fields` and
    /// `presets`.
    #[oai(
        path = "/permissions/me",
        method = "get",
        operation_id = "readMyPermissions"
    )]
    #[expect(
        clippy::unused_async,
        reason = "the framework takes async functions alone"
    )]
    async fn permissions(&self, caller: Caller<'_>) -> Result<One<Object>, Failure> {
        One::of(&self.engine.my_permissions(&caller)?)
    }

    /// Read what the caller may do to a collection
    #[oai(
        path = "/permissions/me/:collection",
        method = "get",
        operation_id = "readMyPermissionsOfCollection"
    )]
    async fn of_collection(
        &self,
        caller: Caller<'_>,
        /// The name of the collection.
        collection: Id<'_>,
    ) -> Result<One<Object>, Failure> {
        One::of(
            &self
                .engine
                .my_item_permissions(&caller, &collection, None)
                .await?,
        )
    }

    /// Read what the caller may do to a record
    #[oai(
        path = "/permissions/me/:collection/:id",
        method = "get",
        operation_id = "readMyItemPermissions"
    )]
    async fn of_item(
        &self,
        caller: Caller<'_>,
        /// The name of the collection.
        collection: Id<'_>,
        /// The id of the record.
        id: Second<'_>,
    ) -> Result<One<Object>, Failure> {
        One::of(
            &self
                .engine
                .my_item_permissions(&caller, &collection, Some(&id))
                .await?,
        )
    }
}
