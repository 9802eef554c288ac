//! What the API asks of accounts.

use roster_domain::Result;
use serde_json::Value as Json;

use super::overview::{self, Link, Overview};
use super::sessions::{self, ListedSession, Owner};
use super::tfa::{self, Proposal};
use super::tokens::{self, ListedToken, NewToken};
use super::{invite, register, reset};
use crate::Engine;
use crate::context::Context;
use crate::login::held;
use crate::login::impersonate::{self, Impersonation};

/// Whose: the caller's, or those of somebody whom an administrator names.
fn owner(user: Option<&str>) -> Owner<'_> {
    user.map_or(Owner::Caller, Owner::User)
}

impl Engine {
    /// The sessions of the caller, or of the user whom an administrator names.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` for the public principal, `FORBIDDEN`.
    pub async fn list_sessions(
        &self,
        cx: &Context,
        user: Option<&str>,
    ) -> Result<Vec<ListedSession>> {
        sessions::list(&self.inner, cx, owner(user)).await
    }

    /// Ends one of these sessions.
    ///
    /// # Errors
    /// As for [`Engine::list_sessions`]; `FORBIDDEN` when there is none of that id.
    pub async fn end_session(&self, cx: &Context, user: Option<&str>, id: &str) -> Result<()> {
        sessions::end(&self.inner, cx, owner(user), id).await
    }

    /// Ends all of these sessions but the one of the request.
    ///
    /// # Errors
    /// As for [`Engine::list_sessions`].
    pub async fn end_other_sessions(&self, cx: &Context, user: Option<&str>) -> Result<()> {
        sessions::end_others(&self.inner, cx, owner(user)).await
    }

    /// Gives out a secret for a second factor.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, `INVALID_CREDENTIALS`.
    pub async fn propose_second_factor(&self, cx: &Context, body: &Json) -> Result<Proposal> {
        tfa::generate(&self.inner, cx, body).await
    }

    /// Shows a secret that was given out once more. Nothing is read or changed.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` for the public principal.
    pub async fn show_second_factor(&self, cx: &Context, secret: &str) -> Result<Proposal> {
        tfa::show(&self.inner, cx, secret).await
    }

    /// Enables that secret.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, `INVALID_CREDENTIALS` for the public principal.
    pub async fn enable_second_factor(&self, cx: &Context, body: &Json) -> Result<()> {
        tfa::enable(&self.inner, cx, body).await
    }

    /// Enables that secret and makes ten recovery codes with it.
    ///
    /// # Errors
    /// As for [`Engine::enable_second_factor`].
    pub async fn enable_second_factor_with_codes(
        &self,
        cx: &Context,
        body: &Json,
    ) -> Result<Vec<String>> {
        tfa::enable_with_codes(&self.inner, cx, body).await
    }

    /// Disables the caller's second factor.
    ///
    /// # Errors
    /// As for [`Engine::enable_second_factor`].
    pub async fn disable_second_factor(&self, cx: &Context, body: &Json) -> Result<()> {
        tfa::disable(&self.inner, cx, body).await
    }

    /// Disables somebody's second factor, for an administrator.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` for the public principal, `FORBIDDEN`.
    pub async fn disable_second_factor_of(&self, cx: &Context, user: &str) -> Result<()> {
        tfa::disable_for(&self.inner, cx, user).await
    }

    /// Makes ten recovery codes; those before are void.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, `INVALID_CREDENTIALS`.
    pub async fn make_recovery_codes(&self, cx: &Context, body: &Json) -> Result<Vec<String>> {
        tfa::recovery_codes(&self.inner, cx, body).await
    }

    /// What the caller sees of themselves, whatever their rights.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` for the public principal.
    pub async fn overview(&self, cx: &Context) -> Result<Overview> {
        overview::of_caller(&self.inner, cx).await
    }

    /// The address that a link was mailed to, as long as it works.
    ///
    /// # Errors
    /// `INVALID_TOKEN`, `TOKEN_EXPIRED`, `FORBIDDEN`, `INVALID_INVITE`.
    pub async fn addressee(&self, cx: &Context, link: Link, token: &str) -> Result<String> {
        overview::addressee(&self.inner, cx, link, token).await
    }

