//! `/auth`: from a password to tokens, from tokens to new ones, and the end of a session.

use poem::http::HeaderValue;
use poem::{IntoResponse, Response};
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use roster_engine::{self as engine, Cookies, Engine, ListedProvider, Tokens};
use serde::Serialize;

use crate::body::Body;
use crate::caller::Visitor;
use crate::cookies::{self, Baskets, Jar};
use crate::document::Tag;
use crate::envelope::{self, Done, One};
use crate::error::Failure;
use crate::parameters::Text;

/// The resource.
pub(crate) struct AuthApi {
    pub(crate) engine: Engine,
}

/// How tokens are handed over.
#[derive(Enum)]
#[oai(rename = "AuthMode", rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Both in the answer.
    Json,
    /// The refresh token in a cookie that scripts cannot read, the access token in the answer.
    Cookie,
    /// One cookie that scripts cannot read, which is both.
    Session,
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
    /// The one-time code of users who log in with a second factor, or a recovery code.
    otp: Option<String>,
}

/// What a refresh and a logout take.
#[derive(Object)]
struct RefreshToken {
    /// The refresh token that came last; in the modes `cookie` and `session` a cookie has it.
    refresh_token: Option<poem_openapi::types::Password>,
    /// How tokens are handed over. When nothing is said, `json` beside a `refresh_token`, else
    /// `cookie`.
    mode: Option<Mode>,
}

/// The tokens of a session.
#[derive(Object)]
#[oai(rename = "Tokens")]
struct DescribedTokens {
    /// What proves who calls, as `Authorization: Bearer <token>`; not in the mode `session`.
    access_token: Option<String>,
    /// What gives the next pair, once; in the mode `json` alone.
    refresh_token: Option<String>,
    /// How long the access token lives, in milliseconds.
    expires: i64,
}

#[derive(Serialize)]
struct Pair<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
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
    async fn providers(
        &self,
        _visitor: Visitor<'_>,
        /// Whether those are left out that do not end in a session cookie.
        #[oai(name = "sessionOnly")]
        session_only: Text,
    ) -> Result<Providers, Failure> {
        let mut providers = self.engine.providers();
        if session_only.is_set() {
            providers.retain(|p| !p.redirects || p.mode == engine::Mode::Session);
        }
        let told = Told {
            data: providers.iter().map(ToldProvider::of).collect(),
            disable_default: !self.engine.has_local_login(),
        };
        envelope::bytes(&told, 256).map(Providers)
    }

    /// Log in
    ///
    /// A wrong password and an unknown address give the same refusal.
    #[oai(path = "/auth/login", method = "post", operation_id = "login")]
    async fn login(
        &self,
        visitor: Visitor<'_>,
        baskets: Baskets<'_>,
        /// Who logs in, and the proof.
        body: Body<Login>,
    ) -> Result<Handed, Failure> {
        // A page of somebody else must not log a browser in as somebody else.
        if body.get("mode").is_some_and(|mode| mode != "json") {
            baskets.check_origin()?;
        }
        Handed::of(&self.engine.login(&visitor, &body).await?, baskets.jar())
    }

    /// Refresh the tokens
    ///
    /// The refresh token is used up: the answer has the next one.
    #[oai(path = "/auth/refresh", method = "post", operation_id = "refresh")]
    async fn refresh(
        &self,
        visitor: Visitor<'_>,
        baskets: Baskets<'_>,
        /// The refresh token.
        body: Body<RefreshToken>,
    ) -> Result<Handed, Failure> {
        let cookies = believed(&baskets)?;
        let tokens = self.engine.refresh(&visitor, &body, &cookies).await?;
        Handed::of(&tokens, baskets.jar())
    }

    /// Log out
    ///
    /// Ends the session of the refresh token, its access tokens included, and removes our cookies.
    #[oai(path = "/auth/logout", method = "post", operation_id = "logout")]
    async fn logout(
        &self,
        visitor: Visitor<'_>,
        baskets: Baskets<'_>,
        /// The refresh token.
        body: Body<RefreshToken>,
    ) -> Result<LoggedOut, Failure> {
        let cookies = believed(&baskets)?;
        self.engine.logout(&visitor, &body, &cookies).await?;
        Ok(LoggedOut(baskets.jar().remove(&cookies)))
    }

    /// Ask for a new password
    ///
    /// Mails a link, if there is somebody to mail it to. The answer is the same either way.
    #[oai(
        path = "/auth/password/request",
        method = "post",
        operation_id = "requestPasswordReset"
    )]
    async fn request_reset(
        &self,
        visitor: Visitor<'_>,
        /// Whose password, and the page to link to.
        body: Body<ResetRequest>,
    ) -> Result<Done, Failure> {
        self.engine.request_password_reset(&visitor, &body).await?;
        Ok(Done)
    }

    /// Set a new password
    ///
    /// Ends every session of the user. A token works once.
    #[oai(
        path = "/auth/password/reset",
        method = "post",
        operation_id = "resetPassword"
    )]
    async fn reset(
        &self,
        visitor: Visitor<'_>,
        /// The token that was mailed, and the password.
        body: Body<NewPassword>,
    ) -> Result<Done, Failure> {
        self.engine.reset_password(&visitor, &body).await?;
        Ok(Done)
    }
}

