//! Lists, and the same lists as files: `export=csv|csv_utf8|json|xml|yaml` (contract/query.md §8).
//!
//! A file is written while it is read, some hundred records at a time.

mod write;

use futures_util::stream;
use poem::http::{HeaderValue, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::types::Type;
use roster_domain::query::Parameters;
use roster_domain::{Collection, Error};
use roster_engine::{Context, Engine, Items};
use serde_json::Value as Json;

use self::write::{flat, flat_along, line, tabbed, xml, yaml_item};
use crate::envelope::{Many, with_type};
use crate::error::Failure;

/// How many records are read at a time.
const CHUNK: u64 = 500;

/// A list in its envelope, or as a file.
pub(crate) enum Listed<S> {
    /// In its envelope.
    Page(Many<S>),
    /// As a file.
    File(Response),
}

impl<S> Listed<S> {
    /// The records that parameters ask for, in the form they ask for.
    pub(crate) async fn answer(
        engine: &Engine,
        context: &Context,
        collection: Collection,
        parameters: &Parameters,
    ) -> Result<Self, Failure> {
        let asked = parameters
            .get("export")
            .filter(|json| !json.is_null() && json.as_str() != Some(""));
        let Some(asked) = asked else {
            return Many::of(&engine.list(context, collection, parameters).await?).map(Self::Page);
        };
        let format = asked.as_str().and_then(Format::parse).ok_or_else(|| {
            Error::invalid_query("\"export\" must be one of [csv, csv_utf8, json, xml, yaml]")
        })?;
        let outline = engine.outline(context, collection, parameters).await?;
        let export = Export {
            engine: engine.clone(),
            context: context.clone(),
            collection,
            parameters: parameters.clone(),
            format,
            columns: outline.columns,
            from: 0,
            left: outline.limit,
            first: outline.offset,
            state: State::Begin,
        };
        export.answer().await.map(Self::File)
    }
}

impl<S> IntoResponse for Listed<S> {
    fn into_response(self) -> Response {
        match self {
            Self::Page(page) => page.into_response(),
            Self::File(response) => response,
        }
    }
}

impl<S: Type> ApiResponse for Listed<S> {
    fn meta() -> MetaResponses {
        Many::<S>::meta()
    }

    fn register(registry: &mut Registry) {
        Many::<S>::register(registry);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    CsvUtf8,
    Json,
    Xml,
    Yaml,
}

impl Format {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "csv" => Self::Csv,
            "csv_utf8" => Self::CsvUtf8,
            "json" => Self::Json,
            "xml" => Self::Xml,
            "yaml" => Self::Yaml,
            _ => return None,
        })
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Csv | Self::CsvUtf8 => "text/csv; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::Xml => "text/xml; charset=utf-8",
            Self::Yaml => "text/yaml; charset=utf-8",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Csv | Self::CsvUtf8 => "csv",
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Yaml => "yaml",
        }
    }
}

#[derive(PartialEq, Eq)]
enum State {
    Begin,
    Middle,
    End,
}

struct Export {
    engine: Engine,
    context: Context,
    collection: Collection,
    parameters: Parameters,
    format: Format,
    columns: Vec<String>,
    from: u64,
    left: Option<u64>,
    first: u64,
    state: State,
}

impl Export {
    async fn answer(mut self) -> Result<Response, Failure> {
        let format = self.format;
        let name = format!(
            "{} {}.{}",
            self.collection.as_str(),
            self.context.now.format("%Y%m%d-%-H%M%S"),
            format.extension()
        );
        // What is wrong is found before anything is sent.
        let begin = self.next().await?.unwrap_or_default();
        let rest = stream::unfold(Some(self), |export| async move {
            let mut export = export?;
            match export.next().await {
                Ok(Some(text)) => Some((Ok(text), Some(export))),
                Ok(None) => None,
                // The connection breaks, so that half a file is not taken for a whole one.
                Err(error) => {
                    tracing::error!(error = %error.0, "export ended early");
                    Some((Err(std::io::Error::other("the export ended early")), None))
                }
            }
        });
        let begin = stream::once(async move { Ok(begin) });
        let body = Body::from_bytes_stream(futures_util::StreamExt::chain(begin, rest));
        let mut response = with_type(HeaderValue::from_static(format.content_type()), body);
        let disposition = format!("attachment; filename=\"{name}\"");
        if let Ok(value) = HeaderValue::from_str(&disposition) {
            response
                .headers_mut()
                .insert(header::CONTENT_DISPOSITION, value);
        }
        Ok(response)
    }

    /// The next part of the file.
    async fn next(&mut self) -> Result<Option<String>, Failure> {
        if self.state == State::End {
            return Ok(None);
        }
        let size = self.left.map_or(CHUNK, |left| left.min(CHUNK));
        let mut parameters = self.parameters.clone();
        parameters.remove("export");
        parameters.remove("page");
        parameters.remove("meta");
        parameters.insert("limit".to_owned(), size.into());
        parameters.insert("offset".to_owned(), (self.first + self.from).into());
        let list = self
            .engine
            .list(&self.context, self.collection, &parameters)
            .await?;
        let rows: Vec<Json> = match &list.items {
            Items::Records(items) => {
                let rows = items.iter().map(serde_json::to_value);
                rows.collect::<Result<_, _>>().map_err(Error::internal)?
            }
            Items::Groups(groups) => groups.iter().cloned().map(Json::Object).collect(),
        };
        let read = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let is_first = self.state == State::Begin;
        self.from += read;
        self.left = self.left.map(|left| left.saturating_sub(read));
        let is_last = read < size || self.left == Some(0);
        self.state = if is_last { State::End } else { State::Middle };
        if is_first && self.columns.is_empty() {
            self.columns = rows
                .first()
                .map(|row| flat(row).keys().cloned().collect())
                .unwrap_or_default();
        }
        let mut text = String::new();
        self.write(&mut text, &rows, is_first, is_last);
        Ok(Some(text))
    }

    fn write(&self, text: &mut String, rows: &[Json], is_first: bool, is_last: bool) {
        match self.format {
            Format::Csv | Format::CsvUtf8 => {
                if is_first {
                    if self.format == Format::CsvUtf8 {
                        text.push('\u{feff}');
                    }
                    line(text, self.columns.iter().map(String::as_str));
                }
                for row in rows {
                    let values = flat_along(row, &self.columns);
                    line(text, values.iter().map(String::as_str));
                }
            }
            Format::Json => {
                text.push_str(if is_first { "[" } else { "" });
                for (index, row) in rows.iter().enumerate() {
                    let separator = if is_first && index == 0 {
                        "\n\t"
                    } else {
                        ",\n\t"
                    };
                    text.push_str(separator);
                    text.push_str(&tabbed(row));
                }
                text.push_str(if is_last { "\n]" } else { "" });
            }
            Format::Xml => {
                if is_first {
                    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<data>\n");
                }
                for row in rows {
                    xml(text, "data", row, 1);
                }
                text.push_str(if is_last { "</data>\n" } else { "" });
            }
            Format::Yaml => {
                if is_first && is_last && rows.is_empty() {
                    text.push_str("[]\n");
                }
                for row in rows {
                    yaml_item(text, row, 0);
                }
            }
        }
    }
}
