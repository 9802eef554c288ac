//! The REST API: Directus' wire format for the use cases of the engine.
//!
//! A request passes, from the outside in, `observe` (its id, a log line, metrics),
//! `guard::Harden` (headers), `origins` (browsers of other origins), `guard::Answer` (every
//! error and panic becomes an answer), `pages::Worded` (refusals in words, where a page was asked
//! for), `principal` (who calls) and then its route: a method of `users`, `auth` or `server`, or
//! one of the `pages`, which asks the engine and wraps what comes back. There are no rules here,
//! and no way around the engine.

#![forbid(unsafe_code)]

mod asset;
mod auth;
mod batch;
mod body;
mod caller;
mod collections;
mod cookies;
mod docs;
mod document;
mod envelope;
mod error;
mod explain;
mod export;
mod fields;
mod files;
mod guard;
mod import;
mod info;
mod invite;
mod network;
mod observe;
mod origins;
mod pages;
mod parameters;
mod plugins;
mod principal;
mod providers;
mod query;
mod record;
mod register;
mod request_id;
mod rights;
mod routes;
mod sent_on;
mod serve;
mod server;
mod sessions;
mod settings;
mod tfa;
mod tokens;
mod upload;
mod users;
mod utilities;

use std::sync::Arc;

use poem::http::Method;
use poem::{Endpoint, EndpointExt, Response};
use roster_engine::Engine;

pub use cookies::CookieSettings;
pub use document::document;
pub use network::Network;
pub use serve::serve;

use auth::AuthApi;
use body::MaxBody;
use collections::{
    AccessApi, ActivityApi, PermissionsApi, PoliciesApi, RevisionsApi, RolesApi, SEARCHED, Search,
};
use cookies::Jar;
use explain::ExplainApi;
use fields::FieldsApi;
use files::FilesApi;
use guard::{Answer, Harden};
use import::ImportApi;
use invite::InviteApi;
use observe::Observe;
use origins::Origins;
use pages::{Desk, Worded};
use plugins::PluginsApi;
use principal::Authenticate;
use providers::ProvidersApi;
use register::RegisterApi;
use rights::RightsApi;
use routes::Methods;
use server::{Served, ServerApi};
use sessions::SessionsApi;
use settings::SettingsApi;
use tfa::SecondFactorApi;
use tokens::TokensApi;
use users::UsersApi;
use utilities::UtilitiesApi;

/// What the API has to know about its surroundings.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// Where clients reach the server, with no slash at its end.
    pub public_url: String,
    /// The size of the largest request body, in bytes.
    pub max_body: usize,
    /// Whose forwarded headers count.
    pub trusted_proxies: Vec<Network>,
    /// Origins that browsers may call from, as browsers write them.
    pub cors_origins: Vec<String>,
    /// Whether a token may stand in the query string.
    pub query_tokens: bool,
    /// What browsers are told about our cookies.
    pub cookies: CookieSettings,
    /// Whether there are pages for people under `/admin`.
    pub has_pages: bool,
}

/// The resources of accounts.
type Accounts = (
    SessionsApi,
    SecondFactorApi,
    TokensApi,
    InviteApi,
    RegisterApi,
);

/// Every resource, in the order of the document.
type Resources = (
    (UsersApi, AuthApi, ProvidersApi),
    Accounts,
    (RolesApi, PoliciesApi, AccessApi, PermissionsApi),
    (RightsApi, ExplainApi, FieldsApi),
    (ActivityApi, RevisionsApi, FilesApi),
    (
        SettingsApi,
        (UtilitiesApi, ImportApi),
        ServerApi,
        PluginsApi,
    ),
);

/// The whole API over an engine; `metrics` renders what `/metrics` sends.
pub fn endpoint(
    engine: Engine,
    settings: ApiSettings,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
) -> impl Endpoint<Output = Response> + 'static {
    let jar = Jar::new(
        settings.cookies.clone(),
        &settings.public_url,
        &settings.cors_origins,
    );
    let jar = Arc::new(jar);
    let desk = settings
        .has_pages
        .then(|| Desk::new(engine.clone(), &settings.public_url));
    let resources = resources(&engine, settings.public_url, settings.has_pages, metrics);
    let searches = SEARCHED.map(|(path, collection)| {
        let search = Search {
            engine: engine.clone(),
            collection,
        };
        (path, collections::search_method(), search.boxed())
    });
    let further = searches.into_iter().collect();
    let routes = routes::routes(resources, further);
    let routes = docs::routes()
        .into_iter()
        .fold(routes, |routes, (path, page)| {
            routes.at(path, Methods::new(path, vec![(Method::GET, page.boxed())]))
        });
    let pages = desk.iter().flat_map(pages::routes);
    let routes = pages.fold(routes, |routes, (path, page)| routes.at(path, page));
    // The order, from the inside out.
    let endpoint = routes
        .data(MaxBody(settings.max_body))
        .data(Arc::clone(&jar));
    let endpoint = Authenticate {
        inner: endpoint,
        engine,
        proxies: settings.trusted_proxies.into(),
        query_tokens: settings.query_tokens,
        jar,
    };
    let endpoint = Worded {
        inner: endpoint,
        desk,
    };
    let endpoint = Answer { inner: endpoint };
    let endpoint = Origins::new(endpoint, &settings.cors_origins);
    let endpoint = Harden { inner: endpoint };
    Observe { inner: endpoint }
}

fn resources(
    engine: &Engine,
    public_url: String,
    has_pages: bool,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
) -> Resources {
    let engine = || engine.clone();
    (
        (
            UsersApi { engine: engine() },
            AuthApi { engine: engine() },
            ProvidersApi {
                engine: engine(),
                public_url: public_url.clone(),
                has_pages,
            },
        ),
        accounts(&engine(), &public_url),
        (
            RolesApi { engine: engine() },
            PoliciesApi { engine: engine() },
            AccessApi { engine: engine() },
            PermissionsApi { engine: engine() },
        ),
        (
            RightsApi { engine: engine() },
            ExplainApi { engine: engine() },
            FieldsApi { engine: engine() },
        ),
        (
            ActivityApi { engine: engine() },
            RevisionsApi { engine: engine() },
            FilesApi { engine: engine() },
        ),
        (
            SettingsApi { engine: engine() },
            (
                UtilitiesApi { engine: engine() },
                ImportApi { engine: engine() },
            ),
            ServerApi {
                engine: engine(),
                metrics,
                document: Served::at(public_url),
            },
            PluginsApi { engine: engine() },
        ),
    )
}

fn accounts(engine: &Engine, public_url: &str) -> Accounts {
    let engine = || engine.clone();
    (
        SessionsApi { engine: engine() },
        SecondFactorApi { engine: engine() },
        TokensApi { engine: engine() },
        InviteApi { engine: engine() },
        RegisterApi {
            engine: engine(),
            public_url: public_url.to_owned(),
        },
    )
}
