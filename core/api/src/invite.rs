//! `/users/invite`: invitations.

use poem_openapi::types::Any;
use poem_openapi::{Object, OpenApi};
use roster_engine::Engine;
use serde_json::Value as Json;

use crate::auth::NewPassword;
use crate::body::Body;
use crate::caller::{Caller, Visitor};
use crate::document::Tag;
use crate::envelope::Done;
use crate::error::Failure;
use crate::parameters::Id;

/// The resource.
pub(crate) struct InviteApi {
    pub(crate) engine: Engine,
}

/// Who is invited.
#[derive(Object)]
struct Invitation {
    /// An address, or a list of at most 100.
    email: Any<Json>,
    /// The id of the role they get.
    role: uuid::Uuid,
    /// The page that the mail links to, one of `auth.invite_urls`.
    invite_url: Option<String>,
}

#[OpenApi(tag = "Tag::Accounts")]
impl InviteApi {
    /// Invite users
    ///
    /// Makes users with the status `invited` and mails each a link. Those who are invited already
    /// get another mail, others nothing. Needs the right to make users.
    #[oai(path = "/users/invite", method = "post", operation_id = "inviteUsers")]
    async fn invite(
        &self,
        caller: Caller<'_>,
        /// Who, and as what.
        body: Body<Invitation>,
    ) -> Result<Done, Failure> {
        self.engine.invite_users(&caller, &body).await?;
        Ok(Done)
    }

    /// Accept an invitation
    ///
    /// Sets the password; the user is active then. A token works once.
    #[oai(
        path = "/users/invite/accept",
        method = "post",
        operation_id = "acceptInvitation"
    )]
    async fn accept(
        &self,
        visitor: Visitor<'_>,
        /// The token that was mailed, and the password.
        body: Body<NewPassword>,
    ) -> Result<Done, Failure> {
        self.engine.accept_invitation(&visitor, &body).await?;
        Ok(Done)
    }

    /// Revoke the invitations of a user
    ///
    /// For administrators: the links that were mailed work no more.
    #[oai(
        path = "/users/:id/invite",
        method = "delete",
        operation_id = "revokeInvitations"
    )]
    async fn revoke(
        &self,
        caller: Caller<'_>,
        /// The id of the user.
        id: Id<'_>,
    ) -> Result<Done, Failure> {
        self.engine.revoke_invitations(&caller, &id).await?;
        Ok(Done)
    }
}
