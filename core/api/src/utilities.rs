//! `/utils`: hashes and random strings, for clients that make users (contract/query.md §13).

use poem_openapi::OpenApi;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use roster_engine::Engine;

use crate::batch::{Described, Shape};
use crate::body::Body;
use crate::caller::Caller;
use crate::document::Tag;
use crate::envelope::{One, inline};
use crate::error::Failure;
use crate::fields::Object;
use crate::parameters::{Query, Single};

/// A text, in the document.
pub(crate) struct TextForm;

impl Described for TextForm {
    fn schema() -> MetaSchemaRef {
        inline(MetaSchema::new("string"))
    }
}

/// Yes or no, in the document.
pub(crate) struct AnswerForm;

impl Described for AnswerForm {
    fn schema() -> MetaSchemaRef {
        inline(MetaSchema::new("boolean"))
    }
}

/// The resource.
pub(crate) struct UtilitiesApi {
    pub(crate) engine: Engine,
}

#[OpenApi(tag = "Tag::Utilities")]
impl UtilitiesApi {
    /// Hash a string
    ///
    /// With argon2id, as passwords are hashed. For users who are signed in.
    #[oai(
        path = "/utils/hash/generate",
        method = "post",
        operation_id = "generateHash"
    )]
    async fn hash(
        &self,
        caller: Caller<'_>,
        /// `string`.
        body: Body<Object>,
    ) -> Result<One<Shape<TextForm>>, Failure> {
        One::of(&self.engine.generate_hash(&caller, &body).await?)
    }

    /// Verify a hash
    ///
    /// Whether `hash`, of argon2, is one of `string`. Its costs are at most 64 MiB and four passes, or
    /// those of the hashes that are made here. For users who are signed in.
    #[oai(
        path = "/utils/hash/verify",
        method = "post",
        operation_id = "verifyHash"
    )]
    async fn verify(
        &self,
        caller: Caller<'_>,
        /// `string` and `hash`.
        body: Body<Object>,
    ) -> Result<One<Shape<AnswerForm>>, Failure> {
        One::of(&self.engine.verify_hash(&caller, &body).await?)
    }

    /// Make a random string
    ///
    /// Of letters and digits; `length` is 32 unless it is given, 1 to 500.
    #[oai(
        path = "/utils/random/string",
        method = "get",
        operation_id = "randomString"
    )]
    #[expect(
        clippy::unused_async,
        reason = "the framework takes async functions alone"
    )]
    async fn random(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
    ) -> Result<One<Shape<TextForm>>, Failure> {
        One::of(&self.engine.random_string(&caller, &query)?)
    }
}
