//! What the system can do: one use case a file, on top of storage, hooks and secrets.
//!
//! Every write follows one pipeline: grant, draft, before hooks, validation, one transaction with
//! revisions, activity and outbox, delivery after the commit. No plugin runs inside a transaction.

#![forbid(unsafe_code)]

mod access;
mod accounts;
mod bootstrap;
mod context;
mod convert;
mod deliveries;
mod fields;
mod files;
mod health;
mod hooks;
mod host;
mod login;
mod mail;
mod model;
mod outbox;
mod plugins;
mod principal;
mod project;
mod records;
mod registry;
mod rights;
mod secrets;
mod settings;
mod system;
mod utilities;
mod write;

use std::sync::Arc;
use std::time::Duration;

use roster_domain::query::{PageLimits, Parameters};
use roster_domain::{Clock, Collection, Error, Item, Model, Result};
use roster_storage::Store;
use serde_json::Value as Json;
use tokio::sync::Notify;

pub use accounts::{
    AccountSettings, ListedSession, ListedToken, Lockout, Mailing, NewToken, Proposal, Rate, Rates,
};
pub use bootstrap::FirstAdministrator;
pub use context::{Client, Context, Source};
pub use deliveries::{Delivery, Replay};
pub use files::{Asset, Upload};
pub use health::Health;
pub use host::PluginHost;
pub use login::impersonate::Impersonation;
pub use login::{Cookies, Mode, Tokens};
pub use mail::{MAILS, Preview, preview};
pub use outbox::Deliverer;
pub use plugins::{Effects, LastError, Narrowed, Narrowing, PluginStatus, SecurityEvent};
pub use records::{Items, List, Outline};
pub use registry::{Capabilities, FieldNames, OnFailure, PluginSlot, Registry};
pub use secrets::random_secret;
pub use settings::{
    FileSettings, OutboxSettings, PasswordSettings, RoleSettings, Secret, Settings, UserSettings,
};
pub use system::SystemClock;

