//! The routes: token, statements, JSON.

use std::sync::Arc;

use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use poem::endpoint::make;
use poem::error::{BadRequest, InternalServerError};
use poem::http::{StatusCode, header};
use poem::{Endpoint, Error, Request, Response, Result, Route, get};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::database::{Change, Database, Page};

/// What the handlers share.
pub(crate) struct Api<D> {
    database: D,
    key: DecodingKey,
    validation: Validation,
}

/// The claims of an access token of Roster that matter here.
#[derive(Debug, Deserialize)]
struct Claims {
    id: Uuid,
    sid: Uuid,
}

#[derive(Serialize)]
struct Data<T> {
    data: T,
}

#[derive(Debug, Deserialize)]
struct List {
    limit: i64,
    filter: Option<String>,
    sort: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Filter {
    status: Equals,
}

#[derive(Debug, Deserialize)]
struct Equals {
    #[serde(rename = "_eq")]
    value: String,
}

#[derive(Debug, Deserialize)]
struct Body {
    title: String,
}

/// Every route.
pub(crate) fn routes<D: Database>(api: Api<D>) -> impl Endpoint + 'static {
    let api = Arc::new(api);
    let [me, change, one, list] = [(); 4].map(|()| Arc::clone(&api));
    let me = make(move |request| {
        let api = Arc::clone(&me);
        async move { api.me(&request).await }
    });
    let change = make(move |request| {
        let api = Arc::clone(&change);
        async move { api.change(request).await }
    });
    let one = make(move |request| {
        let api = Arc::clone(&one);
        async move { api.one(&request).await }
    });
    let list = make(move |request| {
        let api = Arc::clone(&list);
        async move { api.list(&request).await }
    });
    Route::new()
        .at("/users", get(list))
        .at("/users/me", get(me).patch(change))
        .at("/users/:id", get(one))
}

impl<D: Database> Api<D> {
    pub(crate) fn new(database: D, secret: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.set_issuer(&["directus"]);
        Self {
            database,
            key: DecodingKey::from_secret(secret.as_bytes()),
            validation,
        }
    }

    async fn me(&self, request: &Request) -> Result<Response> {
        let caller = self.caller(request).await?;
        found(self.database.one(caller).await)
    }

    async fn one(&self, request: &Request) -> Result<Response> {
        self.caller(request).await?;
        let id = request.raw_path_param("id").unwrap_or_default();
        found(
            self.database
                .one(Uuid::parse_str(id).map_err(BadRequest)?)
                .await,
        )
    }

    async fn list(&self, request: &Request) -> Result<Response> {
        self.caller(request).await?;
        let List {
            limit,
            filter,
            sort,
        } = request.params()?;
        let page = match (filter, sort.as_deref()) {
            (None, None) => Page::First(limit),
            (Some(filter), Some("last_name")) => {
                let filter: Filter = serde_json::from_str(&filter).map_err(BadRequest)?;
                Page::OfStatusByName(filter.status.value, limit)
            }
            _ => return Err(Error::from_status(StatusCode::BAD_REQUEST)),
        };
        json(
            &self
                .database
                .page(&page)
                .await
                .map_err(InternalServerError)?,
        )
    }

    async fn change(&self, mut request: Request) -> Result<Response> {
        let user = self.caller(&request).await?;
        let body = request.take_body().into_bytes().await?;
        let Body { title } = serde_json::from_slice(&body).map_err(BadRequest)?;
        let ip = request
            .remote_addr()
            .as_socket_addr()
            .map(std::net::SocketAddr::ip);
        found(
            self.database
                .change(&Change {
                    user,
                    title,
                    now: Utc::now(),
                    ip,
                })
                .await,
        )
    }

    /// The caller: their token is good, their session goes on, and they are active.
    async fn caller(&self, request: &Request) -> Result<Uuid> {
        let token = request.header(header::AUTHORIZATION);
        let token = token
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation);
        let Claims { id, sid } = claims.map_err(|_| stranger())?.claims;
        let status = self.database.bearer(id, sid, Utc::now()).await;
        match status.map_err(InternalServerError)?.as_deref() {
            Some("active") => Ok(id),
            _ => Err(stranger()),
        }
    }
}

fn stranger() -> Error {
    Error::from_status(StatusCode::UNAUTHORIZED)
}

fn found(user: sqlx::Result<Option<impl Serialize>>) -> Result<Response> {
    match user.map_err(InternalServerError)? {
        Some(user) => json(&user),
        None => Err(Error::from_status(StatusCode::FORBIDDEN)),
    }
}

fn json(data: &impl Serialize) -> Result<Response> {
    let mut bytes = Vec::with_capacity(1_024);
    serde_json::to_writer(&mut bytes, &Data { data }).map_err(InternalServerError)?;
    Ok(Response::builder()
        .content_type("application/json; charset=utf-8")
        .body(bytes))
}
