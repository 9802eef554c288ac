//! Answers that send the browser on.

use poem::Response;
use poem::http::{HeaderValue, StatusCode, header};
use poem_openapi::registry::{MetaHeader, MetaResponse};
use poem_openapi::types::Type;

/// An answer that sends the browser there.
pub(crate) fn to(status: StatusCode, url: String) -> Response {
    let mut response = Response::default();
    response.set_status(status);
    if let Ok(place) = HeaderValue::try_from(url) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// How the document tells of such an answer.
pub(crate) fn meta(status: StatusCode, description: &'static str) -> MetaResponse {
    MetaResponse {
        description,
        status: Some(status.as_u16()),
        status_range: None,
        content: Vec::new(),
        headers: vec![MetaHeader {
            name: "Location".to_owned(),
            description: Some("Where to.".to_owned()),
            required: true,
            deprecated: false,
            schema: String::schema_ref(),
        }],
    }
}
