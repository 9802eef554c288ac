//! `POST /utils/import/:collection`: users from a file (contract/sdk.md, `utilsImport`).
//!
//! The file goes to the disk while it comes in and is read from there, so that its length costs no
//! memory.

mod answer;

use std::fs::File;
use std::io::{Seek, Write};

use futures_util::{Stream, StreamExt, stream};
use multer::{Constraints, Multipart, SizeLimit};
use poem::http::{HeaderValue, header};
use poem::{Body, IntoResponse, Request, RequestBody, Response, Result};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, OpenApi};
use roster_domain::{Code, Collection, Error, Problem};
use roster_engine::{
    Engine, ImportFormat, ImportOptions, ImportOutcome, ImportSummary, ImportedRow, Importer,
};
use serde::Serialize;
use serde_json::json;

use self::answer::Imported;
use crate::body::{Chunks, Unread};
use crate::caller::Caller;
use crate::document::Tag;
use crate::envelope::{JSON_TYPE, One, inline, with_type};
use crate::error::Failure;
use crate::parameters::{Id, Import, Query};

/// How many refused rows an answer lists; a stream lists all.
const MOST_LISTED: usize = 1_000;
const LINES: &str = "application/x-ndjson";
const CSV: ImportFormat = ImportFormat::Csv { delimiter: b',' };

/// The resource.
pub(crate) struct ImportApi {
    pub(crate) engine: Engine,
}

#[OpenApi(tag = "Tag::Utilities")]
impl ImportApi {
    /// Import users
    ///
    /// Takes users in from a CSV file with a header of field names, or from a JSON array of users:
    /// the `file` of a form, or the body itself. Each row is written as `POST /users` would, hooks
    /// and rules included. With `Accept: application/x-ndjson` every row is answered as soon as it
    /// is done, a line each, and the summary last.
    #[oai(
        path = "/utils/import/:collection",
        method = "post",
        operation_id = "importUsers"
    )]
    async fn import(
        &self,
        caller: Caller<'_>,
        query: Query<Import>,
        /// `directus_users`.
        collection: Id<'_>,
        /// The file.
        file: Incoming,
    ) -> Result<Imported, Failure> {
        let permitted = match Collection::parse(&collection) {
            Some(Collection::Users) => self.engine.permit_import(&caller),
            _ => Err(Error::forbidden_collection(&collection)),
        };
        // What can be known beforehand is said before a long file is sent.
        let checked = permitted.and_then(|()| ImportOptions::parse(&query, CSV).map(drop));
        if let Err(error) = checked {
            file.body.discard().await;
            return Err(error.into());
        }
        let streams = file.wants_lines;
        let (format, file) = file.read(self.engine.largest_import()).await?;
        let options = ImportOptions::parse(&query, format)?;
        let importer = self.engine.import(&caller, file, options)?;
        if streams {
            return Ok(Imported(lines(importer)));
        }
        report(importer).await.map(Imported)
    }
}

/// What came of a file, in one piece.
async fn report(mut importer: Importer) -> Result<Response, Failure> {
    let mut refused = Vec::new();
    let ended = loop {
        match importer.next().await {
            Ok(None) => break None,
            Ok(Some(rows)) => {
                let failed = rows
                    .into_iter()
                    .filter(|row| row.outcome == ImportOutcome::Failed);
                refused.extend(failed.take(MOST_LISTED - refused.len()));
            }
            Err(error) => break Some(error),
        }
    };
    let summary = importer.summary();
    let is_untouched = summary.created + summary.updated == 0;
    match ended {
        // Nothing came of it, so that the error is all there is to say.
        Some(error) if is_untouched => return Err(error.into()),
        Some(error) => return Err(with_summary(error, summary, None).into()),
        None => {}
    }
    // A row that ended it is the error of the request.
    if let Some(row) = summary.next_row
        && let Some(last) = refused.pop_if(|last| last.row == row)
    {
        let error = Error::of(last.problems).unwrap_or_else(|| Code::InvalidPayload.into());
        return Err(with_summary(error, summary, Some(row)).into());
    }
    One::<()>::of(&Report {
        summary,
        errors: &refused,
    })
    .map(IntoResponse::into_response)
}

/// The error, with what was taken in before it.
fn with_summary(error: Error, summary: &ImportSummary, row: Option<u64>) -> Error {
    let mut problems = error.problems().to_vec();
    for problem in &mut problems {
        problem
            .extensions
            .insert("import".to_owned(), json!(summary));
        if let Some(row) = row {
            problem.extensions.insert("row".to_owned(), row.into());
        }
    }
    Error::of(problems).unwrap_or(error)
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    summary: &'a ImportSummary,
    errors: &'a [ImportedRow],
}

/// What came of each row, as soon as it is known.
fn lines(importer: Importer) -> Response {
    let lines = stream::unfold(Some(importer), |importer| async move {
        let mut importer = importer?;
        let (text, rest) = match importer.next().await {
            Ok(Some(rows)) => (rows.iter().map(line).collect(), Some(importer)),
            Ok(None) => (line(&json!({ "import": importer.summary() })), None),
            Err(error) => {
                tracing::warn!(%error, "import ended early");
                let end = json!({ "import": importer.summary(), "errors": error.problems() });
                (line(&end), None)
            }
        };
        Some((Ok::<String, std::io::Error>(text), rest))
    });
    with_type(
        HeaderValue::from_static(LINES),
        Body::from_bytes_stream(lines),
    )
}

