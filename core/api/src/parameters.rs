//! The parameters of the query language: what operations take, and what the document says.

use std::marker::PhantomData;
use std::ops::Deref;

use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use roster_domain::query::Parameters;
use serde_json::{Value as Json, json};

use crate::envelope::inline;
use crate::error::Failure;
use crate::query;

/// What the framework's macro calls the first parameter of a path.
pub(crate) const FIRST_IN_PATH: &str = "param0";

/// What it calls the second one.
pub(crate) const SECOND_IN_PATH: &str = "param1";

/// The parameters of a request. `S` says which of them the document names.
pub(crate) struct Query<S>(Parameters, PhantomData<fn() -> S>);

/// A list is asked for.
pub(crate) struct Page;

/// A single record is asked for, be it read or just written.
pub(crate) struct Single;

/// A picture is asked for.
pub(crate) struct Transformed;

/// A file is taken in.
pub(crate) struct Import;

/// Which parameters matter.
pub(crate) trait Scope {
    /// What stands in the place of the parameters until [`expand`] puts them there.
    const PLACEHOLDER: &'static str;
    /// Which of [`components`] they are.
    const PARAMETERS: &'static [&'static str];
}

impl Scope for Page {
    const PLACEHOLDER: &'static str = "(page)";
    const PARAMETERS: &'static [&'static str] = &[
        "Fields",
        "Filter",
        "Search",
        "Sort",
        "Limit",
        "Offset",
        "Page",
        "Meta",
        "Aggregate",
        "GroupBy",
        "Alias",
        "Deep",
        "Export",
    ];
}

impl Scope for Single {
    const PLACEHOLDER: &'static str = "(single)";
    const PARAMETERS: &'static [&'static str] = &["Fields", "Filter", "Alias", "Deep"];
}

impl Scope for Transformed {
    const PLACEHOLDER: &'static str = "(transformed)";
    const PARAMETERS: &'static [&'static str] = &["Width", "Height", "Fit", "Download"];
}

impl Scope for Import {
    const PLACEHOLDER: &'static str = "(import)";
    const PARAMETERS: &'static [&'static str] = &[
        "Allow",
        "Existing",
        "DryRun",
        "OnError",
        "FirstRow",
        "Batch",
        "Delimiter",
    ];
}

impl<S> Deref for Query<S> {
    type Target = Parameters;

    fn deref(&self) -> &Parameters {
        &self.0
    }
}

impl<'a, S: Scope> ApiExtractor<'a> for Query<S> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(inline(MetaSchema {
            title: Some(S::PLACEHOLDER.to_owned()),
            ..MetaSchema::ANY
        }))
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let query = request.uri().query().unwrap_or_default();
        Ok(Self(query::parse(query).map_err(Failure)?, PhantomData))
    }
}

/// The second name in a path, whatever it looks like.
pub(crate) struct Second<'a>(&'a str);

impl Deref for Second<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl<'a> ApiExtractor<'a> for Second<'a> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = true;

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Path)
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
            request.raw_path_param(SECOND_IN_PATH).unwrap_or_default(),
        ))
    }
}

/// The id in a path, whatever it looks like: only the engine says what exists.
pub(crate) struct Id<'a>(&'a str);

impl Deref for Id<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl<'a> ApiExtractor<'a> for Id<'a> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = true;

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Path)
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
            request.raw_path_param(FIRST_IN_PATH).unwrap_or_default(),
        ))
    }
}

/// A text of the query string, by the name of the parameter.
pub(crate) struct Text<const REQUIRED: bool = false>(Option<String>);

impl<const REQUIRED: bool> Text<REQUIRED> {
    /// The text, if it is there.
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Whether it is there and does not say no.
    pub(crate) fn is_set(&self) -> bool {
        self.get()
            .is_some_and(|text| !["false", "0"].contains(&text))
    }
}

impl<'a, const REQUIRED: bool> ApiExtractor<'a> for Text<REQUIRED> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = REQUIRED;

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(inline(MetaSchema::new("string")))
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let query = request.uri().query().unwrap_or_default();
        let text = query::first(query, options.name).map_err(Failure)?;
        Ok(Self(text.map(std::borrow::Cow::into_owned)))
    }
}

/// Puts references to [`components`] in the place of the placeholders of an operation.
pub(crate) fn expand(parameters: &mut Vec<Json>) {
    let given = std::mem::take(parameters);
    for parameter in given {
        let names = match parameter["schema"]["title"].as_str() {
            Some(Page::PLACEHOLDER) => Page::PARAMETERS,
            Some(Single::PLACEHOLDER) => Single::PARAMETERS,
            Some(Transformed::PLACEHOLDER) => Transformed::PARAMETERS,
            Some(Import::PLACEHOLDER) => Import::PARAMETERS,
            _ => {
                parameters.push(parameter);
                continue;
            }
        };
        let reference = |name| json!({"$ref": format!("#/components/parameters/{name}")});
        parameters.extend(names.iter().map(reference));
    }
}

