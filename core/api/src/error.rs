//! Errors on the wire: the one place that turns them into answers and logs their causes.

use std::error::Error as StdError;
use std::fmt;

use poem::error::ResponseError;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Object};
use roster_domain::{Code, Error, Problem};
use roster_engine::trace;
use serde::Serialize;
use tracing::Span;

use crate::envelope;
use crate::request_id::RequestId;

/// Why a request was refused or failed.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) Error);

/// What every refusal looks like.
#[derive(Debug, Object)]
pub(crate) struct Errors {
    /// What is wrong, at least one problem.
    #[oai(validator(min_items = 1))]
    errors: Vec<ErrorItem>,
}

/// One problem.
#[derive(Debug, Object)]
#[oai(rename = "Error")]
pub(crate) struct ErrorItem {
    /// A sentence for people.
    message: String,
    /// Facts for programs.
    extensions: ErrorExtensions,
}

/// Facts about a problem; beside the code there may be others, such as the field.
#[derive(Debug, Object)]
pub(crate) struct ErrorExtensions {
    /// What kind of problem it is.
    code: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

impl ResponseError for Failure {
    fn status(&self) -> StatusCode {
        status(&self.0)
    }

    fn as_response(&self) -> Response {
        answer(&self.0)
    }
}

impl ApiResponse for Failure {
    fn meta() -> MetaResponses {
        let refusal = |range: &str, description| MetaResponse {
            description,
            status: None,
            status_range: Some(range.to_owned()),
            content: vec![MetaMediaType {
                content_type: envelope::JSON_TYPE,
                schema: Errors::schema_ref(),
            }],
            headers: Vec::new(),
        };
        MetaResponses {
            responses: vec![
                refusal(
                    "4XX",
                    "Refused: what the request asks for is wrong or not allowed.",
                ),
                refusal("5XX", "Failed: the server could not do it."),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        Errors::register(registry);
    }
}

/// The answer to a request that failed in any way, the framework's ways included. Logs the cause.
pub(crate) fn respond(error: poem::Error, path: &str, id: &RequestId) -> Response {
    report(&understand(error, path), id)
}

/// What a request failed by, whether it was refused by us or by the framework.
pub(crate) fn understand(error: poem::Error, path: &str) -> Error {
    match error.downcast::<Failure>() {
        Ok(failure) if *failure.0.code() == Code::RouteNotFound => route_not_found(path),
        Ok(failure) => failure.0,
        Err(error) => translate(error, path),
    }
}

/// Logs an error with its cause and renders it.
pub(crate) fn report(error: &Error, id: &RequestId) -> Response {
    log(error, id);
    answer(error)
}

/// Logs an error with its cause.
pub(crate) fn log(error: &Error, id: &RequestId) {
    let code = error.code();
    let cause = error.cause().map(Chain).map(tracing::field::display);
    if error.status() >= 500 {
        let trace_id = trace::id(&Span::current()).map(tracing::field::display);
        tracing::error!(request_id = %id, code = %code.as_str(), cause, trace_id, "request failed");
    } else {
        tracing::debug!(request_id = %id, code = %code.as_str(), cause, "request refused");
    }
}

/// There is no such route.
pub(crate) fn route_not_found(path: &str) -> Error {
    Problem::new(Code::RouteNotFound)
        .saying(format!("Route {path} doesn't exist."))
        .with("path", path)
        .into()
}

fn translate(error: poem::Error, path: &str) -> Error {
    match error.status().as_u16() {
        404 | 405 => route_not_found(path),
        401 | 403 => Error::forbidden().because(error),
        400..500 => Error::from(Code::InvalidPayload).because(error),
        _ => Error::internal(error),
    }
}

pub(crate) fn status(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn answer(error: &Error) -> Response {
    let body = serde_json::to_vec(&Envelope {
        errors: error.problems(),
    });
    let mut response = envelope::json(body.unwrap_or_default()).into_response();
    response.set_status(status(error));
    if let Some(wait) = wait(error) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, wait.into());
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        let bearer = HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, bearer);
    }
    response
}

/// For how many seconds a client has to wait, if that is what is wrong.
pub(crate) fn wait(error: &Error) -> Option<i64> {
    let mut problems = error.problems().iter();
    problems.find_map(|problem| problem.extensions.get("retry_after")?.as_i64())
}

#[derive(Serialize)]
struct Envelope<'a> {
    errors: &'a [Problem],
}

/// An error with what caused it, on one line.
struct Chain<'a>(&'a (dyn StdError + Send + Sync + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(next) = cause {
            write!(f, ": {next}")?;
            cause = next.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
