//! Pages for people, over HTTP as a browser without scripts asks for them.

mod links;
mod login;
mod safety;
mod second_factor;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use reqwest::redirect::Policy;
use roster_tests::{Answer, PASSWORD, Site};

/// A browser: it keeps cookies, says where forms come from, and shows each answer.
pub(crate) struct Browser {
    http: reqwest::Client,
    base: String,
    cookies: Mutex<HashMap<String, String>>,
}

impl Browser {
    pub(crate) fn of(site: &Site) -> Self {
        let http = reqwest::Client::builder().no_proxy();
        let http = http.redirect(Policy::none()).build().expect("a client");
        Self {
            http,
            base: site.base().to_owned(),
            cookies: Mutex::default(),
        }
    }

    /// One in which somebody is logged in.
    async fn signed_in(site: &Site, email: &str) -> Self {
        let browser = Self::of(site);
        let form = [("email", email), ("password", PASSWORD)];
        let answer = browser.send("/admin/login", &form).await;
        assert_eq!(answer.place(), "../admin/account");
        browser
    }

    /// Loads a page.
    pub(crate) async fn load(&self, path: &str) -> Answer {
        let request = self.http.get(format!("{}{path}", self.base));
        self.ask(request.header("accept", "text/html,*/*;q=0.8"))
            .await
    }

    /// Sends a form of ours.
    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let own = [("origin", self.base.as_str())];
        self.send_from(path, fields, &own).await
    }

    /// Sends a form of some page.
    pub(crate) async fn send_from(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = reqwest::Url::parse_with_params("http://x/", fields).expect("a form");
        let body = body.query().unwrap_or_default().to_owned();
        let mut request = self.http.post(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let kind = "application/x-www-form-urlencoded";
        let request = request.header("accept", "text/html,*/*;q=0.8");
        self.ask(request.header("content-type", kind).body(body))
            .await
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Answer {
        let cookies = self.cookie();
        let response = request.header("cookie", cookies).send().await;
        let response = response.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for line in headers.get_all("set-cookie") {
            let line = line.to_str().expect("text");
            let (name, rest) = line.split_once('=').expect("a value");
            let value = rest.split(';').next().unwrap_or_default();
            let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let text = response.text().await.expect("text");
        let bytes = text.clone().into_bytes();
        Answer {
            status,
            headers,
            text,
            bytes,
        }
    }

    /// The cookies it would send now.
    pub(crate) fn cookie(&self) -> String {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }
}

/// What can be seen of a page.
trait Page {
    /// Where a browser is sent, `303` alone.
    fn place(&self) -> &str;
    /// Its heading.
    fn heading(&self) -> &str;
    /// What is wrong, as it says.
    fn problems(&self) -> Vec<&str>;
    /// The value of a hidden field.
    fn hidden(&self, name: &str) -> String;
}

impl Page for Answer {
    #[track_caller]
    fn place(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text);
        self.header("location")
    }

    #[track_caller]
    fn heading(&self) -> &str {
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8");
        between(&self.text, "<h1>", "</h1>")
    }

    fn problems(&self) -> Vec<&str> {
        let parts = self.text.split("role=\"alert\">").skip(1);
        parts
            .map(|part| part.split("</p>").next().unwrap_or_default().trim())
            .collect()
    }

    #[track_caller]
    fn hidden(&self, name: &str) -> String {
        between(&self.text, &format!("name=\"{name}\" value=\""), "\"").to_owned()
    }
}

#[track_caller]
fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, rest) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start}: {text}"));
    rest.split_once(end).map_or(rest, |(inner, _)| inner)
}
