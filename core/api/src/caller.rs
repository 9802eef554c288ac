//! Who calls, as handlers get it and as the document says it.

use std::ops::Deref;

use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use roster_domain::Error;
use roster_engine::Context;

use crate::error::Failure;

/// The context of the caller. The document says that a token is needed, or, where the route is
/// `OPEN`, that there may be one.
pub(crate) struct Caller<'a, const OPEN: bool = false>(&'a Context);

/// The caller of a route that is there for everybody.
pub(crate) type Visitor<'a> = Caller<'a, true>;

impl<const OPEN: bool> Deref for Caller<'_, OPEN> {
    type Target = Context;

    fn deref(&self) -> &Context {
        self.0
    }
}

impl<'a, const OPEN: bool> ApiExtractor<'a> for Caller<'a, OPEN> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        registry.create_security_scheme(SCHEME, scheme());
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    fn has_security_fallback() -> bool {
        OPEN
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        of(request).map(Self)
    }
}

/// The caller, for a route that is added by hand.
pub(crate) fn of(request: &Request) -> Result<&Context> {
    let context = request.data::<Context>();
    Ok(context.ok_or_else(|| Failure(Error::internal("nobody was asked for")))?)
}

const SCHEME: &str = "bearer";

const fn scheme() -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty: "http",
        description: Some("An access token from `/auth/login`, or the static token of a user."),
        name: None,
        key_in: None,
        scheme: Some("bearer"),
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    }
}
