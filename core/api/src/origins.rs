//! Browsers of other origins: only those that the operator names may read answers.

use std::collections::HashSet;
use std::sync::Arc;

use poem::http::{HeaderValue, Method, header};
use poem::middleware::{Cors, CorsEndpoint};
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};
use roster_domain::Error;

use crate::error::Failure;
use crate::request_id;

/// Tells browsers which origins may read answers; others get the same answers without being told.
///
/// The framework's middleware refuses requests of other origins outright, which would hit the
/// server's own pages and clients that are no browsers, so it sees configured origins alone.
pub(crate) struct Origins<E> {
    inner: Arc<E>,
    allowed: HashSet<HeaderValue>,
    cors: CorsEndpoint<Arc<E>>,
}

impl<E: Endpoint> Origins<E> {
    /// Allows these origins, as browsers write them; what is no header value is left out.
    pub(crate) fn new(inner: E, origins: &[String]) -> Self {
        let inner = Arc::new(inner);
        let allowed: HashSet<HeaderValue> = origins
            .iter()
            .filter_map(|origin| origin.parse().ok())
            .collect();
        let cors = Cors::new()
            .allow_origins(allowed.iter().cloned())
            .allow_methods(["GET", "POST", "PATCH", "DELETE", "SEARCH"])
            .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
            .expose_header(request_id::HEADER)
            .allow_credentials(true)
            .transform(Arc::clone(&inner));
        Self {
            inner,
            allowed,
            cors,
        }
    }

    fn is_allowed(&self, request: &Request) -> bool {
        let is_preflight = request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let origin = request.headers().get(header::ORIGIN);
        origin.is_some_and(|origin| self.allowed.contains(origin))
            && (is_preflight || request.method() != Method::OPTIONS)
    }
}

impl<E: Endpoint> Endpoint for Origins<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if self.allowed.is_empty() {
            return self
                .inner
                .call(request)
                .await
                .map(IntoResponse::into_response);
        }
        let mut response = if self.is_allowed(&request) {
            // Its only errors are preflights that ask for too much.
            let answer = self.cors.call(request).await;
            answer
                .unwrap_or_else(|_| poem::Error::from(Failure(Error::forbidden())).into_response())
        } else {
            self.inner.call(request).await?.into_response()
        };
        response
            .headers_mut()
            .append(header::VARY, HeaderValue::from_static("Origin"));
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use poem::endpoint::make_sync;

    use super::*;

    const APP: &str = "https://app.example.com";

    async fn asked(origins: &[&str], method: Method, headers: &[(&str, &str)]) -> Response {
        let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
        let guarded = Origins::new(make_sync(|_| "x"), &origins);
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        guarded.call(request.finish()).await.unwrap()
    }

    #[tokio::test]
    async fn a_configured_origin_may_read_answers() {
        let response = asked(&[APP], Method::GET, &[("Origin", APP)]).await;

        assert_eq!(response.header("access-control-allow-origin"), Some(APP));
        assert_eq!(
            response.header("access-control-allow-credentials"),
            Some("true")
        );
        assert_eq!(response.header("vary"), Some("Origin"));
    }

    #[tokio::test]
    async fn other_origins_get_an_answer_that_browsers_keep_from_them() {
        let other = "https://app.example.com.evil.example";
        for origins in [&[APP][..], &[]] {
            let response = asked(origins, Method::GET, &[("Origin", other)]).await;

            assert!(response.is_ok());
            assert_eq!(response.header("access-control-allow-origin"), None);
        }
        assert_eq!(
            asked(&[APP], Method::GET, &[]).await.header("vary"),
            Some("Origin")
        );
    }

    #[tokio::test]
    async fn a_preflight_says_what_is_allowed() {
        let search = [("Origin", APP), ("Access-Control-Request-Method", "SEARCH")];
        let put = [("Origin", APP), ("Access-Control-Request-Method", "PUT")];

        let response = asked(&[APP], Method::OPTIONS, &search).await;

        assert!(response.is_ok());
        let header = |name| response.header(name).unwrap_or_default();
        for method in ["GET", "POST", "PATCH", "DELETE", "SEARCH"] {
            assert!(
                header("access-control-allow-methods").contains(method),
                "{method}"
            );
        }
        assert!(header("access-control-allow-headers").contains("authorization"));
        assert!(header("access-control-allow-headers").contains("content-type"));
        assert_eq!(
            asked(&[APP], Method::OPTIONS, &put).await.status().as_u16(),
            403
        );
    }
}