/// Whose password is forgotten.
#[derive(Object)]
#[oai(rename = "PasswordResetRequest")]
struct ResetRequest {
    /// The address of the user.
    email: String,
    /// The page that the mail links to, one of `auth.reset_urls`.
    reset_url: Option<String>,
}

/// A mailed token and a password.
#[derive(Object)]
#[oai(rename = "NewPassword")]
pub(crate) struct NewPassword {
    /// The token that was mailed.
    token: poem_openapi::types::Password,
    /// The new password.
    password: poem_openapi::types::Password,
}

/// Our cookies, if they come from a page that may use them.
fn believed(baskets: &Baskets<'_>) -> Result<Cookies, Failure> {
    let cookies = baskets.cookies();
    if cookies != Cookies::default() {
        baskets.check_origin()?;
    }
    Ok(cookies)
}

/// Tokens, in the body or in a cookie.
pub(crate) struct Handed(One<DescribedTokens>, Option<HeaderValue>);

impl Handed {
    pub(crate) fn of(tokens: &Tokens, jar: &Jar) -> Result<Self, Failure> {
        let Tokens {
            mode,
            access_token,
            refresh_token,
            expires,
            ..
        } = tokens;
        let body = One::of(&Pair {
            access_token: (*mode != engine::Mode::Session).then_some(access_token),
            refresh_token: (*mode == engine::Mode::Json).then_some(refresh_token),
            expires: *expires,
        })?;
        Ok(Self(body, jar.hand_over(tokens)))
    }
}

impl IntoResponse for Handed {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        cookies::put(&mut response, self.1);
        response
    }
}

impl ApiResponse for Handed {
    fn meta() -> MetaResponses {
        One::<DescribedTokens>::meta()
    }

    fn register(registry: &mut Registry) {
        One::<DescribedTokens>::register(registry);
    }
}

/// 204, with what removes our cookies.
struct LoggedOut(Vec<HeaderValue>);

impl IntoResponse for LoggedOut {
    fn into_response(self) -> Response {
        let mut response = Done.into_response();
        cookies::put(&mut response, self.0);
        response
    }
}

impl ApiResponse for LoggedOut {
    fn meta() -> MetaResponses {
        Done::meta()
    }

    fn register(registry: &mut Registry) {
        Done::register(registry);
    }
}

/// The providers, as JSON.
struct Providers(Vec<u8>);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    data: Vec<ToldProvider<'a>>,
    disable_default: bool,
}

#[derive(Serialize)]
struct ToldProvider<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    driver: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'a str>,
}

impl<'a> ToldProvider<'a> {
    fn of(provider: &'a ListedProvider) -> Self {
        Self {
            name: &provider.name,
            label: provider.label.as_deref(),
            // The words that clients of this wire know for a link and for a form.
            driver: if provider.redirects { "oauth2" } else { "ldap" },
            icon: provider.icon.as_deref(),
        }
    }
}

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
    /// How it is used: `oauth2` by sending the browser there, `ldap` with a name and a secret.
    driver: String,
    /// Its icon.
    icon: Option<String>,
}

impl IntoResponse for Providers {
    fn into_response(self) -> Response {
        envelope::json(self.0)
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