/// `components.parameters` of the document.
pub(crate) fn components() -> Json {
    let parameter = |name, schema: Json, description| {
        let list = schema["type"] == "array";
        let mut parameter = json!({"name": name, "in": "query", "description": description});
        if matches!(name, "filter" | "aggregate" | "alias" | "deep") {
            parameter["content"] = json!({"application/json": {"schema": schema}});
            return parameter;
        }
        parameter["schema"] = schema;
        if list {
            // Commas, as in `fields=id,email`; a repeated `fields[]=id` does as well.
            parameter["style"] = "form".into();
            parameter["explode"] = false.into();
        }
        parameter
    };
    let names = json!({"type": "array", "items": {"type": "string"}});
    let counts = json!({
        "type": "array",
        "items": {"type": "string", "enum": ["total_count", "filter_count", "*"]},
    });
    let side = || json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": 2048});
    let whole = |least: i64| json!({"type": "integer", "format": "int64", "minimum": least});
    let words = |words: &[&str]| json!({"type": "string", "enum": words});
    json!({
        "Fields": parameter("fields", names.clone(), "Which fields to send; `*`, the default, for all the caller may read."),
        "Filter": parameter("filter", json!({"type": "object", "additionalProperties": true}), "Which records: JSON such as `{\"status\":{\"_eq\":\"active\"}}`, with `_and` and `_or` around lists of such. Brackets do as well: `filter[status][_eq]=active`."),
        "Sort": parameter("sort", names.clone(), "In which order; a leading `-` turns a field around."),
        "Limit": parameter("limit", whole(-1), "How many records at most; `-1` for as many as the server allows."),
        "Offset": parameter("offset", whole(0), "How many records to leave out at the start; ignored beside `page`."),
        "Page": parameter("page", whole(0), "Which page of `limit` records; `1` is the first."),
        "Search": parameter("search", json!({"type": "string"}), "Text that one of the searchable fields holds, in either case."),
        "Aggregate": parameter("aggregate", json!({"type": "object", "additionalProperties": true}), "What to say of the records instead of sending them: `{\"count\":[\"id\"]}` with `count`, `countDistinct`, `sum`, `sumDistinct`, `avg`, `avgDistinct`, `min` or `max`."),
        "GroupBy": parameter("groupBy", names.clone(), "By which fields, or functions of dates, to group the records; with or without `aggregate`."),
        "Alias": parameter("alias", json!({"type": "object", "additionalProperties": {"type": "string"}}), "Other names for relations: `{\"team\":\"role\"}`."),
        "Deep": parameter("deep", json!({"type": "object", "additionalProperties": true}), "Parameters for related records, each with an underscore before it: `{\"users\":{\"_limit\":3}}`."),
        "Export": parameter("export", json!({"type": "string", "enum": ["csv", "csv_utf8", "json", "xml", "yaml"]}), "Send the records as a file of this format."),
        "Width": parameter("width", side(), "How wide the picture is to be, in pixels."),
        "Height": parameter("height", side(), "How high the picture is to be, in pixels."),
        "Fit": parameter("fit", json!({"type": "string", "enum": ["cover", "contain", "inside", "outside"]}), "How the picture is put into `width` and `height`: `cover`, the default, cuts it off, `contain` leaves room around it, `inside` makes it as large as fits, `outside` as small as covers them."),
        "Download": parameter("download", json!({"type": "string"}), "Whether the picture is to be saved; the name alone is enough."),
        "Allow": parameter("allow", names.clone(), "Fields that a file sets only where they are named here: `id`, `status`, `role`, `policies`, `provider`, `external_identifier`, `token`."),
        "Existing": parameter("existing", words(&["reject", "skip", "update"]), "What is done with a row whose user is there, by id or e-mail: refused (the default), left out, or the user changed."),
        "DryRun": parameter("dry_run", json!({"type": "boolean"}), "Try every row, hooks included, and store nothing."),
        "OnError": parameter("on_error", words(&["stop", "skip"]), "Whether a refused row ends the import (the default) or is left behind. The rows before it stay."),
        "FirstRow": parameter("first_row", whole(1), "The row to begin with, to go on after an import that ended: its `next_row`."),
        "Batch": parameter("batch", json!({"type": "integer", "minimum": 1, "maximum": 1000}), "How many rows are written in one transaction; 100 unless given."),
        "Delimiter": parameter("delimiter", words(&[",", ";", "\t", "|"]), "What stands between the values of a CSV file."),
        "Meta": parameter("meta", counts, "Which counts to send beside the records."),
    })
}
