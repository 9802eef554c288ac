//! One visit of a page: what was sent, and the answers there are.

use std::net::IpAddr;
use std::sync::Arc;

use poem::http::{HeaderMap, HeaderValue, StatusCode, header};
use poem::{Request, Response, Result};
use roster_domain::Error;
use roster_engine::{Context, Engine};
use serde_json::{Map, Value as Json, json};

use super::Desk;
use super::words::{self, Asked};
use crate::cookies::Jar;
use crate::error::{self, Failure};
use crate::request_id::RequestId;
use crate::{caller, envelope, query};

/// Pages load their stylesheet and pictures that they carry, and send forms to this server alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What a template is told.
pub(super) type Facts = Map<String, Json>;

/// Nothing to tell.
pub(super) fn none() -> Facts {
    Facts::new()
}

/// Facts written as an object.
pub(super) fn facts(object: Json) -> Facts {
    match object {
        Json::Object(facts) => facts,
        _ => Facts::new(),
    }
}

/// A request for a page.
pub(super) struct Visit<'a> {
    pub(super) engine: &'a Engine,
    pub(super) cx: &'a Context,
    pub(super) jar: Arc<Jar>,
    request: &'a Request,
    referrer: Option<&'static str>,
    form: Facts,
}

impl<'a> Visit<'a> {
    pub(super) fn of(desk: &'a Desk, request: &'a Request) -> Result<Self> {
        let jar = request.data::<Arc<Jar>>();
        let jar = jar.ok_or_else(|| Failure(Error::internal("no jar for cookies")))?;
        Ok(Self {
            engine: &desk.engine,
            cx: caller::of(request)?,
            jar: Arc::clone(jar),
            request,
            referrer: referrer(desk, request.headers()),
            form: Facts::new(),
        })
    }

    /// Takes over what a form has.
    pub(super) fn fill(&mut self, form: &str) -> Result<(), Failure> {
        self.form = query::parse(form)?;
        Ok(())
    }

    /// What was entered in a field; nothing where there is none.
    pub(super) fn field(&self, name: &str) -> &str {
        self.form.get(name).and_then(Json::as_str).unwrap_or("")
    }

    /// A parameter of the address.
    pub(super) fn parameter(&self, name: &str) -> String {
        let query = self.request.uri().query().unwrap_or_default();
        let first = query::first(query, name).ok().flatten();
        first.map(Into::into).unwrap_or_default()
    }

    /// Our cookies.
    pub(super) fn cookies(&self) -> roster_engine::Cookies {
        self.jar.read(self.request.headers())
    }

    /// Whether somebody is signed in.
    pub(super) fn is_known(&self) -> bool {
        self.cx.principal.user().is_some()
    }

    /// Shows a page.
    pub(super) async fn show(&self, page: &str, mut facts: Facts) -> Result<Response, Error> {
        facts.insert("root".to_owned(), root(self.request.uri().path()).into());
        let text = self.engine.page(page, facts).await?;
        Ok(html(StatusCode::OK, text, self.referrer))
    }

    /// Shows a page again, with what is wrong. What nobody in front of it can mend is no matter of
    /// the page.
    pub(super) async fn again(
        &self,
        page: &str,
        mut facts: Facts,
        error: Error,
        asked: &Asked,
    ) -> Result<Response, Error> {
        if error.status() >= 500 {
            return Err(error);
        }
        if let Some(id) = self.request.data::<RequestId>() {
            error::log(&error, id);
        }
        facts.insert("problems".to_owned(), words::problems(&error, asked));
        let mut response = self.show(page, facts).await?;
        response.set_status(error::status(&error));
        retry_after(&mut response, &error);
        Ok(response)
    }

    /// Sends the browser on to another of our pages.
    pub(super) fn go(&self, page: &str) -> Response {
        let place = format!("{}admin/{page}", root(self.request.uri().path()));
        let mut response = Response::from(StatusCode::SEE_OTHER);
        if let Ok(place) = HeaderValue::try_from(place) {
            response.headers_mut().insert(header::LOCATION, place);
        }
        response
    }
}

/// An answer that is a page.
pub(super) fn html(status: StatusCode, text: String, referrer: Option<&'static str>) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let mut response = envelope::with_type(kind, text);
    response.set_status(status);
    let said = [
        (header::CONTENT_SECURITY_POLICY, Some(POLICY)),
        (header::CACHE_CONTROL, Some("no-store")),
        (header::REFERRER_POLICY, referrer),
    ];
    for (name, value) in said {
        if let Some(value) = value {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Says when to try again, where that is what is wrong.
pub(super) fn retry_after(response: &mut Response, error: &Error) {
    if let Some(seconds) = error::wait(error) {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
}

/// The way from a path to the root of the server. It is relative, so that pages work behind a proxy
/// that adds a path.
pub(super) fn root(path: &str) -> String {
    "../".repeat(path.matches('/').count().saturating_sub(1))
}

/// What a page says about referrers, if not what all answers say.
///
/// Nobody is told where a visitor comes from. But a browser that keeps this to itself sends forms
/// with `Origin: null`, and over plain HTTP it does not say in another way that the form is ours. So
/// there it may name the origin: that is no address, and no token is in it.
pub(super) fn referrer(desk: &Desk, headers: &HeaderMap) -> Option<&'static str> {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let is_plain = !desk.is_secure && !host.is_some_and(is_loopback);
    is_plain.then_some("strict-origin")
}

/// Whether a host is one that browsers trust without TLS.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_local = |ip: IpAddr| ip.is_loopback();
    name == "localhost" || name.ends_with(".localhost") || bare.parse().is_ok_and(is_local)
}

/// A fact that a template is told.
pub(super) fn text(name: &str, value: &str) -> (String, Json) {
    (name.to_owned(), json!(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_finds_the_root() {
        for (path, expected) in [
            ("/admin", ""),
            ("/admin/", "../"),
            ("/admin/login", "../"),
            ("/admin/users/x", "../../"),
            ("/users/register/verify-email", "../../"),
        ] {
            assert_eq!(root(path), expected, "{path}");
        }
    }

    #[test]
    fn browsers_trust_themselves_without_tls() {
        for own in [
            "localhost",
            "localhost:8055",
            "127.0.0.1:80",
            "[::1]:80",
            "a.localhost",
        ] {
            assert!(is_loopback(own), "{own}");
        }
        for other in [
            "192.168.1.5:8055",
            "example.com",
            "localhost.example.com",
            "[2001:db8::1]",
        ] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
