//! What the system can do: one use case a file, on top of storage, hooks and secrets.
//!
//! Every write follows one pipeline: grant, draft, before hooks, validation, one transaction with
//! revisions, activity and outbox, delivery after the commit. No plugin runs inside a transaction.

#![forbid(unsafe_code)]

mod access;
mod accounts;
mod bootstrap;
mod collector;
mod context;
mod convert;
mod deliveries;
mod fields;
mod files;
mod health;
mod hooks;
mod host;
mod import;
mod login;
mod mail;
mod model;
mod outbox;
mod pages;
mod plugins;
mod principal;
mod project;
mod records;
mod registry;
mod rights;
mod secrets;
mod settings;
mod system;
pub mod trace;
mod use_cases;
mod utilities;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use roster_domain::query::{PageLimits, Parameters};
use roster_domain::{Clock, Error, Item, Model, Result};
use roster_storage::Store;
use serde_json::Value as Json;
use tokio::sync::Notify;

pub use accounts::{
    AccountSettings, Link, ListedSession, ListedToken, Lockout, Mailing, NewToken, Overview,
    Proposal, Rate, Rates,
};
pub use bootstrap::FirstAdministrator;
pub use collector::Collector;
pub use context::{Client, Context, Source};
pub use deliveries::{Delivery, Replay};
pub use files::{Asset, Upload};
pub use health::Health;
pub use host::PluginHost;
pub use import::{
    Existing, ImportFormat, ImportOptions, ImportOutcome, ImportSummary, ImportedRow, Importer,
};
pub use login::impersonate::Impersonation;
pub use login::redirect::{Arrival, Departure, RedirectLogin};
pub use login::{Cookies, LOCAL, Mode, Tokens};
pub use mail::{MAILS, Preview, preview};
pub use outbox::Deliverer;
pub use plugins::{Effects, LastError, ListedProvider, Narrowed, Narrowing, PluginStatus};
pub use records::{Items, List, Outline};
pub use registry::{
    Capabilities, FieldNames, LoginSettings, OnFailure, PluginSlot, Registry, check_manifest,
};
pub use secrets::random_secret;
pub use settings::{
    FileSettings, OutboxSettings, PasswordSettings, RoleSettings, Secret, Settings, UserSettings,
};
pub use system::SystemClock;

use access::RightsCache;
use files::Pictures;
use mail::Templates;
use model::Models;
use pages::Pages;
use secrets::{Hasher, Keys};

/// The whole system behind the API. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    settings: Settings,
    clock: Arc<dyn Clock>,
    models: Models,
    keys: Keys,
    hasher: Hasher,
    templates: Templates,
    pages: Pages,
    rights: RightsCache,
    registry: Registry,
    pictures: Pictures,
    delivery: Notify,
    /// Something was committed that other nodes could deliver as well.
    announce: Notify,
    /// The id of this node, made at its start.
    node: String,
}

impl Engine {
    /// The system over an open store whose schema is up to date.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR` if the settings cannot work, such as impossible hash parameters.
    pub fn new(
        store: Store,
        settings: Settings,
        clock: Arc<dyn Clock>,
        registry: Registry,
    ) -> Result<Self> {
        let hasher = Hasher::new(&settings.password)?;
        let keys = Keys::new(&settings.secrets)
            .ok_or_else(|| Error::internal("no secret to sign tokens with"))?;
        let models = Models::new(&settings.users.statuses);
        let templates = Templates::load(settings.accounts.templates.as_deref())?;
        let clock_now = clock.now();
        let inner = Inner {
            store,
            settings,
            clock,
            models,
            keys,
            hasher,
            templates,
            pages: Pages::load()?,
            rights: RightsCache::new(),
            registry,
            pictures: Pictures::new(),
            delivery: Notify::new(),
            announce: Notify::new(),
            node: system::new_id(clock_now)?.to_string(),
        };
        let inner = Arc::new(inner);
        plugins::attach(&inner);
        Ok(Self { inner })
    }

    /// Finds out who acts. No token is the public principal, never the system.
    ///
    /// # Errors
    /// `INVALID_TOKEN`, `TOKEN_EXPIRED`, `INVALID_CREDENTIALS`.
    pub async fn authenticate(&self, token: Option<&str>, client: Client) -> Result<Context> {
        principal::authenticate(&self.inner, token, client).await
    }

    /// Remembers the page the caller is on.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD` without a page; `INVALID_CREDENTIALS` for the public principal.
    pub async fn track_page(&self, cx: &Context, body: &Json) -> Result<()> {
        records::track::run(&self.inner, cx, body).await
    }

    /// The settings of the project.
    ///
    /// # Errors
    /// `FORBIDDEN`, `INVALID_QUERY`.
    pub async fn read_settings(&self, cx: &Context, parameters: &Parameters) -> Result<Item> {
        project::read(&self.inner, cx, parameters).await
    }

