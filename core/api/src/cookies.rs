//! Our cookies: read from requests, written into answers, and believed only from our own pages.

use std::sync::Arc;

use poem::http::{HeaderMap, HeaderValue, Method, header};
use poem::{Request, RequestBody, Response, Result};
use poem_openapi::registry::Registry;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use roster_domain::{Code, Error, Problem};
use roster_engine::{Cookies, Mode, Tokens};

use crate::error::Failure;

/// Said of a request that a page of somebody else began.
pub(crate) const ELSEWHERE: &str = "Cookies are taken from pages of known origins alone.";

/// What browsers are told about our cookies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieSettings {
    /// The name of the refresh token's cookie.
    pub refresh: String,
    /// The name of the session token's cookie.
    pub session: String,
    /// Whether they are sent over TLS alone.
    pub is_secure: bool,
    /// `Lax`, `Strict` or `None`.
    pub same_site: &'static str,
    /// The domain they are for, if not our host alone.
    pub domain: Option<String>,
}

/// What is known about cookies and about whose pages may use them.
#[derive(Debug, Clone)]
pub(crate) struct Jar {
    settings: CookieSettings,
    /// Origins whose pages act with our cookies: our own and the configured ones.
    origins: Vec<String>,
}

impl Jar {
    /// The jar of a server at this address, for pages of these origins beside its own.
    pub(crate) fn new(settings: CookieSettings, public_url: &str, others: &[String]) -> Self {
        let own = origin_of(public_url).to_owned();
        Self {
            settings,
            origins: std::iter::once(own).chain(others.iter().cloned()).collect(),
        }
    }

    /// Our cookies in a request. An empty one is none.
    pub(crate) fn read(&self, headers: &HeaderMap) -> Cookies {
        Cookies {
            refresh: cookie(headers, &self.settings.refresh),
            session: cookie(headers, &self.settings.session),
        }
    }

    /// The cookie that hands tokens over, if their mode has one.
    pub(crate) fn hand_over(&self, tokens: &Tokens) -> Option<HeaderValue> {
        let (name, value) = match tokens.mode {
            Mode::Json => return None,
            Mode::Cookie => (&self.settings.refresh, &tokens.refresh_token),
            Mode::Session => (&self.settings.session, &tokens.access_token),
        };
        self.line(name, value, tokens.cookie_age.as_secs())
    }

    /// What removes the session cookie.
    pub(crate) fn remove_session(&self) -> Option<HeaderValue> {
        self.line(&self.settings.session, "", 0)
    }

    /// What removes those cookies that a request brought.
    pub(crate) fn remove(&self, brought: &Cookies) -> Vec<HeaderValue> {
        let names = [
            brought.refresh.as_ref().map(|_| &self.settings.refresh),
            brought.session.as_ref().map(|_| &self.settings.session),
        ];
        let names = names.into_iter().flatten();
        names.filter_map(|name| self.line(name, "", 0)).collect()
    }

    /// What a browser carries while it is at a provider: it has to come with a link from there, so
    /// it is always lax, and it is for our host alone.
    pub(crate) fn pass(&self, provider: &str, value: &str, age: u64) -> Option<HeaderValue> {
        self.write(&pass_of(provider), value, age, "Lax", None)
    }

    fn line(&self, name: &str, value: &str, age: u64) -> Option<HeaderValue> {
        let domain = self.settings.domain.as_deref();
        self.write(name, value, age, self.settings.same_site, domain)
    }

    fn write(
        &self,
        name: &str,
        value: &str,
        age: u64,
        same_site: &str,
        domain: Option<&str>,
    ) -> Option<HeaderValue> {
        let mut line =
            format!("{name}={value}; Path=/; HttpOnly; Max-Age={age}; SameSite={same_site}");
        if self.settings.is_secure {
            line.push_str("; Secure");
        }
        if let Some(domain) = domain {
            line.push_str("; Domain=");
            line.push_str(domain);
        }
        let mut line = HeaderValue::try_from(line).ok()?;
        line.set_sensitive(true);
        Some(line)
    }