use access::RightsCache;
use mail::Templates;
use files::Pictures;
use model::Models;
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

    /// Makes a record. `None` when the caller may make such records and not read them.
    ///
    /// # Errors
    /// See contract/users.md §4.1 and contract/access-control.md §5, and the codes of plugins.
    pub async fn create(
        &self,
        cx: &Context,
        collection: Collection,
        body: &Json,
        parameters: &Parameters,
    ) -> Result<Option<Item>> {
        records::write::create(&self.inner, cx, collection, body, parameters).await
    }

    /// Makes several records, all or none. `None` when the caller may not read them.
    ///
    /// # Errors
    /// As for [`Engine::create`], saying which item is at fault.
    pub async fn create_many(
        &self,
        cx: &Context,
        collection: Collection,
        bodies: &[Json],
        parameters: &Parameters,
    ) -> Result<Option<List>> {
        records::write::create_many(&self.inner, cx, collection, bodies, parameters).await
    }

    /// Changes many records, all or none: an array of records, or `keys` or `query` with `data`.
    ///
    /// # Errors
    /// As for [`Engine::update`], saying which item is at fault.
    pub async fn update_many(
        &self,
        cx: &Context,
        collection: Collection,
        body: &Json,
        parameters: &Parameters,
    ) -> Result<Option<List>> {
        accounts::check_acting(cx, body)?;
        records::write::update_many(&self.inner, cx, collection, body, parameters).await
    }

    /// Removes many records, all or none: an array of keys, `keys` or `query`.
    ///
    /// # Errors
    /// As for [`Engine::delete`].
    pub async fn delete_many(
        &self,
        cx: &Context,
        collection: Collection,
        body: &Json,
    ) -> Result<()> {
        records::write::delete_many(&self.inner, cx, collection, body).await
    }

    /// A page of records, the query being in the body.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, and those of [`Engine::list`].
    pub async fn search(&self, cx: &Context, collection: Collection, body: &Json) -> Result<List> {
        records::read::search(&self.inner, cx, collection, body).await
    }

    /// A page of records, or groups of them.
    ///
    /// # Errors
    /// `FORBIDDEN`, `INVALID_QUERY`.
    pub async fn list(
        &self,
        cx: &Context,
        collection: Collection,
        parameters: &Parameters,
    ) -> Result<List> {
        records::read::list(&self.inner, cx, collection, parameters).await
    }

    /// What a list would have, without reading it.
    ///
    /// # Errors
    /// Those of [`Engine::list`].
    pub async fn outline(
        &self,
        cx: &Context,
        collection: Collection,
        parameters: &Parameters,
    ) -> Result<Outline> {
        records::read::outline(&self.inner, cx, collection, parameters).await
    }

    /// One record.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing, forbidden and malformed keys alike; `INVALID_QUERY`.
    pub async fn read(
        &self,
        cx: &Context,
        collection: Collection,
        id: &str,
        parameters: &Parameters,
    ) -> Result<Item> {
        records::read::one(&self.inner, cx, collection, id, parameters).await
    }

    /// Changes a record. `None` when the caller may not read the result.
    ///
    /// # Errors
    /// See contract/users.md §4 and contract/access-control.md §6, and the codes of plugins.
    pub async fn update(
        &self,
        cx: &Context,
        collection: Collection,
        id: &str,
        body: &Json,
        parameters: &Parameters,
    ) -> Result<Option<Item>> {
        accounts::check_acting(cx, body)?;
        records::write::update(&self.inner, cx, collection, id, body, parameters).await
    }

    /// Removes a record.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing, forbidden and malformed keys alike; the codes of plugins.
    pub async fn delete(&self, cx: &Context, collection: Collection, id: &str) -> Result<()> {
        records::write::delete(&self.inner, cx, collection, id).await
    }

    /// Whether the caller may send files at all: asked before anything is read of one.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn permit_upload(&self, cx: &Context) -> Result<()> {
        files::permit(cx)
    }

    /// Makes a file from its content. `None` when the caller may make files and not read them.
    ///
    /// # Errors
    /// `UNSUPPORTED_MEDIA_TYPE` for anything but a picture, `CONTENT_TOO_LARGE`,
    /// `INVALID_PAYLOAD`, and those of [`Engine::create`].
    pub async fn upload(
        &self,
        cx: &Context,
        upload: Upload,
        parameters: &Parameters,
    ) -> Result<Option<Item>> {
        files::create(&self.inner, cx, upload, parameters).await
    }

    /// The content of a file, whole or resized; `known` is what the client has of it.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing and forbidden files alike; `INVALID_QUERY`.
    pub async fn asset(
        &self,
        cx: &Context,
        id: &str,
        parameters: &Parameters,
        known: Option<&str>,
    ) -> Result<Asset> {
        files::read(&self.inner, cx, id, parameters, known).await
    }

    /// The size of the largest file, in bytes.
    pub fn largest_file(&self) -> usize {
        self.inner.settings.files.max_size
    }

    /// The caller. Without read permission the id alone.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` for the public principal.
    pub async fn read_me(&self, cx: &Context, parameters: &Parameters) -> Result<Item> {
        records::read::me(&self.inner, cx, parameters).await
    }

    /// Changes the caller.
    ///
    /// # Errors
    /// As for [`Engine::update`]; `INVALID_CREDENTIALS` for the public principal.
    pub async fn update_me(
        &self,
        cx: &Context,
        body: &Json,
        parameters: &Parameters,
    ) -> Result<Item> {
        accounts::check_acting(cx, body)?;
        records::write::update_me(&self.inner, cx, body, parameters).await
    }

    /// The caller's role and its ancestors, the root first.
    ///
    /// # Errors
    /// `FORBIDDEN` for the public principal.
    pub async fn my_roles(&self, cx: &Context, parameters: &Parameters) -> Result<List> {
        records::read::my_roles(&self.inner, cx, parameters).await
    }

    /// The fields that the caller may know of, of one collection or of all.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn fields(&self, cx: &Context, collection: Option<&str>) -> Result<Vec<Json>> {
        match collection {
            Some(collection) => fields::of(&self.inner, cx, collection),
            None => fields::list(&self.inner, cx),
        }
    }

    /// One field.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing and forbidden ones alike.
    pub fn field(&self, cx: &Context, collection: &str, field: &str) -> Result<Json> {
        fields::one(&self.inner, cx, collection, field)
    }

    /// Changes several custom fields, one after another: an array of them with their names.
    ///
    /// # Errors
    /// See contract/fields.md §1.
    pub async fn update_fields(
        &self,
        cx: &Context,
        collection: &str,
        body: &Json,
    ) -> Result<Vec<Json>> {
        fields::update_many(&self.inner, cx, collection, body).await
    }

    /// The flags that one of the caller's policies sets.
    pub fn globals(&self, cx: &Context) -> Json {
        rights::globals(cx)
    }

    /// Everything the caller may do, by collection and action.
    ///
    /// # Errors
    /// `FORBIDDEN` for the public principal.
    pub fn my_permissions(&self, cx: &Context) -> Result<Json> {
        rights::mine(cx)
    }

    /// Whether the caller may change, remove and share a record, or any of a collection.
    ///
    /// # Errors
    /// `FORBIDDEN` for the public principal.
    pub async fn my_item_permissions(
        &self,
        cx: &Context,
        collection: &str,
        id: Option<&str>,
    ) -> Result<Json> {
        rights::of_item(&self.inner, cx, collection, id).await
    }

    /// The hash of `string`.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`; `FORBIDDEN` for the public principal.
    pub async fn generate_hash(&self, cx: &Context, body: &Json) -> Result<String> {
        utilities::generate_hash(&self.inner, cx, body).await
    }

    /// Whether `hash` is one of `string`.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`; `FORBIDDEN` for the public principal.
    pub async fn verify_hash(&self, cx: &Context, body: &Json) -> Result<bool> {
        utilities::verify_hash(&self.inner, cx, body).await
    }

    /// A random string of letters and digits.
    ///
    /// # Errors
    /// `INVALID_QUERY`; `FORBIDDEN` for the public principal.
    pub fn random_string(&self, cx: &Context, parameters: &Parameters) -> Result<String> {
        utilities::random_string(cx, parameters)
    }

    /// Adds a custom field to users.
    ///
    /// # Errors
    /// See contract/fields.md §1.
    pub async fn create_field(&self, cx: &Context, collection: &str, body: &Json) -> Result<Json> {
        fields::create(&self.inner, cx, collection, body).await
    }

    /// Changes a custom field.
    ///
    /// # Errors
    /// See contract/fields.md §1.
    pub async fn update_field(
        &self,
        cx: &Context,
        collection: &str,
        field: &str,
        body: &Json,
    ) -> Result<Json> {
        fields::update(&self.inner, cx, collection, field, body).await
    }

    /// Removes a custom field with its values.
    ///
    /// # Errors
    /// `FORBIDDEN` for built-in ones.
    pub async fn delete_field(&self, cx: &Context, collection: &str, field: &str) -> Result<()> {
        fields::delete(&self.inner, cx, collection, field).await
    }

    /// The relations that the caller may know of, of one collection or of all.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn relations(&self, cx: &Context, collection: Option<&str>) -> Result<Vec<Json>> {
        fields::relations(cx, collection)
    }

    /// One relation.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing and forbidden ones alike.
    pub fn relation(&self, cx: &Context, collection: &str, field: &str) -> Result<Json> {
        fields::relation(cx, collection, field)
    }

    /// Makes a field of users lead to other records.
    ///
    /// # Errors
    /// See contract/fields.md §7.
    pub async fn create_relation(&self, cx: &Context, body: &Json) -> Result<Json> {
        fields::create_relation(&self.inner, cx, body).await
    }

    /// Changes a relation that was added.
    ///
    /// # Errors
    /// See contract/fields.md §7.
    pub async fn update_relation(
        &self,
        cx: &Context,
        collection: &str,
        field: &str,
        body: &Json,
    ) -> Result<Json> {
        fields::update_relation(&self.inner, cx, collection, field, body).await
    }

    /// Takes a relation away that was added.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing and built-in ones.
    pub async fn delete_relation(&self, cx: &Context, collection: &str, field: &str) -> Result<()> {
        fields::delete_relation(&self.inner, cx, collection, field).await
    }

    /// The collections that the caller may read.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn collections(&self, cx: &Context) -> Result<Vec<Json>> {
        fields::collections(&self.inner, cx)
    }

    /// One collection.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn collection(&self, cx: &Context, name: &str) -> Result<Json> {
        fields::collection(&self.inner, cx, name)
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
