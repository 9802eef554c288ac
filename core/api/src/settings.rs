//! `/settings`: what administrators say about the project.

use poem_openapi::OpenApi;
use roster_engine::Engine;

use crate::body::Body;
use crate::caller::Caller;
use crate::document::Tag;
use crate::envelope::One;
use crate::error::Failure;
use crate::parameters::{Query, Single};
use crate::record::Settings;

/// The resource.
pub(crate) struct SettingsApi {
    pub(crate) engine: Engine,
}

#[OpenApi(tag = "Tag::Settings")]
impl SettingsApi {
    /// Read the settings
    #[oai(path = "/settings", method = "get", operation_id = "readSettings")]
    async fn read(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
    ) -> Result<One<Settings>, Failure> {
        One::of(&self.engine.read_settings(&caller, &query).await?)
    }

    /// Update the settings
    ///
    /// They count from the next request on, on every node.
    #[oai(path = "/settings", method = "patch", operation_id = "updateSettings")]
    async fn update(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
        /// The fields to change.
        body: Body<Settings>,
    ) -> Result<One<Settings>, Failure> {
        let settings = self.engine.update_settings(&caller, &body, &query).await?;
        One::of(&settings)
    }
}