fn line(json: &impl Serialize) -> String {
    let mut line = serde_json::to_string(json).unwrap_or_default();
    line.push('\n');
    line
}

/// A file that was not read yet.
pub(crate) struct Incoming {
    body: Unread,
    wants_lines: bool,
}

impl<'a> ApiExtractor<'a> for Incoming {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let file = inline(MetaSchema::new_with_format("string", "binary"));
        let form = MetaSchema {
            required: vec!["file"],
            properties: vec![("file", file)],
            ..MetaSchema::new("object")
        };
        let users = MetaSchema {
            items: Some(Box::new(inline(MetaSchema::new("object")))),
            ..MetaSchema::new("array")
        };
        let content = [
            ("multipart/form-data", form),
            ("text/csv", MetaSchema::new("string")),
            (JSON_TYPE, users),
        ];
        Some(MetaRequest {
            description: None,
            content: content
                .into_iter()
                .map(|(content_type, schema)| MetaMediaType {
                    content_type,
                    schema: inline(schema),
                })
                .collect(),
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let accept = request.header(header::ACCEPT).unwrap_or_default();
        Ok(Self {
            body: Unread::of(request, body)?,
            wants_lines: accept.contains(LINES),
        })
    }
}

impl Incoming {
    /// What the file is made of, and the file.
    ///
    /// # Errors
    /// `UNSUPPORTED_MEDIA_TYPE`, `CONTENT_TOO_LARGE`, `INVALID_PAYLOAD`.
    async fn read(self, largest: u64) -> Result<(ImportFormat, File), Failure> {
        let mut body = self.body;
        let read = match multer::parse_boundary(&body.content_type) {
            Ok(boundary) => part(&mut body.chunks, boundary, largest).await,
            Err(_) => match format(&body.content_type, "") {
                Some(format) => spool(&mut body.chunks, largest, |error| {
                    Error::invalid_payload("the body ended early").because(error)
                })
                .await
                .map(|file| (format, file)),
                None => Err(unsupported()),
            },
        };
        body.settle(read).await
    }
}

/// The file in a form; parts beside it mean nothing.
async fn part(
    chunks: &mut Chunks,
    boundary: String,
    largest: u64,
) -> Result<(ImportFormat, File), Error> {
    let limit = SizeLimit::new().whole_stream(largest.saturating_add(64 * 1024));
    let constraints = Constraints::new().size_limit(limit);
    let mut form = Multipart::with_constraints(chunks, boundary, constraints);
    let unread = |error: multer::Error| match error {
        multer::Error::StreamSizeExceeded { .. } => too_large(largest),
        error => Error::invalid_payload("the form cannot be read").because(error),
    };
    while let Some(part) = form.next_field().await.map_err(unread)? {
        let Some(name) = part.file_name().map(ToOwned::to_owned) else {
            continue;
        };
        let kind = part.content_type().map(ToString::to_string);
        let format = format(&kind.unwrap_or_default(), &name).ok_or_else(unsupported)?;
        let file = spool(part, largest, unread).await?;
        return Ok((format, file));
    }
    Err(Error::invalid_payload("the form has no file"))
}

/// Puts what comes in on the disk, in a file without a name that goes when it is closed.
async fn spool<S, C, E>(chunks: S, largest: u64, unread: impl Fn(E) -> Error) -> Result<File, Error>
where
    S: Stream<Item = Result<C, E>>,
    C: AsRef<[u8]> + Send + 'static,
{
    let mut chunks = std::pin::pin!(chunks);
    let mut file = blocking(tempfile::tempfile).await?;
    let mut length = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(&unread)?;
        length += chunk.as_ref().len() as u64;
        if length > largest {
            return Err(too_large(largest));
        }
        file = blocking(move || file.write_all(chunk.as_ref()).map(|()| file)).await?;
    }
    blocking(move || file.rewind().map(|()| file)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(Error::internal)?.map_err(Error::internal)
}

/// What a file is made of, by what it is said to be or by its name.
fn format(content_type: &str, name: &str) -> Option<ImportFormat> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let extension = name.rsplit('.').next().unwrap_or_default();
    let is = |text: &str, word: &str| text.eq_ignore_ascii_case(word);
    if is(kind, "text/csv") || is(extension, "csv") {
        Some(CSV)
    } else if is(kind, JSON_TYPE) || is(extension, "json") {
        Some(ImportFormat::Json)
    } else {
        None
    }
}

fn unsupported() -> Error {
    Problem::new(Code::UnsupportedMediaType)
        .saying("Unsupported media type. Expected a file of text/csv or application/json.")
        .into()
}

fn too_large(largest: u64) -> Error {
    Problem::new(Code::ContentTooLarge)
        .saying(format!(
            "Imported file is too large. At most {largest} bytes are allowed."
        ))
        .with("max_size", largest)
        .into()
}
