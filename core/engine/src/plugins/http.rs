//! Outbound HTTP of plugins: to granted origins only, and to the public internet unless the
//! operator named an address.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url, redirect};
use roster_sdk::{HostError, HostErrorCode, HttpRequest, HttpResponse};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::address::is_public;
use crate::trace;

/// The largest body of an answer, and of a request, in bytes.
const BODY: usize = 1 << 20;
/// How many redirects are followed.
const REDIRECTS: u32 = 5;
/// How long a connection may take to be made, and a whole exchange at the most: the deadline of
/// the call is usually shorter.
const CONNECT: Duration = Duration::from_secs(5);
const EXCHANGE: Duration = Duration::from_secs(30);

/// Headers that belong to the connection.
const OURS: [&str; 8] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "proxy-authorization",
];

/// What one plugin calls others with. Its connections are its own.
#[derive(Default)]
pub(crate) struct HttpClient {
    origins: Vec<String>,
    client: OnceLock<Client>,
}

impl HttpClient {
    /// A client for these origins.
    pub(crate) fn new(origins: &[String]) -> Self {
        // As browsers write them: without the port that goes without saying.
        let canonical = |origin: &String| {
            let url = Url::parse(origin).ok()?;
            Some(url.origin().ascii_serialization())
        };
        Self {
            origins: origins.iter().filter_map(canonical).collect(),
            client: OnceLock::new(),
        }
    }

    /// Sends a request, following redirects as far as they are granted.
    pub(crate) async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HostError> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| invalid(format!("`{}` is no method", request.method)))?;
        if request.body.as_ref().is_some_and(|body| body.len() > BODY) {
            return Err(invalid(format!("the body has more than {BODY} bytes")));
        }
        let may_follow = method == Method::GET || method == Method::HEAD;
        let mut headers = headers(request)?;
        let mut url = Url::parse(&request.url)
            .map_err(|error| invalid(format!("`{}`: {error}", request.url)))?;
        for _ in 0..=REDIRECTS {
            self.check(&url)?;
            let mut sending = self.client()?.request(method.clone(), url.clone());
            if let Some(body) = &request.body {
                sending = sending.body(body.clone());
            }
            let span = span(&method, &url);
            let answer = sending.headers(headers.clone()).send();
            let answer = answer.instrument(span.clone()).await;
            let answer = answer.map_err(|error| failed(&error));
            note(&span, &answer);
            let answer = answer?;
            let location = answer.headers().get("location").filter(|_| {
                may_follow && matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308)
            });
            let Some(location) = location else {
                return read(answer).await;
            };
            let location = location.to_str().ok();
            let next = location.and_then(|location| url.join(location).ok());
            let next = next.ok_or_else(|| failure("redirected to no address".to_owned()))?;
            if next.origin() != url.origin() {
                // What was meant for one is not for another.
                for secret in ["authorization", "cookie"] {
                    headers.remove(secret);
                }
            }
            url = next;
        }
        Err(failure(format!("redirected more than {REDIRECTS} times")))
    }

    /// Refuses what is not granted. Names are looked up later, and each address is checked then.
    fn check(&self, url: &Url) -> Result<(), HostError> {
        let origin = url.origin().ascii_serialization();
        if !matches!(url.scheme(), "http" | "https") || !self.origins.contains(&origin) {
            let message = format!("origin `{origin}` is not granted");
            return Err(HostError::new(HostErrorCode::Denied, message));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "credentials do not belong into an address".to_owned(),
            ));
        }
        Ok(())
    }

    fn client(&self) -> Result<&Client, HostError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let made = build(&self.origins).map_err(|error| failure(error.to_string()))?;
        Ok(self.client.get_or_init(|| made))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}

/// The one TLS configuration: certificates of the public authorities, whatever the machine trusts.
pub(crate) fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let roots = webpki_roots::TLS_SERVER_ROOTS
        .iter()
        .cloned()
        .collect::<rustls::RootCertStore>();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(tls)
}

fn build(origins: &[String]) -> Result<Client, Box<dyn std::error::Error>> {
    let allows_loopback = origins
        .iter()
        .filter_map(|origin| Url::parse(origin).ok())
        .any(|url| url.host_str() == Some("localhost"));
    let client = Client::builder()
        .tls_backend_preconfigured(tls()?)
        .dns_resolver(Guard { allows_loopback })
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .timeout(EXCHANGE)
        .user_agent(concat!("roster/", env!("CARGO_PKG_VERSION")));
    Ok(client.build()?)
}

/// Looks a name up once; the connection goes to one of the addresses it gives, and to no other.
struct Guard {
    /// Whether the operator named `localhost` among the origins.
    allows_loopback: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let allows_loopback = self.allows_loopback && name == "localhost";
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let may =
                |address: IpAddr| is_public(address) || (allows_loopback && address.is_loopback());
            let all: Vec<SocketAddr> = found.collect();
            // One bad address among good ones is somebody trying.
            if all.is_empty() || all.iter().any(|address| !may(address.ip())) {
                let text = format!("`{name}` is not an address of the public internet");
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, text).into());
            }
            Ok(Box::new(all.into_iter()) as Addrs)
        })
    }
}

fn headers(request: &HttpRequest) -> Result<HeaderMap, HostError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
        let value = HeaderValue::from_str(value).ok();
        let (Some(parsed), Some(value)) = (parsed, value) else {
            return Err(invalid(format!("header `{name}` cannot be sent")));
        };
        if !OURS.contains(&parsed.as_str()) {
            headers.append(parsed, value);
        }
    }
    Ok(headers)
}

/// One request of a plugin to others. Its path and query are not told, as webhooks keep their secret
/// there, and the trace is not passed on: whom a plugin calls is not to learn how requests belong
/// together.
fn span(method: &Method, url: &Url) -> Span {
    tracing::info_span!(
        target: trace::TARGET,
        "http",
        otel.name = method.as_str(),
        otel.kind = "client",
        http.request.method = method.as_str(),
        url.scheme = url.scheme(),
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        http.response.status_code = Empty,
        "error.type" = Empty,
        otel.status_code = Empty,
    )
}

fn note(span: &Span, answer: &Result<reqwest::Response, HostError>) {
    match answer {
        Ok(answer) => {
            let status = answer.status();
            span.record("http.response.status_code", status.as_u16());
            if status.is_client_error() || status.is_server_error() {
                trace::fail(span, status.as_str());
            }
        }
        Err(error) if error.code == HostErrorCode::Denied => trace::fail(span, "denied"),
        Err(_) => trace::fail(span, "unreachable"),
    }
}

async fn read(mut answer: reqwest::Response) -> Result<HttpResponse, HostError> {
    let status = answer.status().as_u16();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + piece.len() > BODY {
            return Err(failure(format!("the answer has more than {BODY} bytes")));
        }
        body.extend_from_slice(&piece);
    }
    Ok(HttpResponse {
        status,
        headers,
        body,
    })
}

fn invalid(message: String) -> HostError {
    HostError::new(HostErrorCode::Invalid, message)
}

fn failure(message: String) -> HostError {
    HostError::new(HostErrorCode::Failed, message)
}

/// The innermost reason; a refusal of ours is a refusal.
fn failed(error: &reqwest::Error) -> HostError {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
        let refused = reason.downcast_ref::<io::Error>();
        if refused.is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
            break;
        }
    }
    let refused = reason.downcast_ref::<io::Error>();
    let code = match refused {
        Some(error) if error.kind() == io::ErrorKind::PermissionDenied => HostErrorCode::Denied,
        _ => HostErrorCode::Failed,
    };
    HostError::new(code, reason.to_string())
}
