//! What keeps answers safe: their headers, and that there is one whatever happens.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use poem::http::{HeaderName, HeaderValue, header};
use poem::{Endpoint, IntoResponse, Request, Response, Result};
use roster_domain::{Error, UserId};

use crate::observe::Pattern;
use crate::principal::Removed;
use crate::request_id::RequestId;
use crate::{cookies, error};

/// Answers of the API load nothing and are framed by nobody.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// The interactive page loads its own parts alone, and speaks to this server alone.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// Headers that every answer has.
const COMMON: [(HeaderName, HeaderValue); 3] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Puts the headers on every answer that tell browsers and caches to be careful.
pub(crate) struct Harden<E> {
    /// What is asked next.
    pub(crate) inner: E,
}

impl<E: Endpoint> Endpoint for Harden<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let path = request.uri().path();
        let policy = if is_under(path, "/docs") {
            DOCS_POLICY
        } else {
            API_POLICY
        };
        let caching = if is_under(path, "/auth") || is_under(path, "/admin") {
            "no-store"
        } else if is_under(path, "/assets") {
            "private, no-cache"
        } else {
            "no-cache"
        };

        let mut response = self.inner.call(request).await?.into_response();

        let by_path = [
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::CACHE_CONTROL, caching),
        ];
        let by_path = by_path.map(|(name, value)| (name, HeaderValue::from_static(value)));
        let headers = response.headers_mut();
        for (name, value) in COMMON.into_iter().chain(by_path) {
            // What a page of ours says of itself stands.
            headers.entry(name).or_insert(value);
        }
        Ok(response)
    }
}

fn is_under(path: &str, root: &str) -> bool {
    path.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Makes an answer of every error and of every panic.
pub(crate) struct Answer<E> {
    /// What is asked next.
    pub(crate) inner: E,
}

impl<E: Endpoint> Endpoint for Answer<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let id = request.data::<RequestId>().cloned();
        let id = id.unwrap_or_else(|| RequestId::of(request.headers()));
        let uri = request.uri().clone();
        let error = match AssertUnwindSafe(self.inner.call(request))
            .catch_unwind()
            .await
        {
            Ok(Ok(output)) => return Ok(output.into_response()),
            Ok(Err(error)) => error,
            Err(panic) => return Ok(error::report(&Error::internal(describe(&*panic)), &id)),
        };
        let told = Told::of(&error);
        let mut response = error::respond(error, uri.path(), &id);
        told.put(&mut response);
        Ok(response)
    }
}

/// What an error brings along for its answer.
pub(crate) struct Told {
    pattern: Option<Pattern>,
    user: Option<UserId>,
    removed: Option<Removed>,
}

impl Told {
    pub(crate) fn of(error: &poem::Error) -> Self {
        Self {
            pattern: error.data::<Pattern>().cloned(),
            user: error.data::<UserId>().copied(),
            removed: error.data::<Removed>().cloned(),
        }
    }

    pub(crate) fn put(self, response: &mut Response) {
        cookies::put(response, self.removed.map(|Removed(cookie)| cookie));
        if let Some(pattern) = self.pattern {
            response.set_data(pattern);
        }
        if let Some(user) = self.user {
            response.set_data(user);
        }
    }
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("no message"))
}

#[cfg(test)]
mod tests {
    use poem::endpoint::make_sync;
    use poem::error::NotFoundError;

    use super::*;

    fn request(path: &str) -> Request {
        Request::builder().uri(path.parse().unwrap()).finish()
    }

    #[tokio::test]
    async fn a_panic_is_a_500_that_says_nothing() {
        let guarded = Answer {
            inner: make_sync(|_| -> String { panic!("key 0xdead") }),
        };

        let mut response = guarded.call(request("/users")).await.unwrap();

        assert_eq!(response.status().as_u16(), 500);
        assert_eq!(
            response.take_body().into_string().await.unwrap(),
            r#"{"errors":[{"message":"An unexpected error occurred.","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#
        );
    }

    #[tokio::test]
    async fn an_unknown_route_is_named_without_its_query() {
        let inner = make_sync(|_| -> Result<String> { Err(NotFoundError.into()) });

        let mut response = Answer { inner }
            .call(request("/x?access_token=abc"))
            .await
            .unwrap();

        assert_eq!(response.status().as_u16(), 404);
        let body = response.take_body().into_string().await.unwrap();
        assert!(body.contains("Route /x doesn't exist."), "{body}");
        assert!(!body.contains("abc"), "{body}");
    }

    #[tokio::test]
    async fn credentials_are_never_stored_by_caches() {
        let hardened = Harden {
            inner: make_sync(|_| "x"),
        };
        let mut seen = Vec::new();
        for path in [
            "/auth/login",
            "/auth",
            "/authors",
            "/users",
            "/admin/login",
            "/administer",
            "/docs",
            "/docs/ui.js",
        ] {
            let response = hardened.call(request(path)).await.unwrap();
            let header = |name| response.header(name).unwrap_or_default().to_owned();
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert_eq!(header("referrer-policy"), "no-referrer");
            assert_eq!(header("cross-origin-opener-policy"), "same-origin");
            let has_scripts = header("content-security-policy").contains("script-src");
            seen.push((path, header("cache-control"), has_scripts));
        }

        let expected = [
            ("/auth/login", "no-store", false),
            ("/auth", "no-store", false),
            ("/authors", "no-cache", false),
            ("/users", "no-cache", false),
            ("/admin/login", "no-store", false),
            ("/administer", "no-cache", false),
            ("/docs", "no-cache", true),
            ("/docs/ui.js", "no-cache", true),
        ];
        assert_eq!(
            seen,
            expected.map(|(path, caching, page)| (path, caching.to_owned(), page))
        );
    }
}
