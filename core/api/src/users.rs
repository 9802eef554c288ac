//! `/users`: the records of the users collection.

use poem_openapi::OpenApi;
use roster_engine::Engine;

use crate::body::Body;
use crate::caller::Caller;
use crate::document::Tag;
use crate::envelope::{Done, Many, One, Written};
use crate::error::Failure;
use crate::parameters::{Id, Page, Query, Single};
use crate::record::User;

/// The resource.
pub(crate) struct UsersApi {
    pub(crate) engine: Engine,
}

#[OpenApi(tag = "Tag::Users")]
impl UsersApi {
    /// List users
    ///
    /// Sends the users that the caller may read.
    #[oai(path = "/users", method = "get", operation_id = "listUsers")]
    async fn list(&self, caller: Caller<'_>, query: Query<Page>) -> Result<Many<User>, Failure> {
        Many::of(&self.engine.list_users(&caller, &query).await?)
    }

    /// Create a user
    #[oai(path = "/users", method = "post", operation_id = "createUser")]
    async fn create(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
        /// The fields to set; the others get their defaults.
        body: Body<User>,
    ) -> Result<Written<User>, Failure> {
        Written::of(
            self.engine
                .create_user(&caller, &body, &query)
                .await?
                .as_ref(),
        )
    }

    /// Read the current user
    ///
    /// Sends the caller's own record, and nothing but its `id` where the caller may not read it.
    #[oai(path = "/users/me", method = "get", operation_id = "readMe")]
    async fn read_me(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
    ) -> Result<One<User>, Failure> {
        One::of(&self.engine.read_me(&caller, &query).await?)
    }

    /// Update the current user
    ///
    /// A change of the password needs the current one beside it, as `current_password`.
    #[oai(path = "/users/me", method = "patch", operation_id = "updateMe")]
    async fn update_me(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
        /// The fields to change.
        body: Body<User>,
    ) -> Result<One<User>, Failure> {
        One::of(&self.engine.update_me(&caller, &body, &query).await?)
    }

    /// Read a user
    ///
    /// A user who does not exist and one whom the caller may not see give the same refusal.
    #[oai(path = "/users/:id", method = "get", operation_id = "readUser")]
    async fn read(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
        /// The id of the user.
        id: Id<'_>,
    ) -> Result<One<User>, Failure> {
        One::of(&self.engine.read_user(&caller, &id, &query).await?)
    }

    /// Update a user
    #[oai(path = "/users/:id", method = "patch", operation_id = "updateUser")]
    async fn update(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
        /// The id of the user.
        id: Id<'_>,
        /// The fields to change.
        body: Body<User>,
    ) -> Result<Written<User>, Failure> {
        Written::of(
            self.engine
                .update_user(&caller, &id, &body, &query)
                .await?
                .as_ref(),
        )
    }

    /// Delete a user
    #[oai(path = "/users/:id", method = "delete", operation_id = "deleteUser")]
    async fn delete(
        &self,
        caller: Caller<'_>,
        /// The id of the user.
        id: Id<'_>,
    ) -> Result<Done, Failure> {
        self.engine.delete_user(&caller, &id).await?;
        Ok(Done)
    }
}
