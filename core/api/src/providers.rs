//! `/auth/login/:provider`: logins that a provider checks, with a name and a secret or elsewhere.

use poem::http::{HeaderValue, StatusCode};
use poem::{IntoResponse, Request, RequestBody, Response, Result as PoemResult};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaResponses, MetaSchema, Registry};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions, Object, OpenApi,
};
use roster_domain::Code;
use roster_engine::{Engine, Mode as TokenMode, RedirectLogin};
use url::form_urlencoded;

use crate::auth::{Handed, Mode};
use crate::body::{self, Body};
use crate::caller::Visitor;
use crate::cookies::{self, Baskets};
use crate::document::Tag;
use crate::envelope::inline;
use crate::error::Failure;
use crate::parameters::{Id, Text};
use crate::{query, sent_on};

/// The longest form that is sent on in an address, in bytes.
const LONGEST_FORM: usize = 8 * 1024;

/// The resource.
pub(crate) struct ProvidersApi {
    pub(crate) engine: Engine,
    /// Where clients reach the server.
    pub(crate) public_url: String,
    /// Whether there is a page to set up a second factor.
    pub(crate) has_pages: bool,
}

/// What a login by a provider takes.
#[derive(Object)]
#[oai(rename = "ProviderLogin")]
struct Login {
    /// The name that the provider knows; `email` in its place is fine too.
    identifier: String,
    /// The secret.
    password: poem_openapi::types::Password,
    /// How tokens are handed over; `json` when nothing is said.
    mode: Option<Mode>,
    /// The one-time code of users who log in with a second factor, or a recovery code.
    otp: Option<String>,
}

