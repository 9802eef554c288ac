//! `/users`: the records of the users collection.

use poem_openapi::OpenApi;
use roster_domain::Collection;
use roster_engine::Engine;
use serde_json::Value as Json;

use crate::batch::{Changes, LastPage, OneOrMany, Selection, WrittenAny, WrittenMany};
use crate::body::Body;
use crate::caller::Caller;
use crate::document::Tag;
use crate::envelope::{Done, One, Written};
use crate::error::Failure;
use crate::export::Listed;
use crate::parameters::{Id, Page, Query, Single};
use crate::record::User;

const USERS: Collection = Collection::Users;

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
    async fn list(&self, caller: Caller<'_>, query: Query<Page>) -> Result<Listed<User>, Failure> {
        Listed::answer(&self.engine, &caller, USERS, &query).await
    }

    /// Create users
    ///
    /// Makes one user from an object, or several from an array: all of them or none.
    #[oai(path = "/users", method = "post", operation_id = "createUser")]
    async fn create(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
        /// The fields to set; the others get their defaults.
        body: Body<OneOrMany<User>>,
    ) -> Result<WrittenAny<User>, Failure> {
        if let Json::Array(bodies) = &*body {
            let list = self
                .engine
                .create_many(&caller, USERS, bodies, &query)
                .await?;
            return WrittenAny::many(list.as_ref());
        }
        let item = self.engine.create(&caller, USERS, &body, &query).await?;
        WrittenAny::one(item.as_ref())
    }

    /// Update users
    ///
    /// Changes several users, all of them or none: an array of records with their ids, or
    /// `keys` or `query` for which, with `data` for what.
    #[oai(path = "/users", method = "patch", operation_id = "updateUsers")]
    async fn update_many(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
        /// What to change.
        body: Body<Changes<User>>,
    ) -> Result<WrittenMany<User>, Failure> {
        let list = self
            .engine
            .update_many(&caller, USERS, &body, &query)
            .await?;
        WrittenMany::of(list.as_ref())
    }

    /// Delete users
    ///
    /// Deletes several users, all of them or none: an array of ids, `keys` or `query`.
    #[oai(path = "/users", method = "delete", operation_id = "deleteUsers")]
    async fn delete_many(
        &self,
        caller: Caller<'_>,
        /// Which users.
        body: Body<Selection>,
    ) -> Result<Done, Failure> {
        self.engine.delete_many(&caller, USERS, &body).await?;
        Ok(Done)
    }

    /// Remember the page
    ///
    /// Notes the page of the app that the caller is on.
    #[oai(
        path = "/users/me/track/page",
        method = "patch",
        operation_id = "trackPage"
    )]
    async fn track_page(
        &self,
        caller: Caller<'_>,
        /// `last_page`, at most 255 characters.
        body: Body<LastPage>,
    ) -> Result<Done, Failure> {
        self.engine.track_page(&caller, &body).await?;
        Ok(Done)
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
        One::of(&self.engine.read(&caller, USERS, &id, &query).await?)
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
                .update(&caller, USERS, &id, &body, &query)
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
        self.engine.delete(&caller, USERS, &id).await?;
        Ok(Done)
    }
}
