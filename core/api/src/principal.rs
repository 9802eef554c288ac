//! Who calls: from the token of a request to the context of its use case.

use std::borrow::Cow;
use std::sync::Arc;

use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use poem::{Endpoint, IntoResponse, Request, Response, Result};
use roster_domain::{Code, Error};
use roster_engine::{Client, Context, Engine, Source};

use crate::cookies::Jar;
use crate::error::Failure;
use crate::network::{Network, client_address};
use crate::pages;
use crate::query;
use crate::request_id::RequestId;

/// How much of `User-Agent` is kept, in characters.
const MAX_USER_AGENT: usize = 1_024;
/// How much of `Origin` is kept, in characters.
const MAX_ORIGIN: usize = 255;

/// What is served without asking who calls, unless a token is there that could be broken.
const OPEN: [&str; 3] = ["/server/ping", "/metrics", pages::STYLE];

/// Finds out who calls, once for each request and before it is routed: a broken token fails every
/// route.
pub(crate) struct Authenticate<E> {
    /// What is asked next.
    pub(crate) inner: E,
    /// Who knows the tokens.
    pub(crate) engine: Engine,
    /// Whose forwarded headers count.
    pub(crate) proxies: Arc<[Network]>,
    /// Whether a token may stand in the query string.
    pub(crate) query_tokens: bool,
    /// What is known about cookies.
    pub(crate) jar: Arc<Jar>,
}

impl<E: Endpoint> Endpoint for Authenticate<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let given = token(&request, self.query_tokens).map_err(Failure)?;
        if given.is_none() && is_open(&request) {
            return self
                .inner
                .call(request)
                .await
                .map(IntoResponse::into_response);
        }
        let given = given.map(Cow::into_owned);
        let context = match given {
            Some(token) => {
                let client = client(&request, &self.proxies);
                let known = self.engine.authenticate(Some(&token), client).await;
                known.map_err(Failure)?
            }
            None => self.by_cookie(&request).await?,
        };
        let user = context.principal.user();
        request.set_data(context);
        let mut result = self
            .inner
            .call(request)
            .await
            .map(IntoResponse::into_response);
        if let Some(user) = user {
            match &mut result {
                Ok(response) => response.set_data(user),
                Err(error) => error.set_data(user),
            }
        }
        result
    }
}

impl<E: Endpoint> Authenticate<E> {
    /// Who calls by their session cookie, if there is one and it is believed from there.
    ///
    /// A cookie that is void fails every route but those that replace it, and is removed unless it
    /// was only late.
    async fn by_cookie(&self, request: &Request) -> Result<Context> {
        let cookie = self.jar.read(request.headers()).session;
        let nobody = || {
            self.engine
                .authenticate(None, client(request, &self.proxies))
        };
        let Some(cookie) = cookie else {
            return Ok(nobody().await.map_err(Failure)?);
        };
        self.jar.check_origin(request).map_err(Failure)?;
        let client = client(request, &self.proxies);
        let known = self.engine.authenticate(Some(&cookie), client).await;
        match known {
            Ok(context) => Ok(context),
            Err(_) if replaces(request) => Ok(nobody().await.map_err(Failure)?),
            Err(error) => {
                let is_void = [Code::InvalidCredentials, Code::InvalidToken].contains(error.code());
                let mut failure = poem::Error::from(Failure(error));
                if let Some(removed) = self.jar.remove_session().filter(|_| is_void) {
                    failure.set_data(Removed(removed));
                }
                Err(failure)
            }
        }
    }
}

/// A cookie that the answer to a failed request removes.
#[derive(Clone)]
pub(crate) struct Removed(pub(crate) HeaderValue);

/// Whether a route is there to replace a cookie that is void.
fn replaces(request: &Request) -> bool {
    let path = request.uri().path();
    path.starts_with("/auth/") || path.starts_with("/admin/") || path == "/admin"
}

fn is_open(request: &Request) -> bool {
    let path = request.uri().path();
    request.method() == Method::OPTIONS || OPEN.contains(&path) || path.starts_with("/docs")
}

/// The token of a request (contract/auth.md §1).
fn token(request: &Request, query_tokens: bool) -> Result<Option<Cow<'_, str>>, Error> {
    let in_query = match request.uri().query() {
        Some(query) if query_tokens => query::first(query, "access_token")?,
        _ => None,
    };
    let in_query = in_query.filter(|token| !token.is_empty());
    let in_header = bearer(request.headers());
    if in_query.is_some() && in_header.is_some() {
        return Err(Error::invalid_payload(
            "The request uses more than one method for including an access token",
        ));
    }
    Ok(in_query.or(in_header))
}

/// The token of `Authorization: Bearer <token>`: exactly two words, the first in any case. Other
/// schemes are as good as none.
fn bearer(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer".len())?;
    let token = token.strip_prefix(b" ")?;
    let is_token = scheme.eq_ignore_ascii_case(b"Bearer") && !token.is_empty();
    // What is no text is no token of ours, but it is a token: it has to fail, not to be ignored.
    (is_token && !token.contains(&b' ')).then(|| String::from_utf8_lossy(token))
}

fn client(request: &Request, proxies: &[Network]) -> Client {
    let headers = request.headers();
    let socket = request
        .remote_addr()
        .as_socket_addr()
        .map(std::net::SocketAddr::ip);
    Client {
        request_id: request
            .data::<RequestId>()
            .map_or_else(String::new, ToString::to_string),
        source: Source::Rest,
        ip: client_address(socket, headers, proxies),
        user_agent: text(headers, &header::USER_AGENT, MAX_USER_AGENT),
        origin: text(headers, &header::ORIGIN, MAX_ORIGIN),
        only_reads: only_reads(request),
    }
}

/// Whether a request can only read. What the caller may do is read, and is about writing too.
fn only_reads(request: &Request) -> bool {
    let is_safe = request.method().is_safe() || request.method().as_str() == "SEARCH";
    is_safe && !request.uri().path().starts_with("/permissions/me")
}

/// A header as text, cut to a number of characters.
fn text(headers: &HeaderMap, name: &HeaderName, limit: usize) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(name)?.as_bytes());
    let end = text
        .char_indices()
        .nth(limit)
        .map_or(text.len(), |(end, _)| end);
    Some(text[..end].to_owned())
}

#[cfg(test)]
mod tests;
