//! `POST /files`: a picture comes in.

use roster_domain::query::Parameters;
use roster_domain::schema::Stage;
use roster_domain::{
    Action, Code, Collection, Draft, Error, Grant, Item, Key, Problem, Result, Value,
};
use roster_storage::files;
use serde_json::{Map, Value as Json};

use super::picture::Facts;
use super::{folder, name};
use crate::context::Context;
use crate::records::collections;
use crate::records::plan::{self, Op, What};
use crate::records::read::{Readback, schema};
use crate::records::{store as pipeline, write};
use crate::system::new_id;
use crate::{Inner, access};

const FILES: Collection = Collection::Files;

/// A file as it was sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Upload {
    /// The fields that were sent with it.
    pub fields: Map<String, Json>,
    /// The name that it had there.
    pub name: Option<String>,
    /// What is in it.
    pub content: Vec<u8>,
}

/// Whether the caller may send files at all: asked before anything is read of one.
pub(crate) fn permit(cx: &Context) -> Result<()> {
    access::grant(cx, Action::Create, FILES).map(drop)
}

/// Makes a file; reads its record back as far as the caller may.
pub(crate) async fn create(
    inner: &Inner,
    cx: &Context,
    upload: Upload,
    parameters: &Parameters,
) -> Result<Option<Item>> {
    let grant = access::grant(cx, Action::Create, FILES)?;
    let readback = Readback::prepare(inner, cx, FILES, parameters).await?;
    let Upload {
        fields,
        name,
        content,
    } = upload;
    let (key, mut draft) = draft(cx, &grant, &fields)?;
    if content.is_empty() {
        return Err(Error::invalid_payload("the file is empty"));
    }
    if content.len() > inner.settings.files.max_size {
        return Err(too_large(inner.settings.files.max_size));
    }
    let size = content.len();
    let (facts, content) = inner.pictures.inspect(content).await?;
    describe(inner, cx, &mut draft, key, facts, name.as_deref());
    draft.set(
        "filesize",
        Value::BigInteger(i64::try_from(size).unwrap_or(i64::MAX)),
    );
    store(inner, cx, grant, key, draft, content).await?;
    readback.read(inner, cx, key).await
}

/// A file is larger than the operator allows.
fn too_large(most: usize) -> Error {
    Problem::new(Code::ContentTooLarge)
        .saying(format!(
            "Uploaded content is too large. At most {most} bytes are allowed."
        ))
        .with("max_size", most)
        .into()
}

/// What the caller says of the file.
fn draft(cx: &Context, grant: &Grant, fields: &Map<String, Json>) -> Result<(Key, Draft)> {
    let schema = schema(cx, FILES)?;
    if let Some(name) = collections::fixed(fields.keys()) {
        return Err(Error::invalid_payload(format!(
            "You can't change the \"{name}\" value manually"
        )));
    }
    grant.writing(fields.keys().map(String::as_str))?;
    let key = match fields.get("id") {
        Some(id) => schema.key(id).ok_or_else(|| plan::wrong_key(schema, id))?,
        None => Key::Uuid(new_id(cx.now)?),
    };
    let mut draft = Draft::parse(schema, Stage::Create, &Json::Object(fields.clone()))?;
    plan::refuse_unknown(schema, &draft, grant)?;
    draft.preset(&grant.presets())?;
    Ok((key, draft))
}

/// What the file itself says, and when and by whom it came in.
fn describe(
    inner: &Inner,
    cx: &Context,
    draft: &mut Draft,
    key: Key,
    facts: Facts,
    sent: Option<&str>,
) {
    let settings = &inner.settings.files;
    let text = |text: &str| Value::Text(text.to_owned());
    let asked = draft.get("filename_download").and_then(Value::as_text);
    let named = asked
        .and_then(name::clean)
        .or_else(|| sent.and_then(name::clean));
    let named = named.unwrap_or_else(|| format!("{key}.{}", facts.kind.extension()));
    if draft.get("title").is_none_or(Value::is_null) {
        let suggested = sent.and_then(name::clean).map(|sent| name::title(&sent));
        draft.set("title", suggested.map_or(Value::Null, Value::Text));
    }
    draft.set("filename_download", Value::Text(named));
    draft.set("filename_disk", text(&key.to_string()));
    draft.set(
        "storage",
        text(if settings.in_folder {
            folder::FOLDER
        } else {
            "database"
        }),
    );
    draft.set("type", text(facts.kind.content_type()));
    draft.set("width", Value::Integer(facts.width.into()));
    draft.set("height", Value::Integer(facts.height.into()));
    let user = cx.principal.user();
    draft.set(
        "uploaded_by",
        user.map_or(Value::Null, |user| Value::Uuid(user.0)),
    );
    for name in ["created_on", "modified_on", "uploaded_on"] {
        draft.set(name, Value::Timestamp(cx.now));
    }
}

/// Hooks and validation, then the record and its content together.
async fn store(
    inner: &Inner,
    cx: &Context,
    grant: Grant,
    key: Key,
    draft: Draft,
    content: Vec<u8>,
) -> Result<()> {
    let op = Op {
        grant: grant.clone(),
        judge: None,
        key: Some(key),
        what: What::Create(draft),
        item: 0,
        path: Vec::new(),
    };
    let ready = pipeline::prepare(inner, cx, op).await?;
    let ready = ready.ok_or_else(|| Error::internal("a new file without values"))?;
    let settings = &inner.settings.files;
    if !settings.in_folder {
        let mut tx = inner.store.begin().await?;
        let told = write::put(inner, cx, &mut tx, &ready).await?;
        files::insert_content(&mut tx, &grant, key, content).await?;
        return crate::write::commit(inner, tx, told).await;
    }
    folder::keep(settings.folder.clone(), key, content).await?;
    let tx = inner.store.begin().await;
    let done = match tx {
        Ok(tx) => write::within(inner, cx, tx, &ready).await,
        Err(error) => Err(error),
    };
    if done.is_err() {
        folder::remove(&settings.folder, key).await;
    }
    done
}
