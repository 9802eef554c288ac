//! The body of a request: bounded, and JSON or nothing.

use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use multer::bytes::Bytes;
use poem::http::{HeaderMap, HeaderValue, header};
use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use roster_domain::{Code, Error};
use serde_json::{Map, Value as Json};

use crate::envelope;
use crate::error::Failure;

/// How much of a body that is too large is read and thrown away: a client that is still writing
/// sees the answer only after it has written.
const MAX_DISCARDED: usize = 16 * 1024 * 1024;
/// For how long.
const DISCARD_TIME: Duration = Duration::from_secs(2);
/// The size of the largest form of a page, in bytes.
const MAX_FORM: usize = 64 * 1024;

/// The size of the largest body that is read, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaxBody(pub(crate) usize);

/// The JSON of a body; an object without keys where there is none. `S` is what the document says
/// about it, the engine is who checks it.
pub(crate) struct Body<S> {
    json: Json,
    described_as: PhantomData<fn() -> S>,
}

impl<S> Deref for Body<S> {
    type Target = Json;

    fn deref(&self) -> &Json {
        &self.json
    }
}

impl<'a, S: Type> ApiExtractor<'a> for Body<S> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        S::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let schema: MetaSchemaRef = S::schema_ref();
        let content = vec![MetaMediaType {
            content_type: envelope::JSON_TYPE,
            schema,
        }];
        Some(MetaRequest {
            description: None,
            content,
            required: S::IS_REQUIRED,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        Ok(Self {
            json: json(request, body).await?,
            described_as: PhantomData,
        })
    }
}

/// The JSON of a body, for a route that is added by hand.
pub(crate) async fn json(request: &Request, body: &mut RequestBody) -> Result<Json> {
    let limit = request.data::<MaxBody>().map_or(0, |limit| limit.0);
    let read = read(request.headers(), body.take()?, limit).await;
    Ok(read.map_err(Failure)?)
}

/// A form of a page: the text between the `&`s.
pub(crate) async fn form(request: &Request, body: &mut RequestBody) -> Result<String> {
    let limit = request.data::<MaxBody>().map_or(0, |limit| limit.0);
    let headers = request.headers();
    if !is_type(headers, b"application/x-www-form-urlencoded") {
        return Err(Failure(Code::UnsupportedMediaType.into()).into());
    }
    let text = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes);
        text.map(ToOwned::to_owned)
            .map_err(|_| Error::invalid_payload("the form is not UTF-8"))
    };
    let read = whole(headers, body.take()?, limit.min(MAX_FORM), text).await;
    Ok(read.map_err(Failure)?)
}

async fn read(headers: &HeaderMap, body: poem::Body, limit: usize) -> Result<Json, Error> {
    if !is_json(headers) {
        return Ok(Json::Object(Map::new()));
    }
    whole(headers, body, limit, parse).await
}

/// Reads a body to its end and makes something of it.
async fn whole<T>(
    headers: &HeaderMap,
    body: poem::Body,
    limit: usize,
    parse: impl FnOnce(&[u8]) -> Result<T, Error>,
) -> Result<T, Error> {
    if announced(headers).is_some_and(|length| length > limit) {
        // Who asks before sending is told without sending.
        if !headers.contains_key(header::EXPECT) {
            discard(body.into_bytes_stream()).await;
        }
        return Err(too_large());
    }
    let mut chunks = std::pin::pin!(body.into_bytes_stream());
    let first = match chunks.next().await {
        None => return parse(&[]),
        Some(chunk) => chunk.map_err(interrupted)?,
    };
    let Some(second) = chunks.next().await else {
        return if first.len() > limit {
            Err(too_large())
        } else {
            parse(&first)
        };
    };
    let mut bytes = Vec::from(first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        let chunk = chunk.map_err(interrupted)?;
        if bytes.len() + chunk.len() > limit {
            discard(chunks).await;
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
        next = chunks.next().await;
    }
    parse(&bytes)
}

/// A body of no declared type counts as JSON, one of another type as none.
fn is_json(headers: &HeaderMap) -> bool {
    is_type(headers, b"") || is_type(headers, b"application/json")
}

/// Whether a body is said to be of a type, whatever parameters follow; no type is an empty one.
fn is_type(headers: &HeaderMap, wanted: &[u8]) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value.map(HeaderValue::as_bytes).unwrap_or_default();
    let kind = value.split(|byte| *byte == b';').next();
    let kind = kind.unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(wanted)
}

/// The length that the client says the body has.
fn announced(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn parse(bytes: &[u8]) -> Result<Json, Error> {
    if bytes.is_empty() {
        return Ok(Json::Object(Map::new()));
    }
    // The parser says where and why, never what stands there.
    serde_json::from_slice(bytes).map_err(Error::invalid_payload)
}

fn too_large() -> Error {
    Error::invalid_payload("request entity too large")
}

fn interrupted(cause: std::io::Error) -> Error {
    Error::invalid_payload("the body ended early").because(cause)
}

/// A body that was not read yet, for what decides first whether it wants it.
pub(crate) struct Unread {
    pub(crate) content_type: String,
    /// The length that the client says it has.
    pub(crate) announced: Option<usize>,
    pub(crate) chunks: Chunks,
    /// Whether the client asks before it sends.
    asks: bool,
}

/// What comes in of a body.
pub(crate) type Chunks = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

impl Unread {
    pub(crate) fn of(request: &Request, body: &mut RequestBody) -> Result<Self> {
        let headers = request.headers();
        let content_type = request.header(header::CONTENT_TYPE);
        Ok(Self {
            content_type: content_type.unwrap_or_default().to_owned(),
            announced: announced(headers),
            chunks: Box::pin(body.take()?.into_bytes_stream()),
            asks: headers.contains_key(header::EXPECT),
        })
    }

    /// Reads what is still coming and throws it away, so that the client sees the answer. Who asks
    /// before sending is told without sending.
    pub(crate) async fn discard(self) {
        if !self.asks {
            discard(self.chunks).await;
        }
    }

    /// What was made of it; where that failed, the rest is read too.
    pub(crate) async fn settle<T>(self, read: Result<T, Error>) -> Result<T, Failure> {
        if read.is_err() {
            self.discard().await;
        }
        read.map_err(Failure)
    }
}

/// Reads the rest of a body and throws it away, within limits.
async fn discard<C: AsRef<[u8]>, E>(chunks: impl Stream<Item = Result<C, E>>) {
    let mut chunks = std::pin::pin!(chunks);
    let drained = async {
        let mut read = 0;
        while let Some(Ok(chunk)) = chunks.next().await {
            read += chunk.as_ref().len();
            if read > MAX_DISCARDED {
                return;
            }
        }
    };
    // Late or not, the answer is the same.
    let _ = tokio::time::timeout(DISCARD_TIME, drained).await;
}

#[cfg(test)]
mod tests;
