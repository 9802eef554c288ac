//! The collections that are like one another: `/roles`, `/policies`, `/access`, `/permissions`,
//! `/activity`, `/revisions`.

use poem::http::Method;
use poem::{Endpoint, IntoResponse, Request, Response};
use poem_openapi::OpenApi;
use roster_domain::Collection;
use roster_engine::Engine;
use serde_json::Value as Json;

use crate::batch::{Changes, OneOrMany, Selection, WrittenAny, WrittenMany};
use crate::body::{self, Body};
use crate::caller::{self, Caller};
use crate::document::Tag;
use crate::envelope::{Done, Many, One, Written};
use crate::error::Failure;
use crate::export::Listed;
use crate::parameters::{Id, Page, Query, Single};
use crate::record::{Access, Activity, Permission, Policy, Revision, Role, User};

/// One collection with everything that can be done to its records.
macro_rules! collection {
    ($(#[$doc:meta])* $api:ident, $record:ident, $collection:ident, $tag:literal, $path:literal, $one:literal,
        $list:literal, $create:literal, $update_many:literal, $delete_many:literal,
        $read:literal, $update:literal, $delete:literal $(, $($extra:item)*)?) => {
        $(#[$doc])*
        pub(crate) struct $api {
            pub(crate) engine: Engine,
        }

        #[OpenApi(tag = $tag)]
        impl $api {
            /// List records
            ///
            /// Sends the records that the caller may read.
            #[oai(path = $path, method = "get", operation_id = $list)]
            async fn list(&self, caller: Caller<'_>, query: Query<Page>) -> Result<Listed<$record>, Failure> {
                Listed::answer(&self.engine, &caller, Collection::$collection, &query).await
            }

            /// Create records
            ///
            /// Makes one record from an object, or several from an array: all of them or none.
            #[oai(path = $path, method = "post", operation_id = $create)]
            async fn create(
                &self,
                caller: Caller<'_>,
                query: Query<Single>,
                /// The fields to set; the others get their defaults.
                body: Body<OneOrMany<$record>>,
            ) -> Result<WrittenAny<$record>, Failure> {
                if let Json::Array(bodies) = &*body {
                    let list = self.engine.create_many(&caller, Collection::$collection, bodies, &query).await?;
                    return WrittenAny::many(list.as_ref());
                }
                let item = self.engine.create(&caller, Collection::$collection, &body, &query).await?;
                WrittenAny::one(item.as_ref())
            }

            /// Update records
            ///
            /// Changes several records, all of them or none: an array of records with their ids, or
            /// `keys` or `query` for which, with `data` for what.
            #[oai(path = $path, method = "patch", operation_id = $update_many)]
            async fn update_many(
                &self,
                caller: Caller<'_>,
                query: Query<Single>,
                /// What to change.
                body: Body<Changes<$record>>,
            ) -> Result<WrittenMany<$record>, Failure> {
                let list = self.engine.update_many(&caller, Collection::$collection, &body, &query).await?;
                WrittenMany::of(list.as_ref())
            }

            /// Delete records
            ///
            /// Deletes several records, all of them or none: an array of ids, `keys` or `query`.
            #[oai(path = $path, method = "delete", operation_id = $delete_many)]
            async fn delete_many(
                &self,
                caller: Caller<'_>,
                /// Which records.
                body: Body<Selection>,
            ) -> Result<Done, Failure> {
                self.engine.delete_many(&caller, Collection::$collection, &body).await?;
                Ok(Done)
            }

            $($($extra)*)?

            /// Read a record
            ///
            /// A record that does not exist and one that the caller may not see give the same refusal.
            #[oai(path = $one, method = "get", operation_id = $read)]
            async fn read(
                &self,
                caller: Caller<'_>,
                query: Query<Single>,
                /// The id of the record.
                id: Id<'_>,
            ) -> Result<One<$record>, Failure> {
                One::of(&self.engine.read(&caller, Collection::$collection, &id, &query).await?)
            }

            /// Update a record
            #[oai(path = $one, method = "patch", operation_id = $update)]
            async fn update(
                &self,
                caller: Caller<'_>,
                query: Query<Single>,
                /// The id of the record.
                id: Id<'_>,
                /// The fields to change.
                body: Body<$record>,
            ) -> Result<Written<$record>, Failure> {
                let item = self.engine.update(&caller, Collection::$collection, &id, &body, &query).await?;
                Written::of(item.as_ref())
            }

            /// Delete a record
            #[oai(path = $one, method = "delete", operation_id = $delete)]
            async fn delete(
                &self,
                caller: Caller<'_>,
                /// The id of the record.
                id: Id<'_>,
            ) -> Result<Done, Failure> {
                self.engine.delete(&caller, Collection::$collection, &id).await?;
                Ok(Done)
            }
        }
    };
}

/// One collection that is only read.
macro_rules! journal {
    ($(#[$doc:meta])* $api:ident, $record:ident, $collection:ident, $tag:literal, $path:literal, $one:literal,
        $list:literal, $read:literal) => {
        $(#[$doc])*
        pub(crate) struct $api {
            pub(crate) engine: Engine,
        }

        #[OpenApi(tag = $tag)]
        impl $api {
            /// List records
            ///
            /// Sends the records that the caller may read.
            #[oai(path = $path, method = "get", operation_id = $list)]
            async fn list(&self, caller: Caller<'_>, query: Query<Page>) -> Result<Listed<$record>, Failure> {
                Listed::answer(&self.engine, &caller, Collection::$collection, &query).await
            }

            /// Read a record
            #[oai(path = $one, method = "get", operation_id = $read)]
            async fn read(
                &self,
                caller: Caller<'_>,
                query: Query<Single>,
                /// The id of the record.
                id: Id<'_>,
            ) -> Result<One<$record>, Failure> {
                One::of(&self.engine.read(&caller, Collection::$collection, &id, &query).await?)
            }
        }
    };
}

collection!(
    /// `/roles`.
    RolesApi, Role, Roles, "Tag::Access", "/roles", "/roles/:id",
    "listRoles", "createRole", "updateRoles", "deleteRoles", "readRole", "updateRole", "deleteRole",
    /// Read the caller's roles
    ///
    /// The role of the caller and its ancestors; their ids alone without the right to read roles.
    #[oai(path = "/roles/me", method = "get", operation_id = "readMyRoles")]
    async fn mine(&self, caller: Caller<'_>, query: Query<Page>) -> Result<Many<Role>, Failure> {
        Many::of(&self.engine.my_roles(&caller, &query).await?)
    }
);
collection!(
    /// `/policies`.
    PoliciesApi, Policy, Policies, "Tag::Access", "/policies", "/policies/:id",
    "listPolicies", "createPolicy", "updatePolicies", "deletePolicies", "readPolicy", "updatePolicy",
    "deletePolicy"
);
collection!(
    /// `/access`: which policy holds for which role or user.
    AccessApi, Access, Access, "Tag::Access", "/access", "/access/:id",
    "listAccess", "createAccess", "updateAccessRows", "deleteAccessRows", "readAccess", "updateAccess",
    "deleteAccess"
);
collection!(
    /// `/permissions`.
    PermissionsApi, Permission, Permissions, "Tag::Access", "/permissions", "/permissions/:id",
    "listPermissions", "createPermission", "updatePermissions", "deletePermissions", "readPermission",
    "updatePermission", "deletePermission"
);
journal!(
    /// `/activity`: what happened.
    ActivityApi, Activity, Activity, "Tag::Activity", "/activity", "/activity/:id", "listActivity", "readActivity"
);
journal!(
    /// `/revisions`: what records have become.
    RevisionsApi, Revision, Revisions, "Tag::Activity", "/revisions", "/revisions/:id", "listRevisions", "readRevision"
);

/// The collections that take `SEARCH`, with their paths.
pub(crate) const SEARCHED: [(&str, Collection); 8] = [
    ("/users", Collection::Users),
    ("/roles", Collection::Roles),
    ("/policies", Collection::Policies),
    ("/access", Collection::Access),
    ("/permissions", Collection::Permissions),
    ("/activity", Collection::Activity),
    ("/revisions", Collection::Revisions),
    ("/files", Collection::Files),
];

/// `SEARCH`: a list whose query is in the body. The framework's table of methods ends with the
/// common ones, so the route is added by hand.
pub(crate) struct Search {
    pub(crate) engine: Engine,
    pub(crate) collection: Collection,
}

/// The method `SEARCH`.
pub(crate) fn search_method() -> Method {
    // A token of RFC 9110 §5.6.2, so always a method.
    Method::from_bytes(b"SEARCH").unwrap_or(Method::POST)
}

impl Endpoint for Search {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let (request, mut body) = request.split();
        let caller = caller::of(&request)?;
        let body = body::json(&request, &mut body).await?;
        let list = self.engine.search(caller, self.collection, &body).await;
        let list = list.map_err(Failure)?;
        Ok(Many::<User>::of(&list)?.into_response())
    }
}