    /// Changes the settings of the project.
    ///
    /// # Errors
    /// `FORBIDDEN`, `INVALID_PAYLOAD`, `FAILED_VALIDATION`, `INVALID_FOREIGN_KEY`.
    pub async fn update_settings(
        &self,
        cx: &Context,
        body: &Json,
        parameters: &Parameters,
    ) -> Result<Item> {
        project::update(&self.inner, cx, body, parameters).await
    }

    /// Begins a session with e-mail and password.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, `INVALID_CREDENTIALS`, `INVALID_OTP`, the codes of plugins.
    pub async fn login(&self, cx: &Context, body: &Json) -> Result<Tokens> {
        login::password::run(&self.inner, cx, body).await
    }

    /// The providers that somebody can log in by, beside the local password.
    pub fn providers(&self) -> Vec<ListedProvider> {
        plugins::providers(&self.inner)
    }

    /// Whether somebody can log in with an address and a password.
    pub fn has_local_login(&self) -> bool {
        plugins::has_provider(&self.inner, LOCAL)
    }

    /// Begins a session with a name and a secret that a provider checks.
    ///
    /// # Errors
    /// `ROUTE_NOT_FOUND` if there is no such provider; `INVALID_PROVIDER` for somebody new who has
    /// the address of somebody else; else as [`Engine::login`].
    pub async fn login_by(&self, cx: &Context, provider: &str, body: &Json) -> Result<Tokens> {
        login::provider::run(&self.inner, cx, provider, body).await
    }

    /// Sends a browser to a provider.
    ///
    /// # Errors
    /// `ROUTE_NOT_FOUND` if there is no such provider; `INVALID_PAYLOAD` for a page that nobody is
    /// sent to; `PLUGIN_FAILED`, the codes of plugins.
    pub async fn begin_login(
        &self,
        cx: &Context,
        provider: &str,
        asked: &RedirectLogin<'_>,
    ) -> Result<Departure> {
        login::redirect::begin(&self.inner, cx, provider, asked).await
    }

    /// Begins a session for a browser that comes back from a provider.
    ///
    /// # Errors
    /// `ROUTE_NOT_FOUND`; `INVALID_CREDENTIALS` for a browser that was not sent there from here.
    /// Whatever else stands in the way is the outcome of the arrival.
    pub async fn complete_login(
        &self,
        cx: &Context,
        provider: &str,
        pass: Option<&str>,
        parameters: BTreeMap<String, String>,
    ) -> Result<Arrival> {
        login::redirect::complete(&self.inner, cx, provider, pass, parameters).await
    }

    /// Goes on with a session.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, `INVALID_CREDENTIALS`.
    pub async fn refresh(&self, cx: &Context, body: &Json, cookies: &Cookies) -> Result<Tokens> {
        login::refresh::run(&self.inner, cx, body, cookies).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD` without a token; an unknown one is fine.
    pub async fn logout(&self, cx: &Context, body: &Json, cookies: &Cookies) -> Result<()> {
        login::logout::run(&self.inner, cx, body, cookies).await
    }

    /// How the server is; administrators see what was checked.
    pub async fn health(&self, cx: &Context) -> Health {
        health::health(&self.inner, cx).await
    }

    /// What the project is; signed-in users see the limits too.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn info(&self, cx: &Context) -> Result<Json> {
        health::info(&self.inner, cx).await
    }

    /// The fields of every collection as they are now.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn model(&self) -> Result<Arc<Model>> {
        self.inner.model().await
    }

    /// The limits on pages.
    pub fn page_limits(&self) -> PageLimits {
        self.inner.settings.pages
    }

    /// Makes the first administrator on an empty database, once, whichever node comes first.
    ///
    /// # Errors
    /// Those of creating a user, if the configured one is not fit.
    pub async fn bootstrap(
        &self,
        configured: Option<(String, Secret)>,
    ) -> Result<Option<FirstAdministrator>> {
        bootstrap::run(&self.inner, configured).await
    }

    /// Makes a further administrator, for the command line.
    ///
    /// # Errors
    /// Those of creating a user.
    pub async fn create_administrator(&self, email: &str, password: &Secret) -> Result<()> {
        bootstrap::create_administrator(&self.inner, email, password).await
    }

    /// Sets a user's password, for the command line.
    ///
    /// # Errors
    /// `FORBIDDEN` if nobody has the address; the password policy.
    pub async fn set_password(&self, email: &str, password: &Secret) -> Result<()> {
        bootstrap::set_password(&self.inner, email, password).await
    }

    /// The worker that delivers after-events and mails from the outbox.
    pub fn deliverer(&self) -> Deliverer {
        Deliverer::new(Arc::clone(&self.inner))
    }

    /// Closes the database, waiting at most this long.
    pub async fn close(&self, patience: Duration) {
        let closed = tokio::time::timeout(patience, self.inner.store.close()).await;
        if closed.is_err() {
            tracing::warn!("database did not close in time");
        }
    }
}
