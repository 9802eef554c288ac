//! What is told about every request: its id, a log line, two metrics, a span.

use std::sync::Arc;
use std::time::{Duration, Instant};

use poem::http::{Method, StatusCode, Uri};
use poem::{Endpoint, IntoResponse, Request, Response, Result};
use roster_domain::UserId;
use roster_engine::trace;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::request_id::{self, RequestId};

/// The pattern of the route that answered, as in the document. Set on the answer.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(pub(crate) Arc<str>);

/// How much of a path a span tells, in bytes: clients can send long ones, and spans wait in memory.
const MAX_PATH: usize = 256;

/// Gives every request an id and a span, and logs and counts it when it is answered.
///
/// Log lines have the target `roster_api::request`, so that they can be turned off alone.
pub(crate) struct Observe<E> {
    /// What is asked next.
    pub(crate) inner: E,
}

impl<E: Endpoint> Endpoint for Observe<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let started = Instant::now();
        let method = request.method().clone();
        let uri = request.uri().clone();
        let id = RequestId::of(request.headers());
        request.set_data(id.clone());
        let span = span(&request);

        let answer = self.inner.call(request).instrument(span.clone());
        let mut response = answer.await?.into_response();

        response
            .headers_mut()
            .insert(request_id::HEADER, id.header().clone());
        if method == Method::HEAD {
            response.set_body(());
        }
        let took = started.elapsed();
        log(&method, &uri, &id, &span, &response, took);
        count(&method, &response, took);
        note(&span, label(&method), &response);
        Ok(response)
    }
}

/// The span of a request: what the log line says of it, in the names of the semantic conventions.
/// The query string is left out, as it may hold a token.
fn span(request: &Request) -> Span {
    let method = label(request.method());
    let path = request.uri().path();
    let span = tracing::info_span!(
        target: trace::TARGET,
        "request",
        otel.name = name(method),
        otel.kind = "server",
        http.request.method = if method == OTHER { "_OTHER" } else { method },
        http.route = Empty,
        url.path = &path[..path.floor_char_boundary(MAX_PATH)],
        url.scheme = request.scheme().as_str(),
        http.response.status_code = Empty,
        enduser.id = Empty,
        "error.type" = Empty,
        otel.status_code = Empty,
    );
    if !span.is_disabled() {
        let parent = only(request, "traceparent");
        trace::follow(&span, parent, only(request, "tracestate"));
    }
    span
}

/// What the name of a span begins with.
fn name(method: &'static str) -> &'static str {
    if method == OTHER { "HTTP" } else { method }
}

/// The value of a header that is sent once.
fn only<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let mut values = request.headers().get_all(name).iter();
    let value = values.next()?;
    value.to_str().ok().filter(|_| values.next().is_none())
}

/// Says of a request what is known when it was answered.
fn note(span: &Span, method: &'static str, response: &Response) {
    if span.is_disabled() {
        return;
    }
    if let Some(Pattern(route)) = response.data::<Pattern>() {
        span.record("http.route", &**route);
        trace::rename(span, format!("{} {route}", name(method)));
    }
    if let Some(user) = response.data::<UserId>() {
        span.record("enduser.id", tracing::field::display(user));
    }
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        trace::fail(span, status.as_str());
    }
}

fn log(
    method: &Method,
    uri: &Uri,
    id: &RequestId,
    span: &Span,
    response: &Response,
    took: Duration,
) {
    tracing::info!(
        target: "roster_api::request",
        method = method.as_str(),
        path = uri.path(),
        status = response.status().as_u16(),
        ms = (took.as_secs_f64() * 1e5).round() / 1e2,
        request_id = id.as_str(),
        user = response.data::<UserId>().map(tracing::field::display),
        trace_id = trace::id(span).map(tracing::field::display),
        "request"
    );
}

fn count(method: &Method, response: &Response, took: Duration) {
    let method = label(method);
    let route = match response.data::<Pattern>() {
        Some(Pattern(pattern)) => metrics::SharedString::from(Arc::clone(pattern)),
        None => metrics::SharedString::const_str("unmatched"),
    };
    metrics::counter!(
        "roster_http_requests_total",
        "method" => method,
        "route" => route.clone(),
        "status" => status(response.status()),
    )
    .increment(1);
    metrics::histogram!(
        "roster_http_request_duration_seconds",
        "method" => method,
        "route" => route,
    )
    .record(took);
}

/// The label of methods that we do not know.
const OTHER: &str = "other";

/// Methods as labels: clients can make up any number of others.
fn label(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = [
        "GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "SEARCH",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or(OTHER)
}

fn status(status: StatusCode) -> metrics::SharedString {
    match status.as_u16() {
        200 => "200".into(),
        204 => "204".into(),
        400 => "400".into(),
        401 => "401".into(),
        403 => "403".into(),
        404 => "404".into(),
        _ => status.as_str().to_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use poem::endpoint::make_sync;

    use super::*;

    #[tokio::test]
    async fn the_answer_carries_the_id_of_the_request() {
        let observed = Observe {
            inner: make_sync(|request: Request| {
                request
                    .data::<RequestId>()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            }),
        };
        let request = Request::builder().header("X-Request-Id", "abc-1").finish();

        let mut response = observed.call(request).await.unwrap();

        assert_eq!(response.headers()["X-Request-Id"], "abc-1");
        assert_eq!(response.take_body().into_string().await.unwrap(), "abc-1");
    }

    #[test]
    fn methods_that_clients_make_up_share_a_label() {
        assert_eq!(label(&Method::PATCH), "PATCH");
        assert_eq!(label(&Method::from_bytes(b"SEARCH").unwrap()), "SEARCH");
        assert_eq!(label(&Method::from_bytes(b"BREW").unwrap()), "other");
    }
}
