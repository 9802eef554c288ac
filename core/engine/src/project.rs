//! The settings singleton: what administrators say about the project.

use roster_domain::query::Parameters;
use roster_domain::{Collection, Error, Item, Key, Result};
use serde_json::Value as Json;

use crate::Inner;
use crate::context::Context;
use crate::records::{read, write};

const SETTINGS: Collection = Collection::Settings;
const ONLY: &str = "1";

/// The settings.
pub(crate) async fn read(inner: &Inner, cx: &Context, parameters: &Parameters) -> Result<Item> {
    read::one(inner, cx, SETTINGS, ONLY, parameters).await
}

/// Changes the settings; they count from the next request on.
pub(crate) async fn update(
    inner: &Inner,
    cx: &Context,
    body: &Json,
    parameters: &Parameters,
) -> Result<Item> {
    let readback = read::Readback::prepare(inner, cx, SETTINGS, parameters).await?;
    let key = Key::Serial(1);
    write::update_all(inner, cx, SETTINGS, &[(key, body.clone())]).await?;
    let item = readback.read(inner, cx, key).await?;
    item.ok_or_else(Error::forbidden)
}
