//! `/permissions/explain` and `/permissions/simulate`: why, and what if.

use poem_openapi::OpenApi;
use roster_engine::Engine;

use crate::body::Body;
use crate::caller::Caller;
use crate::document::Tag;
use crate::envelope::{Many, One};
use crate::error::Failure;
use crate::fields::Object;
use crate::parameters::Id;
use crate::record::Permission;

/// The resource.
pub(crate) struct ExplainApi {
    pub(crate) engine: Engine,
}

#[OpenApi(tag = "Tag::Access")]
impl ExplainApi {
    /// Explain a decision
    ///
    /// Whether somebody may do something, and which policy, attachment, rule, clause, field list or
    /// plugin decides it. The body names one of `user` (an id), `role` (an id) and `public` (true),
    /// an `action` and a `collection`; and, as far as they matter, the `id` of a record, `fields`,
    /// an `ip` and a time `at`. The answer has a `decision` (`allow`, `partial` for some records, or
    /// `deny`), a `reason`, `policies`, `rules` with their clauses, `fields` and `plugins`. For
    /// callers who may read every rule and the whole collection.
    #[oai(
        path = "/permissions/explain",
        method = "post",
        operation_id = "explainPermission"
    )]
    async fn explain(
        &self,
        caller: Caller<'_>,
        /// Who, what and where.
        body: Body<Object>,
    ) -> Result<One<Object>, Failure> {
        One::of(&self.engine.explain(&caller, &body).await?)
    }

    /// Simulate changes of permissions
    ///
    /// Who would gain or lose which actions, records and fields by `changes`: each with a
    /// `collection` (users, roles, policies, access or permissions), an `action` (create, update or
    /// delete), an `id` and `data`. They are made as they would be, looked at, and undone; addresses
    /// are taken to be allowed. For callers who may read every rule and make these changes.
    #[oai(
        path = "/permissions/simulate",
        method = "post",
        operation_id = "simulatePermissions"
    )]
    async fn simulate(
        &self,
        caller: Caller<'_>,
        /// The changes.
        body: Body<Object>,
    ) -> Result<One<Object>, Failure> {
        One::of(&self.engine.simulate(&caller, &body).await?)
    }

    /// Give a policy the rules of a preset
    ///
    /// Adds those it does not have, and answers them. The `preset` is `self-service` unless the body
    /// says otherwise: users read and change their own profile and picture.
    #[oai(
        path = "/policies/:id/preset",
        method = "post",
        operation_id = "applyPreset"
    )]
    async fn preset(
        &self,
        caller: Caller<'_>,
        /// The id of the policy.
        id: Id<'_>,
        /// Which preset.
        body: Body<Object>,
    ) -> Result<Many<Permission>, Failure> {
        Many::of(&self.engine.apply_preset(&caller, &id, &body).await?)
    }
}