    /// Encrypts an address and a password for the few minutes until their code comes.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR`.
    pub fn hold_login(&self, cx: &Context, email: &str, password: &str) -> Result<String> {
        held::hold(&self.inner, cx, email, password)
    }

    /// The address and the password again.
    ///
    /// # Errors
    /// `TOKEN_EXPIRED`.
    pub fn held_login(&self, cx: &Context, held: &str) -> Result<(String, String)> {
        held::release(&self.inner, cx, held)
    }

    /// Mails a link to set a new password, if there is somebody to mail it to.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, `REQUESTS_EXCEEDED`.
    pub async fn request_password_reset(&self, cx: &Context, body: &Json) -> Result<()> {
        reset::request(&self.inner, cx, body).await
    }

    /// Sets a new password with a token that was mailed.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, `INVALID_TOKEN`, `TOKEN_EXPIRED`, `FORBIDDEN`, `FAILED_VALIDATION`.
    pub async fn reset_password(&self, cx: &Context, body: &Json) -> Result<()> {
        reset::reset(&self.inner, cx, body).await
    }

    /// Invites one address or several.
    ///
    /// # Errors
    /// `FORBIDDEN`, `INVALID_PAYLOAD`, and those of creating a user.
    pub async fn invite_users(&self, cx: &Context, body: &Json) -> Result<()> {
        invite::run(&self.inner, cx, body).await
    }

    /// Takes the invitations of a user back.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` for the public principal, `FORBIDDEN`.
    pub async fn revoke_invitations(&self, cx: &Context, user: &str) -> Result<()> {
        invite::revoke(&self.inner, cx, user).await
    }

    /// Accepts an invitation.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, `INVALID_TOKEN`, `TOKEN_EXPIRED`, `INVALID_INVITE`, `FAILED_VALIDATION`.
    pub async fn accept_invitation(&self, cx: &Context, body: &Json) -> Result<()> {
        invite::accept(&self.inner, cx, body).await
    }

    /// Registers somebody.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, `FORBIDDEN`, `FAILED_VALIDATION`, `REQUESTS_EXCEEDED`.
    pub async fn register(&self, cx: &Context, body: &Json) -> Result<()> {
        register::run(&self.inner, cx, body).await
    }

    /// Proves the address of a registration; gives the id of the user.
    ///
    /// # Errors
    /// `INVALID_TOKEN`, `TOKEN_EXPIRED`, `FORBIDDEN`, `INVALID_PAYLOAD`.
    pub async fn verify_email(&self, cx: &Context, token: &str) -> Result<String> {
        let user = register::verify(&self.inner, cx, token).await?;
        Ok(user.to_string())
    }

    /// The API tokens of the caller, or of the user whom an administrator names.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` for the public principal, `FORBIDDEN`.
    pub async fn list_tokens(&self, cx: &Context, user: Option<&str>) -> Result<Vec<ListedToken>> {
        tokens::list(&self.inner, cx, owner(user)).await
    }

    /// Makes an API token for the caller.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, `FORBIDDEN` unless the caller is in a session.
    pub async fn make_token(&self, cx: &Context, body: &Json) -> Result<NewToken> {
        tokens::make(&self.inner, cx, body).await
    }

    /// Removes one of these tokens.
    ///
    /// # Errors
    /// As for [`Engine::list_tokens`]; `FORBIDDEN` when there is none of that id.
    pub async fn remove_token(&self, cx: &Context, user: Option<&str>, id: &str) -> Result<()> {
        tokens::remove(&self.inner, cx, owner(user), id).await
    }

    /// Gives an administrator a token with which they act as a user for a while.
    ///
    /// # Errors
    /// `FORBIDDEN`, `INVALID_PAYLOAD`.
    pub async fn impersonate(
        &self,
        cx: &Context,
        user: &str,
        body: &Json,
    ) -> Result<Impersonation> {
        impersonate::run(&self.inner, cx, user, body).await
    }
}
