//! `/server` and `/metrics`: how the server is and what it can do.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use poem::http::{HeaderValue, StatusCode};
use poem::{IntoResponse, Response};
use poem_openapi::registry::{MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{Any, Type};
use poem_openapi::{ApiResponse, OpenApi};
use roster_domain::Model;
use roster_engine::Engine;
use serde_json::Value as Json;

use crate::caller::Visitor;
use crate::document::{self, Tag};
use crate::envelope::{self, One};
use crate::error::Failure;
use crate::info::{Health, Info};

/// The resource.
pub(crate) struct ServerApi {
    pub(crate) engine: Engine,
    pub(crate) metrics: Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) document: Served,
}

/// The document that is served, made anew when the schema changes.
pub(crate) struct Served {
    url: String,
    latest: Mutex<Option<Made>>,
}

struct Made {
    model: Arc<Model>,
    text: Arc<[u8]>,
}

impl Served {
    /// Nothing is made until it is asked for.
    pub(crate) const fn at(url: String) -> Self {
        Self {
            url,
            latest: Mutex::new(None),
        }
    }

    fn of(&self, model: Arc<Model>) -> Arc<[u8]> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = latest
            .as_ref()
            .filter(|made| Arc::ptr_eq(&made.model, &model))
        {
            return Arc::clone(&made.text);
        }
        let text = document::document(&model, &self.url).to_string();
        let text = Arc::from(text.into_bytes());
        *latest = Some(Made {
            model,
            text: Arc::clone(&text),
        });
        text
    }
}

#[OpenApi(tag = "Tag::Server")]
impl ServerApi {
    /// Ping
    #[oai(path = "/server/ping", method = "get", operation_id = "ping")]
    #[expect(
        clippy::unused_async,
        reason = "the framework takes async functions alone"
    )]
    async fn ping(&self) -> Result<Text<Pong>, Failure> {
        Ok(Text::new("pong"))
    }

    /// Check the health
    ///
    /// Administrators also see what was checked. A server that cannot serve answers with 503.
    #[oai(path = "/server/health", method = "get", operation_id = "health")]
    async fn health(&self, visitor: Visitor<'_>) -> Result<Text<Health>, Failure> {
        let health = self.engine.health(&visitor).await;
        let mut text = Text::new(envelope::bytes(&health, 256)?);
        if health.status == "error" {
            text.status = StatusCode::SERVICE_UNAVAILABLE;
        }
        Ok(text)
    }

    /// Describe the server
    ///
    /// Users who are logged in also see the version and the limits.
    #[oai(path = "/server/info", method = "get", operation_id = "info")]
    async fn info(&self, visitor: Visitor<'_>) -> Result<One<Info>, Failure> {
        One::of(&self.engine.info(&visitor).await?)
    }

    /// Describe the API
    ///
    /// Sends this document.
    #[oai(path = "/server/specs/oas", method = "get", operation_id = "openApi")]
    async fn openapi(&self, _visitor: Visitor<'_>) -> Result<Text<Document>, Failure> {
        Ok(Text::new(
            self.document.of(self.engine.model().await?).to_vec(),
        ))
    }

    /// Read the metrics
    #[oai(path = "/metrics", method = "get", operation_id = "metrics")]
    #[expect(
        clippy::unused_async,
        reason = "the framework takes async functions alone"
    )]
    async fn metrics(&self) -> Result<Text<Metrics>, Failure> {
        Ok(Text::new((self.metrics)()))
    }
}

/// What an answer without an envelope is.
trait Described {
    type Model: Type;
    const CONTENT_TYPE: &'static str;
    const DESCRIPTION: &'static str;
    /// What a 503 of the same kind means, if there is one.
    const UNAVAILABLE: Option<&'static str> = None;
}

/// An answer without an envelope.
struct Text<D> {
    status: StatusCode,
    body: poem::Body,
    described_as: PhantomData<fn() -> D>,
}

impl<D> Text<D> {
    fn new(body: impl Into<poem::Body>) -> Self {
        Self {
            status: StatusCode::OK,
            body: body.into(),
            described_as: PhantomData,
        }
    }
}

impl<D: Described> IntoResponse for Text<D> {
    fn into_response(self) -> Response {
        let kind = HeaderValue::from_static(D::CONTENT_TYPE);
        let mut response = envelope::with_type(kind, self.body);
        response.set_status(self.status);
        response
    }
}

impl<D: Described> ApiResponse for Text<D> {
    fn meta() -> MetaResponses {
        let kind = D::CONTENT_TYPE.split(';').next().unwrap_or_default();
        let describe = |says| envelope::plain(says, kind, D::Model::schema_ref());
        let unavailable = D::UNAVAILABLE.map(|says| MetaResponse {
            status: Some(StatusCode::SERVICE_UNAVAILABLE.as_u16()),
            ..describe(says)
        });
        let responses = std::iter::once(describe(D::DESCRIPTION))
            .chain(unavailable)
            .collect();
        MetaResponses { responses }
    }

    fn register(registry: &mut Registry) {
        D::Model::register(registry);
    }
}

struct Pong;

impl Described for Pong {
    type Model = String;
    const CONTENT_TYPE: &'static str = "text/html; charset=utf-8";
    const DESCRIPTION: &'static str = "The word `pong`.";
}

struct Metrics;

impl Described for Metrics {
    type Model = String;
    const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";
    const DESCRIPTION: &'static str = "The metrics in the text format of Prometheus.";
}

struct Document;

impl Described for Document {
    type Model = Any<Json>;
    const CONTENT_TYPE: &'static str = envelope::JSON;
    const DESCRIPTION: &'static str = "The document.";
}

impl Described for Health {
    type Model = Self;
    const CONTENT_TYPE: &'static str = "application/health+json; charset=utf-8";
    const DESCRIPTION: &'static str = "The server serves.";
    const UNAVAILABLE: Option<&'static str> = Some("The server cannot serve.");
}
