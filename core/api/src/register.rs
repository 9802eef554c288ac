//! `/users/register`: strangers who make themselves a user.

use poem::http::StatusCode;
use poem::{IntoResponse, Response};
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::types::Password;
use poem_openapi::{ApiResponse, Object, OpenApi};
use roster_domain::Code;
use roster_engine::Engine;

use crate::body::Body;
use crate::caller::Visitor;
use crate::document::Tag;
use crate::envelope::Done;
use crate::error::Failure;
use crate::parameters::Text;
use crate::sent_on;

/// The resource.
pub(crate) struct RegisterApi {
    pub(crate) engine: Engine,
    /// Where clients reach the server.
    pub(crate) public_url: String,
}

/// Who registers. The operator may open further fields.
#[derive(Object)]
struct Registration {
    /// Their address.
    #[oai(validator(max_length = 128))]
    email: String,
    /// The password they choose.
    password: Password,
    /// Their first name.
    first_name: Option<String>,
    /// Their last name.
    last_name: Option<String>,
    /// The page that the mail links to, one of `auth.verify_urls`.
    verification_url: Option<String>,
}

#[OpenApi(tag = "Tag::Accounts")]
impl RegisterApi {
    /// Register
    ///
    /// Makes a user, if the settings let strangers do that. The answer is the same for an address
    /// that is known.
    #[oai(path = "/users/register", method = "post", operation_id = "register")]
    async fn register(
        &self,
        visitor: Visitor<'_>,
        /// Who registers.
        body: Body<Registration>,
    ) -> Result<Done, Failure> {
        self.engine.register(&visitor, &body).await?;
        Ok(Done)
    }

    /// Verify an address
    ///
    /// Where the link of a mail leads: the user is active then, and the browser is sent on.
    #[oai(
        path = "/users/register/verify-email",
        method = "get",
        operation_id = "verifyEmail"
    )]
    async fn verify(
        &self,
        visitor: Visitor<'_>,
        /// The token that was mailed.
        token: Text<true>,
    ) -> Result<SentOn, Failure> {
        let path = match token.get() {
            None => return Err(Failure(Code::InvalidToken.into())),
            Some("") => "/admin/login".to_owned(),
            Some(token) => {
                let user = self.engine.verify_email(&visitor, token).await?;
                format!("/admin/users/{user}")
            }
        };
        Ok(SentOn(format!("{}{path}", self.public_url)))
    }
}

/// 302.
struct SentOn(String);

impl IntoResponse for SentOn {
    fn into_response(self) -> Response {
        sent_on::to(StatusCode::FOUND, self.0)
    }
}

impl ApiResponse for SentOn {
    fn meta() -> MetaResponses {
        let done = "Done; the browser is sent on.";
        MetaResponses {
            responses: vec![sent_on::meta(StatusCode::FOUND, done)],
        }
    }

    fn register(_: &mut Registry) {}
}
