//! `GET /assets/:id`: the content of a file, whole or resized.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use roster_domain::query::Parameters;
use roster_domain::{
    Action, Collection, Error, Grant, Key, Reason, Record, Result, Timestamp, Value,
};
use roster_storage::{files, records};

use super::frame::Frame;
use super::picture::Kind;
use super::{folder, name};
use crate::context::Context;
use crate::records::read::schema;
use crate::{Inner, access};

const FILES: Collection = Collection::Files;

/// The content of a file, on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// What it is; nothing where the client has it already.
    pub content: Option<Arc<Vec<u8>>>,
    /// What kind of picture it is.
    pub content_type: &'static str,
    /// Under which name a browser saves it.
    pub name: String,
    /// What tells this content from any other, in quotation marks.
    pub etag: String,
}

/// The content of a file that the caller may read; `known` is what the client has.
pub(crate) async fn read(
    inner: &Inner,
    cx: &Context,
    id: &str,
    parameters: &Parameters,
    known: Option<&str>,
) -> Result<Asset> {
    let key = schema(cx, FILES)?.key_of(id).ok_or_else(Error::forbidden)?;
    let (grant, record) = readable(inner, cx, key).await?;
    let frame = Frame::parse(parameters)?;
    let made = match record.item.get("created_on") {
        Some(Value::Timestamp(made)) => *made,
        _ => Timestamp::default(),
    };
    let text = |name: &str| {
        record
            .item
            .get(name)
            .and_then(Value::as_text)
            .unwrap_or_default()
    };
    let etag = etag(key, made, frame);
    let is_known = known.is_some_and(|known| {
        let mut tags = known
            .split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"));
        tags.any(|tag| tag == etag || tag == "*")
    });
    let asset = |kind: Kind, content| Asset {
        content,
        content_type: kind.content_type(),
        name: name::download(text("filename_download"), kind),
        etag: etag.clone(),
    };
    if is_known {
        return Ok(asset(Kind::Png, None));
    }
    let whole = async || {
        let content = if text("storage") == folder::FOLDER {
            folder::content(&inner.settings.files.folder, key).await?
        } else {
            files::content(&inner.store, &cx.model, &grant, key).await?
        };
        let missing = || Error::unavailable("files", "the content of the file is missing");
        let content = content.ok_or_else(missing)?;
        let kind = Kind::of(&content).ok_or_else(missing)?;
        Ok::<_, Error>((kind, content))
    };
    let (Some(frame), Some(id)) = (frame, key.uuid()) else {
        let (kind, content) = whole().await?;
        return Ok(asset(kind, Some(Arc::new(content))));
    };
    let which = (id, made, frame);
    let content = match inner.pictures.remembered(&which).await {
        Some(content) => content,
        None => inner.pictures.resize(which, whole().await?.1).await?,
    };
    let kind = Kind::of(&content).ok_or_else(|| Error::internal("no picture was made"))?;
    Ok(asset(kind, Some(content)))
}

/// The record of a file that the caller may read, or brought in themselves.
async fn readable(inner: &Inner, cx: &Context, key: Key) -> Result<(Grant, Record)> {
    let fields = inner.stored_fields(schema(cx, FILES)?);
    let load = async |grant: Grant| {
        let (store, model) = (&inner.store, &cx.model);
        let record = records::load(store, model, &grant, Action::Read, key, &fields).await?;
        Ok::<_, Error>(record.map(|record| (grant, record)))
    };
    if let Ok(grant) = access::grant(cx, Action::Read, FILES)
        && let Some(found) = load(grant).await?
    {
        return Ok(found);
    }
    let user = cx.principal.user().filter(|_| !cx.rights.is_locked);
    let user = Value::Uuid(user.ok_or_else(Error::forbidden)?.0);
    let found = load(Grant::system(Reason::Ownership, Action::Read, FILES)).await?;
    let own = found.filter(|(_, record)| record.item.get("uploaded_by") == Some(&user));
    own.ok_or_else(Error::forbidden)
}

/// Content of a file never changes, so what was asked for tells it from any other.
fn etag(key: Key, made: Timestamp, frame: Option<Frame>) -> String {
    let mut hasher = DefaultHasher::new();
    (made.timestamp_micros(), frame).hash(&mut hasher);
    format!("\"{key}-{:016x}\"", hasher.finish())
}
