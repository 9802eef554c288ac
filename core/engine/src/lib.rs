//! What the system can do: one use case a file, on top of storage, hooks and secrets.
//!
//! Every write follows one pipeline: grant, draft, before hooks, validation, one transaction with
//! revisions, activity and outbox, delivery after the commit. No plugin runs inside a transaction.

#![forbid(unsafe_code)]

mod access;
mod bootstrap;
mod context;
mod convert;
mod health;
mod hooks;
mod host;
mod login;
mod notices;
mod outbox;
mod principal;
mod project;
mod registry;
mod secrets;
mod settings;
mod system;
mod users;
mod write;

use std::sync::Arc;
use std::time::Duration;

use roster_domain::query::{PageLimits, Parameters};
use roster_domain::{Clock, Error, Item, Projection, Result, Schema};
use roster_storage::Store;
use serde_json::Value as Json;
use tokio::sync::Notify;

pub use bootstrap::FirstAdministrator;
pub use context::{Client, Context, Source};
pub use health::Health;
pub use host::PluginHost;
pub use login::Tokens;
pub use outbox::Deliverer;
pub use registry::{Capabilities, FieldNames, OnFailure, PluginSlot, Registry};
pub use secrets::random_secret;
pub use settings::{OutboxSettings, PasswordSettings, Secret, Settings};
pub use system::SystemClock;
pub use users::List;

use access::RightsCache;
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
    schema: Arc<Schema>,
    everything: Arc<Projection>,
    keys: Keys,
    hasher: Hasher,
    rights: RightsCache,
    registry: Registry,
    delivery: Notify,
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
        let schema = Arc::new(Schema::users());
        let hasher = Hasher::new(&settings.password)?;
        let keys = Keys::new(&settings.secrets)
            .ok_or_else(|| Error::internal("no secret to sign tokens with"))?;
        let everything = Arc::new(Projection::all(&schema));
        let clock_now = clock.now();
        let inner = Inner {
            store,
            settings,
            clock,
            schema,
            everything,
            keys,
            hasher,
            rights: RightsCache::new(),
            registry,
            delivery: Notify::new(),
            node: system::new_id(clock_now)?.to_string(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Finds out who acts. No token is the public principal, never the system.
    ///
    /// # Errors
    /// `INVALID_TOKEN`, `TOKEN_EXPIRED`, `INVALID_CREDENTIALS`.
    pub async fn authenticate(&self, token: Option<&str>, client: Client) -> Result<Context> {
        principal::authenticate(&self.inner, token, client).await
    }

    /// Makes a user. `None` when the caller may make users and not read them.
    ///
    /// # Errors
    /// See contract/users.md §4.1, and the codes of plugins.
    pub async fn create_user(
        &self,
        cx: &Context,
        body: &Json,
        parameters: &Parameters,
    ) -> Result<Option<Item>> {
        users::create::run(&self.inner, cx, body, parameters).await
    }

    /// Makes several users, all or none. `None` when the caller may not read them.
    ///
    /// # Errors
    /// As for [`Engine::create_user`], saying which item is at fault.
    pub async fn create_users(
        &self,
        cx: &Context,
        bodies: &[Json],
        parameters: &Parameters,
    ) -> Result<Option<List>> {
        users::create::many(&self.inner, cx, bodies, parameters).await
    }

    /// Changes many users, all or none: an array of records, or `keys` or `query` with `data`.
    ///
    /// # Errors
    /// As for [`Engine::update_user`], saying which item is at fault.
    pub async fn update_users(
        &self,
        cx: &Context,
        body: &Json,
        parameters: &Parameters,
    ) -> Result<Option<List>> {
        users::update::many(&self.inner, cx, body, parameters).await
    }

    /// Removes many users, all or none: an array of ids, `keys` or `query`.
    ///
    /// # Errors
    /// As for [`Engine::delete_user`].
    pub async fn delete_users(&self, cx: &Context, body: &Json) -> Result<()> {
        users::delete::many(&self.inner, cx, body).await
    }

    /// A page of users, the query being in the body.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, and those of [`Engine::list_users`].
    pub async fn search_users(&self, cx: &Context, body: &Json) -> Result<List> {
        let parameters = users::batch::search(body)?;
        users::read::list(&self.inner, cx, &parameters).await
    }

    /// Remembers the page the caller is on.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD` without a page; `INVALID_CREDENTIALS` for the public principal.
    pub async fn track_page(&self, cx: &Context, body: &Json) -> Result<()> {
        users::track::run(&self.inner, cx, body).await
    }

    /// A page of users.
    ///
    /// # Errors
    /// `FORBIDDEN`, `INVALID_QUERY`.
    pub async fn list_users(&self, cx: &Context, parameters: &Parameters) -> Result<List> {
        users::read::list(&self.inner, cx, parameters).await
    }

    /// One user.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing, forbidden and malformed ids alike; `INVALID_QUERY`.
    pub async fn read_user(&self, cx: &Context, id: &str, parameters: &Parameters) -> Result<Item> {
        users::read::one(&self.inner, cx, id, parameters).await
    }

    /// The caller. Without read permission the id alone.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` for the public principal.
    pub async fn read_me(&self, cx: &Context, parameters: &Parameters) -> Result<Item> {
        users::read::me(&self.inner, cx, parameters).await
    }

    /// Changes a user. `None` when the caller may not read the result.
    ///
    /// # Errors
    /// See contract/users.md §4, and the codes of plugins.
    pub async fn update_user(
        &self,
        cx: &Context,
        id: &str,
        body: &Json,
        parameters: &Parameters,
    ) -> Result<Option<Item>> {
        users::update::run(&self.inner, cx, id, body, parameters).await
    }

    /// Changes the caller.
    ///
    /// # Errors
    /// As for [`Engine::update_user`]; `INVALID_CREDENTIALS` for the public principal.
    pub async fn update_me(
        &self,
        cx: &Context,
        body: &Json,
        parameters: &Parameters,
    ) -> Result<Item> {
        users::update::me(&self.inner, cx, body, parameters).await
    }

    /// Removes a user.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing, forbidden and malformed ids alike; the codes of plugins.
    pub async fn delete_user(&self, cx: &Context, id: &str) -> Result<()> {
        users::delete::run(&self.inner, cx, id).await
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

    /// Goes on with a session.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, `INVALID_CREDENTIALS`.
    pub async fn refresh(&self, cx: &Context, body: &Json) -> Result<Tokens> {
        login::refresh::run(&self.inner, cx, body).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD` without a token; an unknown one is fine.
    pub async fn logout(&self, cx: &Context, body: &Json) -> Result<()> {
        login::logout::run(&self.inner, cx, body).await
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

    /// The users collection as it is now.
    pub fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.inner.schema)
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
