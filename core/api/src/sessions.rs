//! `/users/…/sessions`: where users are signed in, and the end of it. Impersonation begins one.

use std::ops::Deref;

use poem::{Request, RequestBody, Result as PoemResult};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, Object, OpenApi};
use roster_engine::Engine;

use crate::body::Body;
use crate::caller::Caller;
use crate::document::Tag;
use crate::envelope::{Done, One, inline};
use crate::error::Failure;
use crate::parameters::{Id, SECOND_IN_PATH};

/// The second id in a path, as [`Id`] is the first.
pub(crate) struct Second<'a>(&'a str);

impl Deref for Second<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl<'a> ApiExtractor<'a> for Second<'a> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = true;

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Path)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(inline(MetaSchema::new_with_format("string", "uuid")))
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> PoemResult<Self> {
        Ok(Self(
            request.raw_path_param(SECOND_IN_PATH).unwrap_or_default(),
        ))
    }
}

/// The resource.
pub(crate) struct SessionsApi {
    pub(crate) engine: Engine,
}

/// A session.
#[derive(Object)]
#[oai(rename = "Session")]
struct DescribedSession {
    /// Its id.
    id: uuid::Uuid,
    /// `json`, `cookie`, `session` or `impersonation`.
    mode: String,
    /// Whether the request came in it.
    is_current: bool,
    /// When it was begun.
    created_at: String,
    /// When it was used last, to a minute.
    last_used_at: String,
    /// When it ends unless it is refreshed.
    expires_at: String,
    /// The address it was begun from.
    #[oai(nullable)]
    ip: Option<String>,
    /// The client it was begun with.
    #[oai(nullable)]
    user_agent: Option<String>,
    /// The origin it was begun from.
    #[oai(nullable)]
    origin: Option<String>,
    /// The administrator who acts in it instead of the user.
    #[oai(nullable)]
    actor: Option<uuid::Uuid>,
    /// Why they do.
    #[oai(nullable)]
    reason: Option<String>,
}

/// Why and for how long somebody acts as another user.
#[derive(Object)]
struct ImpersonationRequest {
    /// Why; it is kept in the activity.
    #[oai(validator(max_length = 500))]
    reason: String,
    /// For how long; an hour when nothing is said.
    #[oai(validator(minimum(value = "1"), maximum(value = "60")))]
    minutes: Option<i64>,
}

/// A token of another user.
#[derive(Object)]
#[oai(rename = "Impersonation")]
struct DescribedImpersonation {
    /// The access token; its `act` claim says who acts.
    access_token: String,
    /// How long it lives, in milliseconds.
    expires: i64,
}

#[OpenApi(tag = "Tag::Accounts")]
impl SessionsApi {
    /// List my sessions
    ///
    /// Where the caller is signed in, the newest first.
    #[oai(
        path = "/users/me/sessions",
        method = "get",
        operation_id = "listMySessions"
    )]
    async fn list_mine(&self, caller: Caller<'_>) -> Result<One<Vec<DescribedSession>>, Failure> {
        One::of(&self.engine.list_sessions(&caller, None).await?)
    }

    /// End my other sessions
    ///
    /// Ends all but the one of the request.
    #[oai(
        path = "/users/me/sessions",
        method = "delete",
        operation_id = "endMyOtherSessions"
    )]
    async fn end_mine(&self, caller: Caller<'_>) -> Result<Done, Failure> {
        self.engine.end_other_sessions(&caller, None).await?;
        Ok(Done)
    }

    /// End a session of mine
    #[oai(
        path = "/users/me/sessions/:id",
        method = "delete",
        operation_id = "endMySession"
    )]
    async fn end_one_of_mine(
        &self,
        caller: Caller<'_>,
        /// The id of the session.
        id: Id<'_>,
    ) -> Result<Done, Failure> {
        self.engine.end_session(&caller, None, &id).await?;
        Ok(Done)
    }

    /// List the sessions of a user
    ///
    /// For administrators.
    #[oai(
        path = "/users/:id/sessions",
        method = "get",
        operation_id = "listSessions"
    )]
    async fn list(
        &self,
        caller: Caller<'_>,
        /// The id of the user.
        id: Id<'_>,
    ) -> Result<One<Vec<DescribedSession>>, Failure> {
        One::of(&self.engine.list_sessions(&caller, Some(&id)).await?)
    }

    /// End the sessions of a user
    ///
    /// For administrators. The session of the request goes on.
    #[oai(
        path = "/users/:id/sessions",
        method = "delete",
        operation_id = "endSessions"
    )]
    async fn end(
        &self,
        caller: Caller<'_>,
        /// The id of the user.
        id: Id<'_>,
    ) -> Result<Done, Failure> {
        self.engine.end_other_sessions(&caller, Some(&id)).await?;
        Ok(Done)
    }

    /// End a session of a user
    ///
    /// For administrators.
    #[oai(
        path = "/users/:id/sessions/:session",
        method = "delete",
        operation_id = "endSession"
    )]
    async fn end_one(
        &self,
        caller: Caller<'_>,
        /// The id of the user.
        id: Id<'_>,
        /// The id of the session.
        session: Second<'_>,
    ) -> Result<Done, Failure> {
        let (user, session) = (Some(&*id), &*session);
        self.engine.end_session(&caller, user, session).await?;
        Ok(Done)
    }

    /// Act as a user
    ///
    /// For administrators who are signed in: gives a token of the user for an hour at most. Who
    /// acts and why is kept in the activity.
    #[oai(
        path = "/users/:id/impersonate",
        method = "post",
        operation_id = "impersonate"
    )]
    async fn impersonate(
        &self,
        caller: Caller<'_>,
        /// The id of the user.
        id: Id<'_>,
        /// Why, and for how long.
        body: Body<ImpersonationRequest>,
    ) -> Result<One<DescribedImpersonation>, Failure> {
        One::of(&self.engine.impersonate(&caller, &id, &body).await?)
    }
}
