//! What is told about every request: its id, a log line, two metrics.

use std::sync::Arc;
use std::time::{Duration, Instant};

use poem::http::{Method, StatusCode, Uri};
use poem::{Endpoint, IntoResponse, Request, Response, Result};
use roster_domain::UserId;

use crate::request_id::{self, RequestId};

/// The pattern of the route that answered, as in the document. Set on the answer.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(pub(crate) Arc<str>);

/// Gives every request an id, and logs and counts it when it is answered.
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

        let mut response = self.inner.call(request).await?.into_response();

        response
            .headers_mut()
            .insert(request_id::HEADER, id.header().clone());
        if method == Method::HEAD {
            response.set_body(());
        }
        let took = started.elapsed();
        log(&method, &uri, &id, &response, took);
        count(&method, &response, took);
        Ok(response)
    }
}

fn log(method: &Method, uri: &Uri, id: &RequestId, response: &Response, took: Duration) {
    tracing::info!(
        target: "roster_api::request",
        method = method.as_str(),
        path = uri.path(),
        status = response.status().as_u16(),
        ms = (took.as_secs_f64() * 1e5).round() / 1e2,
        request_id = id.as_str(),
        user = response.data::<UserId>().map(tracing::field::display),
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

/// Methods as labels: clients can make up any number of others.
fn label(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = [
        "GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "SEARCH",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other")
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
