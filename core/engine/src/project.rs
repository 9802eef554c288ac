//! The settings singleton: what administrators say about the project.

use std::sync::Arc;

use roster_domain::error::field as problem;
use roster_domain::query::{PageLimits, Parameters};
use roster_domain::schema::Stage;
use roster_domain::{Action, Collection, Draft, Item, Query, Result, Schema, Valid};
use roster_storage::settings;
use serde_json::Value as Json;

use crate::context::Context;
use crate::secrets::Policy;
use crate::users::create::permit;
use crate::write::{Change, record};
use crate::{Inner, access};

const SETTINGS: Collection = Collection::Settings;

/// The settings.
pub(crate) async fn read(inner: &Inner, cx: &Context, parameters: &Parameters) -> Result<Item> {
    let grant = access::grant(cx, Action::Read, SETTINGS)?;
    let query = query(cx, parameters)?;
    settings::get(&inner.store, &grant, &query.projection).await
}

/// Changes the settings; they count from the next request on.
pub(crate) async fn update(
    inner: &Inner,
    cx: &Context,
    body: &Json,
    parameters: &Parameters,
) -> Result<Item> {
    let grant = access::grant(cx, Action::Update, SETTINGS)?;
    let query = query(cx, parameters)?;
    let draft = Draft::parse(&schema(), Stage::Update, body)?;
    permit(&draft, &grant)?;
    let valid = draft.validate()?;
    check(&valid)?;
    if !valid.is_empty() {
        let delta = valid.to_json();
        let mut tx = inner.store.begin().await?;
        settings::update(&mut tx, &grant, &valid).await?;
        let revision = Some((&delta, delta.clone()));
        let change = Change {
            collection: SETTINGS,
            action: "update",
            item: "1".to_owned(),
            actor: None,
            revision,
        };
        record(&mut tx, cx, change).await?;
        tx.commit().await?;
    }
    let grant = access::grant(cx, Action::Read, SETTINGS)?;
    settings::get(&inner.store, &grant, &query.projection).await
}

fn schema() -> Arc<Schema> {
    Arc::new(Schema::settings())
}

fn query(cx: &Context, parameters: &Parameters) -> Result<Query> {
    let grant = access::grant(cx, Action::Read, SETTINGS)?;
    let pages = PageLimits {
        default: None,
        max: None,
    };
    Query::parse(&schema(), &grant, parameters, pages)
}

/// A policy that cannot be tried would refuse every password.
fn check(valid: &Valid) -> Result<()> {
    let policy = valid
        .get("auth_password_policy")
        .and_then(|value| value.as_text());
    match policy.map(Policy::parse) {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(reason)) => {
            let clause = format!("Value has to be a regular expression: {reason}.");
            Err(problem::failed("auth_password_policy", "regex", &clause).into())
        }
    }
}
