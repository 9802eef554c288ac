//! Why, what if, and rules that are recommended.

use roster_domain::Result;
use serde_json::Value as Json;

use crate::access::{explain, presets, simulate};
use crate::records::List;
use crate::{Context, Engine};

impl Engine {
    /// What is decided about an action, and what decided it.
    ///
    /// # Errors
    /// `FORBIDDEN` unless the caller may read every rule and the whole collection;
    /// `INVALID_PAYLOAD`.
    pub async fn explain(&self, cx: &Context, body: &Json) -> Result<Json> {
        explain::explain(&self.inner, cx, body).await
    }

    /// Who would gain or lose what by changes of roles, policies, rules and users.
    ///
    /// # Errors
    /// As for [`Engine::explain`], and those of the changes.
    pub async fn simulate(&self, cx: &Context, body: &Json) -> Result<Json> {
        simulate::simulate(&self.inner, cx, body).await
    }

    /// Gives a policy the rules of a preset; gives those it did not have.
    ///
    /// # Errors
    /// `FORBIDDEN`, `INVALID_PAYLOAD`, and those of [`Engine::create_many`].
    pub async fn apply_preset(&self, cx: &Context, policy: &str, body: &Json) -> Result<List> {
        presets::apply(&self.inner, cx, policy, body).await
    }
}
