//! Refusals in words: what fails on its way to a page is answered by a page.

use poem::http::header;
use poem::{Endpoint, IntoResponse, Request, Response, Result};
use serde_json::json;

use super::visit::{facts, html, referrer, retry_after, root};
use super::{Desk, words};
use crate::error;
use crate::guard::Told;
use crate::request_id::RequestId;

/// Where the link leads that verifies an address; it is a part of the API as well.
const VERIFY: &str = "/users/register/verify-email";
/// Where links of mails lead.
const LINKS: [&str; 3] = ["/admin/accept-invite", "/admin/reset-password", VERIFY];
/// Said where not even a page can be made.
const LAST: &str = "<!doctype html>\n<html lang=\"en\"><title>Not available</title>\
     <h1>Not available</h1><p>Try again in a moment.</p></html>\n";

/// Makes pages of the errors that a browser would see; those of programs pass through.
pub(crate) struct Worded<E> {
    /// What is asked next.
    pub(crate) inner: E,
    /// Nothing where there are no pages.
    pub(crate) desk: Option<Desk>,
}

impl<E: Endpoint> Endpoint for Worded<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let Some(desk) = self.desk.as_ref().filter(|_| is_for_people(&request)) else {
            return self
                .inner
                .call(request)
                .await
                .map(IntoResponse::into_response);
        };
        let id = request.data::<RequestId>().cloned();
        let id = id.unwrap_or_else(|| RequestId::of(request.headers()));
        let path = request.uri().path().to_owned();
        let referrer = referrer(desk, request.headers());
        let failed = match self.inner.call(request).await {
            Ok(output) => return Ok(output.into_response()),
            Err(failed) => failed,
        };
        let told = Told::of(&failed);
        let error = error::understand(failed, &path);
        error::log(&error, &id);
        let (what, text) = words::refusal(&error, LINKS.contains(&path.as_str()));
        let known = facts(json!({
            "root": root(&path),
            "what": what,
            "problems": [{ "text": text }],
            "request_id": id.as_str(),
        }));
        let page = desk.engine.page("refused", known).await;
        let page = page.unwrap_or_else(|_| LAST.to_owned());
        let mut response = html(error::status(&error), page, referrer);
        retry_after(&mut response, &error);
        told.put(&mut response);
        Ok(response)
    }
}

/// Whether a page is what the answer is to be.
fn is_for_people(request: &Request) -> bool {
    let path = request.uri().path();
    let is_browser = || {
        let accept = request.headers().get(header::ACCEPT);
        accept
            .is_some_and(|accept| String::from_utf8_lossy(accept.as_bytes()).contains("text/html"))
    };
    path == "/admin" || path.starts_with("/admin/") || (path == VERIFY && is_browser())
}
