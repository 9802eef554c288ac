//! `{"data": …}` around what is sent, written straight from the records into bytes.

use std::marker::PhantomData;

use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use roster_domain::{Error, Item};
use roster_engine::List;
use serde::Serialize;

use crate::error::Failure;

/// The content type of every answer that has a body, but for the few that are no JSON.
pub(crate) const JSON: &str = "application/json; charset=utf-8";
/// The same without its parameter, as the document names it.
pub(crate) const JSON_TYPE: &str = "application/json";

/// What most records fit into, in bytes.
const RECORD_SIZE: usize = 1_024;

/// One object: 200 and `{"data": {…}}`. `S` is what the document says about it.
pub(crate) struct One<S>(Vec<u8>, PhantomData<fn() -> S>);

/// A list: 200 and `{"data": […]}`, with `meta` where counts were asked for.
pub(crate) struct Many<S>(Vec<u8>, PhantomData<fn() -> S>);

/// One object, or 204 where it was written but may not be read.
pub(crate) struct Written<S>(Option<One<S>>);

/// 204: it is done, and there is nothing to say about it.
pub(crate) struct Done;

#[derive(Serialize)]
struct Data<'a, T: ?Sized> {
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Counts>,
}

#[derive(Serialize)]
struct Counts {
    #[serde(skip_serializing_if = "Option::is_none")]
    total_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_count: Option<u64>,
}

impl<S> One<S> {
    /// Wraps an object.
    pub(crate) fn of(data: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self(
            bytes(&Data { data, meta: None }, RECORD_SIZE)?,
            PhantomData,
        ))
    }
}

impl<S> Many<S> {
    /// Wraps a page of records.
    pub(crate) fn of(list: &List) -> Result<Self, Failure> {
        let List {
            total_count,
            filter_count,
            ..
        } = *list;
        let has_counts = total_count.is_some() || filter_count.is_some();
        let meta = has_counts.then_some(Counts {
            total_count,
            filter_count,
        });
        let size = RECORD_SIZE * list.items.len().clamp(1, 256);
        Ok(Self(
            bytes(
                &Data {
                    data: &list.items,
                    meta,
                },
                size,
            )?,
            PhantomData,
        ))
    }
}

impl<S> Written<S> {
    /// Wraps a record, if there is one to be shown.
    pub(crate) fn of(item: Option<&Item>) -> Result<Self, Failure> {
        item.map(One::of).transpose().map(Self)
    }
}

/// Writes JSON.
pub(crate) fn bytes(value: &impl Serialize, size: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::with_capacity(size);
    match serde_json::to_writer(&mut bytes, value) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Failure(Error::internal(error))),
    }
}

/// An answer of JSON.
pub(crate) fn json(body: Vec<u8>) -> Response {
    with_type(HeaderValue::from_static(JSON), body)
}

/// An answer of any type.
pub(crate) fn with_type(kind: HeaderValue, body: impl Into<poem::Body>) -> Response {
    let mut response = Response::default();
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.set_body(body);
    response
}

impl<S> IntoResponse for One<S> {
    fn into_response(self) -> Response {
        json(self.0)
    }
}

impl<S> IntoResponse for Many<S> {
    fn into_response(self) -> Response {
        json(self.0)
    }
}

impl<S> IntoResponse for Written<S> {
    fn into_response(self) -> Response {
        match self.0 {
            Some(one) => one.into_response(),
            None => Done.into_response(),
        }
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        response.set_status(StatusCode::NO_CONTENT);
        response
    }
}

impl<S: Type> ApiResponse for One<S> {
    fn meta() -> MetaResponses {
        MetaResponses {
            responses: vec![success("Done.", vec![("data", S::schema_ref())])],
        }
    }

    fn register(registry: &mut Registry) {
        S::register(registry);
    }
}

impl<S: Type> ApiResponse for Many<S> {
    fn meta() -> MetaResponses {
        let list = MetaSchema {
            items: Some(Box::new(S::schema_ref())),
            ..MetaSchema::new("array")
        };
        let count = || inline(MetaSchema::new_with_format("integer", "int64"));
        let counts = MetaSchema {
            description: Some("The counts that `meta` asks for."),
            properties: vec![("total_count", count()), ("filter_count", count())],
            ..MetaSchema::new("object")
        };
        let properties = vec![("data", inline(list)), ("meta", inline(counts))];
        MetaResponses {
            responses: vec![success("A page of them.", properties)],
        }
    }

    fn register(registry: &mut Registry) {
        S::register(registry);
    }
}

impl<S: Type> ApiResponse for Written<S> {
    fn meta() -> MetaResponses {
        let mut meta = One::<S>::meta();
        let mut done = Done::meta();
        done.responses[0].description = "Done, but the caller may not read the record.";
        meta.responses.append(&mut done.responses);
        meta
    }

    fn register(registry: &mut Registry) {
        S::register(registry);
    }
}

impl ApiResponse for Done {
    fn meta() -> MetaResponses {
        MetaResponses {
            responses: vec![MetaResponse {
                description: "Done.",
                status: Some(204),
                status_range: None,
                content: Vec::new(),
                headers: Vec::new(),
            }],
        }
    }

    fn register(_: &mut Registry) {}
}

/// What the document says about a 200 of some properties, of which `data` is always there.
fn success(
    description: &'static str,
    properties: Vec<(&'static str, MetaSchemaRef)>,
) -> MetaResponse {
    let envelope = MetaSchema {
        required: vec!["data"],
        properties,
        ..MetaSchema::new("object")
    };
    plain(description, JSON_TYPE, inline(envelope))
}

/// What the document says about a 200 without an envelope.
pub(crate) fn plain(
    description: &'static str,
    content_type: &'static str,
    schema: MetaSchemaRef,
) -> MetaResponse {
    MetaResponse {
        description,
        status: Some(200),
        status_range: None,
        content: vec![MetaMediaType {
            content_type,
            schema,
        }],
        headers: Vec::new(),
    }
}

/// A schema without a name.
pub(crate) fn inline(schema: MetaSchema) -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(schema))
}

#[cfg(test)]
mod tests;
