//! The connection to the operator's collector of traces, over the one TLS stack there is.

use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{Client, redirect};
use roster_domain::{Error, Result};
use tokio::runtime::Handle;

use crate::plugins::tls;
use crate::settings::Secret;

/// The largest answer that is read, in bytes.
const ANSWER: usize = 1 << 16;

/// Sends spans to a collector. It may be asked from any thread; the runtime it was made in works.
#[derive(Debug)]
pub struct Collector {
    client: Client,
    headers: HeaderMap,
    runtime: Handle,
}

impl Collector {
    /// A connection with these headers; an exchange takes no longer than `timeout`.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR` if a header cannot be sent, or outside of a runtime.
    pub fn new(headers: &[(String, Secret)], timeout: Duration) -> Result<Self> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls().map_err(Error::internal)?)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(timeout)
            .user_agent(concat!("roster/", env!("CARGO_PKG_VERSION")));
        let headers = headers.iter().map(|(name, value)| {
            let mut value = HeaderValue::from_str(value.expose()).map_err(Error::internal)?;
            value.set_sensitive(true);
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(Error::internal)?;
            Ok((name, value))
        });
        Ok(Self {
            client: client.build().map_err(Error::internal)?,
            headers: headers.collect::<Result<HeaderMap>>()?,
            runtime: Handle::try_current().map_err(Error::internal)?,
        })
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(
        &self,
        request: Request<Bytes>,
    ) -> std::result::Result<Response<Bytes>, HttpError> {
        let (about, body) = request.into_parts();
        // Its own headers say what the body is; others it read from the environment of the process,
        // which is not its business here.
        let mut headers = self.headers.clone();
        for name in [CONTENT_TYPE, CONTENT_ENCODING] {
            if let Some(value) = about.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        let sending = self
            .client
            .post(about.uri.to_string())
            .headers(headers)
            .body(body);
        self.runtime
            .spawn(async { exchange(sending).await })
            .await?
    }
}

async fn exchange(
    sending: reqwest::RequestBuilder,
) -> std::result::Result<Response<Bytes>, HttpError> {
    let mut answer = sending.send().await?;
    let mut response = Response::builder().status(answer.status());
    if let Some(pause) = answer.headers().get(RETRY_AFTER) {
        response = response.header(RETRY_AFTER, pause);
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        if body.len() + piece.len() > ANSWER {
            return Err(format!("the answer has more than {ANSWER} bytes").into());
        }
        body.extend_from_slice(&piece);
    }
    Ok(response.body(body.into())?)
}
