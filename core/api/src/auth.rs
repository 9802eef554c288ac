//! `/auth`: from a password to tokens, from tokens to new ones, and the end of a session.

use poem::{IntoResponse, Response};
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use roster_engine::{Engine, Tokens};
use serde::Serialize;

use crate::body::Body;
use crate::caller::Visitor;
use crate::document::Tag;
use crate::envelope::{self, Done, One};
use crate::error::Failure;

/// The resource.
pub(crate) struct AuthApi {
    pub(crate) engine: Engine,
}

/// How tokens are handed over.
#[derive(Enum)]
#[oai(rename = "AuthMode", rename_all = "lowercase")]
enum Mode {
    /// Both in the answer.
    Json,
}

/// What a login takes.
#[derive(Object)]
struct Login {
    /// The address of the user, in any case.
    #[oai(validator(max_length = 128))]
    email: String,
    /// The password, exactly as it was chosen.
    password: poem_openapi::types::Password,
    /// How tokens are handed over; `json` when nothing is said.
    mode: Option<Mode>,
    /// The one-time code of users who log in with a second factor.
    otp: Option<String>,
}

/// What a refresh and a logout take.
#[derive(Object)]
struct RefreshToken {
    /// The refresh token that came last.
    refresh_token: poem_openapi::types::Password,
    /// How tokens are handed over; `json` when nothing is said.
    mode: Option<Mode>,
}

/// The tokens of a session.
#[derive(Object)]
#[oai(rename = "Tokens")]
struct DescribedTokens {
    /// What proves who calls, as `Authorization: Bearer <token>`.
    access_token: String,
    /// What gives the next pair, once.
    refresh_token: String,
    /// How long the access token lives, in milliseconds.
    expires: i64,
}

#[derive(Serialize)]
struct Pair<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    expires: u64,
}

#[OpenApi(tag = "Tag::Authentication")]
impl AuthApi {
    /// List login providers
    ///
    /// Sends the providers beside the built-in login with e-mail and password.
    #[oai(path = "/auth", method = "get", operation_id = "listProviders")]
    #[expect(
        clippy::unused_async,
        reason = "the framework takes async functions alone"
    )]
    async fn providers(&self, _visitor: Visitor<'_>) -> Result<Providers, Failure> {
        Ok(Providers)
    }

    /// Log in
    ///
    /// A wrong password and an unknown address give the same refusal.
    #[oai(path = "/auth/login", method = "post", operation_id = "login")]
    async fn login(
        &self,
        visitor: Visitor<'_>,
        /// Who logs in, and the proof.
        body: Body<Login>,
    ) -> Result<One<DescribedTokens>, Failure> {
        send(&self.engine.login(&visitor, &body).await?)
    }

    /// Refresh the tokens
    ///
    /// The refresh token is used up: the answer has the next one.
    #[oai(path = "/auth/refresh", method = "post", operation_id = "refresh")]
    async fn refresh(
        &self,
        visitor: Visitor<'_>,
        /// The refresh token.
        body: Body<RefreshToken>,
    ) -> Result<One<DescribedTokens>, Failure> {
        send(&self.engine.refresh(&visitor, &body).await?)
    }

    /// Log out
    ///
    /// Ends the session of the refresh token, its access tokens included.
    #[oai(path = "/auth/logout", method = "post", operation_id = "logout")]
    async fn logout(
        &self,
        visitor: Visitor<'_>,
        /// The refresh token.
        body: Body<RefreshToken>,
    ) -> Result<Done, Failure> {
        self.engine.logout(&visitor, &body).await?;
        Ok(Done)
    }
}

fn send(tokens: &Tokens) -> Result<One<DescribedTokens>, Failure> {
    let Tokens {
        access_token,
        refresh_token,
        expires,
    } = tokens;
    One::of(&Pair {
        access_token,
        refresh_token,
        expires: *expires,
    })
}

/// The providers: none yet.
struct Providers;

/// The providers beside the built-in login.
#[derive(Object)]
#[oai(rename = "Providers", rename_all = "camelCase")]
struct DescribedProviders {
    /// The providers.
    data: Vec<Provider>,
    /// Whether the built-in login is turned off.
    disable_default: bool,
}

/// A provider.
#[derive(Object)]
struct Provider {
    /// Its name in paths.
    name: String,
    /// What people read.
    label: Option<String>,
    /// What kind it is.
    driver: String,
    /// Its icon.
    icon: Option<String>,
}

impl IntoResponse for Providers {
    fn into_response(self) -> Response {
        envelope::json(br#"{"data":[],"disableDefault":false}"#.to_vec())
    }
}

impl ApiResponse for Providers {
    fn meta() -> MetaResponses {
        let schema = DescribedProviders::schema_ref();
        MetaResponses {
            responses: vec![envelope::plain(
                "The providers.",
                envelope::JSON_TYPE,
                schema,
            )],
        }
    }

    fn register(registry: &mut Registry) {
        DescribedProviders::register(registry);
    }
}