#[OpenApi(tag = "Tag::Authentication")]
impl ProvidersApi {
    /// Log in by a provider
    ///
    /// The provider checks the name and the secret. What it does not know gives the same refusal as
    /// a wrong password.
    #[oai(
        path = "/auth/login/:provider",
        method = "post",
        operation_id = "loginByProvider"
    )]
    async fn login(
        &self,
        visitor: Visitor<'_>,
        baskets: Baskets<'_>,
        /// The name of the provider.
        provider: Id<'_>,
        /// Who logs in, and the proof.
        body: Body<Login>,
    ) -> Result<Handed, Failure> {
        // A page of somebody else must not log a browser in as somebody else.
        if body.get("mode").is_some_and(|mode| mode != "json") {
            baskets.check_origin()?;
        }
        let tokens = self.engine.login_by(&visitor, &provider, &body).await?;
        Handed::of(&tokens, baskets.jar())
    }

    /// Log in elsewhere
    ///
    /// Sends the browser to the provider, which sends it back to `/auth/login/{provider}/callback`.
    #[oai(
        path = "/auth/login/:provider",
        method = "get",
        operation_id = "beginProviderLogin"
    )]
    async fn begin(
        &self,
        visitor: Visitor<'_>,
        baskets: Baskets<'_>,
        /// The name of the provider.
        provider: Id<'_>,
        /// The page to end on: of this server, or listed by the operator.
        redirect: Text,
        /// Whether the provider has to ask, also whom it knows already.
        prompt: Text,
        /// The one-time code of users who log in with a second factor.
        otp: Text,
    ) -> Result<SentOn, Failure> {
        let asked = RedirectLogin {
            redirect: redirect.get(),
            prompt: prompt.is_set(),
            otp: otp.get(),
        };
        let departure = self.engine.begin_login(&visitor, &provider, &asked).await?;
        let jar = baskets.jar();
        let cookie = jar.pass(&provider, &departure.pass, departure.lives.as_secs());
        Ok(SentOn {
            url: departure.url,
            cookies: cookie.into_iter().collect(),
            status: StatusCode::FOUND,
        })
    }

    /// Come back from a provider
    ///
    /// Ends the login that the browser began, hands the tokens over in a cookie and sends the
    /// browser on; with `?reason=` and a code where the login is refused.
    #[oai(
        path = "/auth/login/:provider/callback",
        method = "get",
        operation_id = "completeProviderLogin"
    )]
    async fn complete(
        &self,
        visitor: Visitor<'_>,
        baskets: Baskets<'_>,
        /// The name of the provider.
        provider: Id<'_>,
        /// What the provider gave the browser.
        brought: Brought,
    ) -> Result<SentOn, Failure> {
        let jar = baskets.jar();
        let pass = baskets.pass(&provider);
        let parameters = query::pairs(&brought.0)?;
        let completed =
            self.engine
                .complete_login(&visitor, &provider, pass.as_deref(), parameters);
        let arrival = completed.await?;
        let mut cookies: Vec<_> = jar.pass(&provider, "", 0).into_iter().collect();
        let mut url = arrival.url;
        if let Ok(tokens) = &arrival.outcome {
            cookies.extend(jar.hand_over(tokens));
            if tokens.enforce_tfa && tokens.mode == TokenMode::Session && self.has_pages {
                let query = form_urlencoded::Serializer::new(String::new())
                    .append_pair("redirect", &url)
                    .append_pair("provider", &provider)
                    .finish();
                url = format!("{}/admin/tfa-setup?{query}", self.public_url);
            }
        }
        Ok(SentOn {
            url,
            cookies,
            status: StatusCode::FOUND,
        })
    }

    /// Come back from a provider with a form
    ///
    /// Browsers bring no cookie with a form of another site: they are sent to the same address again,
    /// with the same parameters in it.
    #[oai(
        path = "/auth/login/:provider/callback",
        method = "post",
        operation_id = "completeProviderLoginByForm"
    )]
    #[expect(
        clippy::unused_async,
        reason = "the framework takes async functions alone"
    )]
    async fn complete_by_form(
        &self,
        _visitor: Visitor<'_>,
        /// The name of the provider.
        provider: Id<'_>,
        /// What the provider gave the browser.
        form: Form,
    ) -> Result<SentOn, Failure> {
        let known = self.engine.providers();
        if !known
            .iter()
            .any(|known| known.name == *provider && known.redirects)
        {
            return Err(Failure(Code::RouteNotFound.into()));
        }
        if form.0.len() > LONGEST_FORM {
            return Err(Failure(Code::ContentTooLarge.into()));
        }
        // Written anew, so that nothing but parameters goes into the address.
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query::pairs(&form.0)?)
            .finish();
        let provider = &*provider;
        Ok(SentOn {
            url: format!("{}/auth/login/{provider}/callback?{query}", self.public_url),
            cookies: Vec::new(),
            status: StatusCode::SEE_OTHER,
        })
    }
}

/// The whole query string.
struct Brought(String);

impl<'a> ApiExtractor<'a> for Brought {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::PoemExtractor];

    type ParamType = ();
    type ParamRawType = ();

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> PoemResult<Self> {
        Ok(Self(request.uri().query().unwrap_or_default().to_owned()))
    }
}

/// A form.
struct Form(String);

impl<'a> ApiExtractor<'a> for Form {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType {
            content_type: "application/x-www-form-urlencoded",
            schema: inline(MetaSchema::new("object")),
        }];
        Some(MetaRequest {
            description: None,
            content,
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> PoemResult<Self> {
        body::form(request, body).await.map(Self)
    }
}

/// 302 or 303, with cookies.
struct SentOn {
    url: String,
    cookies: Vec<HeaderValue>,
    status: StatusCode,
}

impl IntoResponse for SentOn {
    fn into_response(self) -> Response {
        let mut response = sent_on::to(self.status, self.url);
        cookies::put(&mut response, self.cookies);
        response
    }
}

impl ApiResponse for SentOn {
    fn meta() -> MetaResponses {
        let (link, form) = (
            "The browser is sent on.",
            "The browser is sent on, after a form.",
        );
        MetaResponses {
            responses: vec![
                sent_on::meta(StatusCode::FOUND, link),
                sent_on::meta(StatusCode::SEE_OTHER, form),
            ],
        }
    }

    fn register(_: &mut Registry) {}
}
