//! Forms with a file: `multipart/form-data`, bounded, and read only once the caller may send one.

use multer::{Constraints, Field, Multipart, SizeLimit};
use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use roster_domain::{Code, Error, Problem};
use roster_engine::Upload;
use serde_json::Value as Json;

use crate::body::{Chunks, Unread};
use crate::envelope::inline;
use crate::error::Failure;

/// How many parts a form has at most.
const MOST_PARTS: usize = 32;
/// How much there may be beside the file, in bytes.
const MOST_BESIDE: usize = 64 * 1024;

/// A form that was not read yet.
pub(crate) struct Form(Unread);

impl<'a> ApiExtractor<'a> for Form {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let text = || inline(MetaSchema::new("string"));
        let form = MetaSchema {
            required: vec!["file"],
            properties: vec![
                ("title", text()),
                ("description", text()),
                ("filename_download", text()),
                (
                    "file",
                    inline(MetaSchema::new_with_format("string", "binary")),
                ),
            ],
            ..MetaSchema::new("object")
        };
        Some(MetaRequest {
            description: None,
            content: vec![MetaMediaType {
                content_type: "multipart/form-data",
                schema: inline(form),
            }],
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        Unread::of(request, body).map(Self)
    }
}

impl Form {
    /// See [`Unread::discard`].
    pub(crate) async fn discard(self) {
        self.0.discard().await;
    }

    /// The file in the form, of so many bytes at most, with the fields beside it.
    ///
    /// # Errors
    /// `UNSUPPORTED_MEDIA_TYPE` where it is no form, `CONTENT_TOO_LARGE`, `INVALID_PAYLOAD`.
    pub(crate) async fn read(self, largest: usize) -> Result<Upload, Failure> {
        let mut body = self.0;
        let whole = largest.saturating_add(MOST_BESIDE);
        let read = match multer::parse_boundary(&body.content_type) {
            Ok(_) if body.announced.is_some_and(|length| length > whole) => Err(too_large(largest)),
            Ok(boundary) => parts(&mut body.chunks, boundary, largest, whole).await,
            Err(_) => Err(Problem::new(Code::UnsupportedMediaType)
                .saying("Unsupported media type. Expected multipart/form-data.")
                .into()),
        };
        body.settle(read).await
    }
}

async fn parts(
    chunks: &mut Chunks,
    boundary: String,
    largest: usize,
    whole: usize,
) -> Result<Upload, Error> {
    let limit = SizeLimit::new().whole_stream(u64::try_from(whole).unwrap_or(u64::MAX));
    let constraints = Constraints::new().size_limit(limit);
    let mut form = Multipart::with_constraints(chunks, boundary, constraints);
    let refused = |error| refused(error, largest);
    let (mut upload, mut has_file) = (Upload::default(), false);
    for _ in 0..MOST_PARTS {
        let Some(part) = form.next_field().await.map_err(refused)? else {
            return has_file
                .then_some(upload)
                .ok_or_else(|| Error::invalid_payload("the form has no file"));
        };
        if let Some(name) = part.file_name().map(ToOwned::to_owned) {
            if has_file {
                return Err(Error::invalid_payload("the form has more than one file"));
            }
            has_file = true;
            upload.name = Some(name);
            upload.content = bytes(part, largest, || too_large(largest)).await?;
            continue;
        }
        let name = part.name().unwrap_or_default().to_owned();
        let beside = || Error::invalid_payload("a part of the form is too large");
        let text = String::from_utf8(bytes(part, MOST_BESIDE, beside).await?)
            .ok()
            .filter(|text| !text.contains('\0'));
        let text = text.ok_or_else(|| {
            Error::invalid_payload(format!("field `{name}`: expected text in UTF-8"))
        })?;
        upload.fields.insert(name, Json::String(text));
    }
    Err(Error::invalid_payload(format!(
        "the form has more than {MOST_PARTS} parts"
    )))
}

/// The bytes of a part, so many at most.
async fn bytes(
    mut part: Field<'_>,
    most: usize,
    too_large: impl Fn() -> Error,
) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(|error| refused(error, most))? {
        if bytes.len() + chunk.len() > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn refused(error: multer::Error, largest: usize) -> Error {
    match error {
        multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } => {
            too_large(largest)
        }
        error => Error::invalid_payload("the form cannot be read").because(error),
    }
}

fn too_large(largest: usize) -> Error {
    Problem::new(Code::ContentTooLarge)
        .saying(format!(
            "Uploaded content is too large. At most {largest} bytes are allowed."
        ))
        .with("max_size", largest)
        .into()
}
