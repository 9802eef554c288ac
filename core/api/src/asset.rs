//! The content of a file as an answer.

use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Request, RequestBody, Response, Result};
use poem_openapi::registry::{
    MetaMediaType, MetaParamIn, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::{ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions};
use roster_engine::Asset;

use crate::envelope::{inline, with_type};

/// A picture: 200 with its bytes, or 304 where the client has them.
pub(crate) struct Picture {
    asset: Asset,
    disposition: &'static str,
}

impl Picture {
    /// Sends a picture to be shown, or to be saved.
    pub(crate) const fn new(asset: Asset, is_saved: bool) -> Self {
        let disposition = if is_saved { "attachment" } else { "inline" };
        Self { asset, disposition }
    }
}

impl IntoResponse for Picture {
    fn into_response(self) -> Response {
        let Self { asset, disposition } = self;
        let etag = HeaderValue::from_str(&asset.etag);
        let mut response = match asset.content {
            None => Response::from(StatusCode::NOT_MODIFIED),
            Some(content) => {
                let kind = HeaderValue::from_static(asset.content_type);
                let mut response = with_type(kind, content.to_vec());
                if let Ok(value) = HeaderValue::from_str(&named(disposition, &asset.name)) {
                    response
                        .headers_mut()
                        .insert(header::CONTENT_DISPOSITION, value);
                }
                response
            }
        };
        if let Ok(etag) = etag {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }
}

/// `inline; filename="…"; filename*=UTF-8''…` (RFC 6266 §4, RFC 8187 §3.2).
fn named(disposition: &str, name: &str) -> String {
    use std::fmt::Write;

    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    let plain: String = name
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    let mut value = format!("{disposition}; filename=\"{plain}\"");
    if plain != name {
        value.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            let c = char::from(byte);
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') {
                value.push(c);
            } else {
                // Writing into a string does not fail.
                let _ = write!(value, "%{byte:02X}");
            }
        }
    }
    value
}

impl ApiResponse for Picture {
    fn meta() -> MetaResponses {
        let media = |content_type| MetaMediaType {
            content_type,
            schema: inline(MetaSchema::new_with_format("string", "binary")),
        };
        let kinds = ["image/png", "image/jpeg", "image/gif", "image/webp"];
        let answer = |status, description, content| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content,
            headers: Vec::new(),
        };
        MetaResponses {
            responses: vec![
                answer(200, "The image.", kinds.into_iter().map(media).collect()),
                answer(304, "The client has it already.", Vec::new()),
            ],
        }
    }

    fn register(_: &mut Registry) {}
}

/// `If-None-Match`: what the client has.
pub(crate) struct IfNoneMatch(Option<String>);

impl IfNoneMatch {
    pub(crate) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<'a> ApiExtractor<'a> for IfNoneMatch {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(inline(MetaSchema::new("string")))
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        Ok(Self(
            request.header(header::IF_NONE_MATCH).map(ToOwned::to_owned),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place() {
        assert_eq!(named("inline", "a b.png"), "inline; filename=\"a b.png\"");
        assert_eq!(
            named("attachment", "\u{e9}\".png"),
            "attachment; filename=\"__.png\"; filename*=UTF-8''%C3%A9%22.png"
        );
    }
}
