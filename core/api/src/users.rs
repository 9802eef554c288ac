//! `/users`: the records of the users collection.

use poem::http::Method;
use poem::{Endpoint, IntoResponse, Request, Response};
use poem_openapi::OpenApi;
use roster_engine::Engine;
use serde_json::Value as Json;

use crate::batch::{Changes, LastPage, OneOrMany, Selection, WrittenAny, WrittenMany};
use crate::body::{self, Body};
use crate::caller::{self, Caller};
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
            let list = self.engine.create_users(&caller, bodies, &query).await?;
            return WrittenAny::many(list.as_ref());
        }
        let item = self.engine.create_user(&caller, &body, &query).await?;
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
        let list = self.engine.update_users(&caller, &body, &query).await?;
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
        self.engine.delete_users(&caller, &body).await?;
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

/// `SEARCH /users`: a list whose query is in the body. The framework's table of methods ends with
/// the common ones, so the route is added by hand.
pub(crate) struct Search {
    pub(crate) engine: Engine,
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
        let list = self.engine.search_users(caller, &body).await;
        let list = list.map_err(Failure)?;
        Ok(Many::<User>::of(&list)?.into_response())
    }
}