    /// Refuses a request that would act with cookies and was begun by a page of somebody else.
    /// Browsers say whose page it was; what says nothing is no browser of these days.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub(crate) fn check_origin(&self, request: &Request) -> Result<(), Error> {
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method()) {
            return Ok(());
        }
        let text = |name| {
            let value = request.headers().get(name)?;
            Some(value.to_str().unwrap_or("?"))
        };
        let is_ours = match (text("sec-fetch-site"), text("origin")) {
            (Some("same-origin" | "none"), _) | (None, None) => true,
            (_, Some(origin)) => self.is_known(origin) || is_host(origin, text("host")),
            (Some(_), None) => false,
        };
        if is_ours {
            Ok(())
        } else {
            Err(Problem::new(Code::Forbidden).saying(ELSEWHERE).into())
        }
    }

    fn is_known(&self, origin: &str) -> bool {
        self.origins
            .iter()
            .any(|known| known.eq_ignore_ascii_case(origin))
    }
}

/// Whether an origin is the very host that was asked.
fn is_host(origin: &str, host: Option<&str>) -> bool {
    let own = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    own.is_some() && own == host
}

/// Scheme, host and port of an address.
fn origin_of(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    &url[..end]
}

/// The cookie of a login by a provider.
fn pass_of(provider: &str) -> String {
    format!("roster_login_{provider}")
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE);
    let pairs = lines
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(own, value)| *own == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

/// The request as handlers of tokens need it: our cookies, and what writes them.
pub(crate) struct Baskets<'a> {
    request: &'a Request,
    jar: Arc<Jar>,
}

impl Baskets<'_> {
    /// Our cookies.
    pub(crate) fn cookies(&self) -> Cookies {
        self.jar.read(self.request.headers())
    }

    /// What the browser carried while it was at a provider.
    pub(crate) fn pass(&self, provider: &str) -> Option<String> {
        cookie(self.request.headers(), &pass_of(provider))
    }

    /// What writes them.
    pub(crate) fn jar(&self) -> &Jar {
        &self.jar
    }

    /// Refuses a page of somebody else.
    pub(crate) fn check_origin(&self) -> Result<(), Failure> {
        self.jar.check_origin(self.request).map_err(Failure)
    }
}

impl<'a> ApiExtractor<'a> for Baskets<'a> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::PoemExtractor];

    type ParamType = ();
    type ParamRawType = ();

    fn register(_: &mut Registry) {}

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let jar = request.data::<Arc<Jar>>();
        let jar = jar.ok_or_else(|| Failure(Error::internal("no jar for cookies")))?;
        Ok(Self {
            request,
            jar: Arc::clone(jar),
        })
    }
}

/// Puts cookies into an answer.
pub(crate) fn put(response: &mut Response, cookies: impl IntoIterator<Item = HeaderValue>) {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar() -> Jar {
        let settings = CookieSettings {
            refresh: "r".to_owned(),
            session: "s".to_owned(),
            is_secure: true,
            same_site: "Lax",
            domain: Some("example.com".to_owned()),
        };
        let others = ["https://app.example.com".to_owned()];
        Jar::new(settings, "https://users.example.com/base", &others)
    }

    fn judged(method: Method, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        jar().check_origin(&request.finish()).is_ok()
    }

    #[test]
    fn cookies_are_read_by_their_names_and_empty_ones_are_none() {
        let mut headers = HeaderMap::new();
        headers.append("cookie", "x=1; s=a.b.c;r=".parse().unwrap());
        headers.append("cookie", "r=token; rr=2".parse().unwrap());

        let read = jar().read(&headers);

        assert_eq!(read.session.as_deref(), Some("a.b.c"));
        assert_eq!(read.refresh.as_deref(), Some("token"));
    }

    #[test]
    fn a_cookie_has_its_attributes() {
        let line = jar().remove_session().unwrap();

        assert_eq!(
            line.to_str().unwrap(),
            "s=; Path=/; HttpOnly; Max-Age=0; SameSite=Lax; Secure; Domain=example.com"
        );
    }

    #[test]
    fn pages_of_others_do_not_act_with_cookies() {
        for own in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("origin", "https://users.example.com")],
            &[
                ("origin", "https://app.example.com"),
                ("sec-fetch-site", "same-site"),
            ],
            &[
                ("origin", "http://127.0.0.1:8055"),
                ("host", "127.0.0.1:8055"),
            ],
            &[],
        ] {
            assert!(judged(Method::POST, own), "{own:?}");
        }
        for other in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[
                ("origin", "https://users.example.com.evil.example"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[
                ("origin", "https://evil.example"),
                ("host", "users.example.com"),
            ],
        ] {
            assert!(!judged(Method::POST, other), "{other:?}");
            assert!(!judged(Method::DELETE, other), "{other:?}");
            assert!(judged(Method::GET, other), "{other:?}");
        }
    }
}
