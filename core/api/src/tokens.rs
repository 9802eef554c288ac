//! `/users/…/tokens`: API tokens of users.

use poem_openapi::{Object, OpenApi};
use roster_engine::Engine;

use crate::body::Body;
use crate::caller::Caller;
use crate::document::Tag;
use crate::envelope::{Done, One};
use crate::error::Failure;
use crate::parameters::Id;
use crate::sessions::Second;

/// The resource.
pub(crate) struct TokensApi {
    pub(crate) engine: Engine,
}

/// A token that is to be made.
#[derive(Object)]
struct TokenRequest {
    /// What the token is for.
    #[oai(validator(max_length = 100))]
    name: String,
    /// When it ends, in RFC 3339; never when nothing is said.
    expires_at: Option<String>,
    /// The policies it is narrowed to, some that the caller holds. It has them for as long as the
    /// caller does. All of them when nothing is said.
    #[oai(validator(min_items = 1, max_items = 100))]
    policies: Option<Vec<uuid::Uuid>>,
    /// Addresses and networks it works from; from everywhere when there are none.
    ip_access: Option<Vec<String>>,
}

/// A token, without itself.
#[derive(Object)]
#[oai(rename = "Token")]
struct DescribedToken {
    /// Its id.
    id: uuid::Uuid,
    /// What it is for.
    name: String,
    /// How it begins.
    prefix: String,
    /// The policies it is narrowed to; null where it may what its owner may.
    #[oai(nullable)]
    policies: Option<Vec<uuid::Uuid>>,
    /// Addresses and networks it works from; from everywhere when there are none.
    ip_access: Vec<String>,
    /// When it was made.
    created_at: String,
    /// When it ends.
    #[oai(nullable)]
    expires_at: Option<String>,
    /// When it was used last, to a minute.
    #[oai(nullable)]
    last_used_at: Option<String>,
}

/// A token that was just made.
#[derive(Object)]
#[oai(rename = "NewToken")]
struct DescribedNewToken {
    /// The token, shown this once.
    token: String,
    /// Its id.
    id: uuid::Uuid,
    /// What it is for.
    name: String,
    /// How it begins.
    prefix: String,
    /// The policies it is narrowed to; null where it may what its owner may.
    #[oai(nullable)]
    policies: Option<Vec<uuid::Uuid>>,
    /// Addresses and networks it works from; from everywhere when there are none.
    ip_access: Vec<String>,
    /// When it was made.
    created_at: String,
    /// When it ends.
    #[oai(nullable)]
    expires_at: Option<String>,
    /// When it was used last, to a minute.
    #[oai(nullable)]
    last_used_at: Option<String>,
}

#[OpenApi(tag = "Tag::Accounts")]
impl TokensApi {
    /// List my tokens
    #[oai(
        path = "/users/me/tokens",
        method = "get",
        operation_id = "listMyTokens"
    )]
    async fn list_mine(&self, caller: Caller<'_>) -> Result<One<Vec<DescribedToken>>, Failure> {
        One::of(&self.engine.list_tokens(&caller, None).await?)
    }

    /// Make a token
    ///
    /// It may what the caller may, or what some of their policies allow. Only somebody who is signed
    /// in makes one.
    #[oai(path = "/users/me/tokens", method = "post", operation_id = "makeToken")]
    async fn make(
        &self,
        caller: Caller<'_>,
        /// What for, until when, from where.
        body: Body<TokenRequest>,
    ) -> Result<One<DescribedNewToken>, Failure> {
        One::of(&self.engine.make_token(&caller, &body).await?)
    }

    /// Remove a token of mine
    #[oai(
        path = "/users/me/tokens/:id",
        method = "delete",
        operation_id = "removeMyToken"
    )]
    async fn remove_mine(
        &self,
        caller: Caller<'_>,
        /// The id of the token.
        id: Id<'_>,
    ) -> Result<Done, Failure> {
        self.engine.remove_token(&caller, None, &id).await?;
        Ok(Done)
    }

    /// List the tokens of a user
    ///
    /// For administrators.
    #[oai(
        path = "/users/:id/tokens",
        method = "get",
        operation_id = "listTokens"
    )]
    async fn list(
        &self,
        caller: Caller<'_>,
        /// The id of the user.
        id: Id<'_>,
    ) -> Result<One<Vec<DescribedToken>>, Failure> {
        One::of(&self.engine.list_tokens(&caller, Some(&id)).await?)
    }

    /// Remove a token of a user
    ///
    /// For administrators.
    #[oai(
        path = "/users/:id/tokens/:token",
        method = "delete",
        operation_id = "removeToken"
    )]
    async fn remove(
        &self,
        caller: Caller<'_>,
        /// The id of the user.
        id: Id<'_>,
        /// The id of the token.
        token: Second<'_>,
    ) -> Result<Done, Failure> {
        let (user, token) = (Some(&*id), &*token);
        self.engine.remove_token(&caller, user, token).await?;
        Ok(Done)
    }
}
