use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::Answer;
use crate::config::{ADMIN, PASSWORD};

/// A server that runs somewhere: where it is, and who can ask it.
#[derive(Debug, Clone)]
pub struct Site {
    base: String,
    http: reqwest::Client,
}

/// Somebody who asks a server, signed in or not.
#[derive(Debug, Clone)]
pub struct Client {
    /// Their id, if they are signed in.
    pub id: String,
    /// Their address, if they are signed in.
    pub email: String,
    /// The token that every request carries.
    pub token: Option<String>,
    /// What gives the next tokens.
    pub refresh_token: String,
    site: Site,
}

impl Site {
    /// The server at this address.
    pub(crate) fn at(base: String) -> Self {
        // The server's own client brings its provider along; that of the tests needs one as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("an HTTP client");
        Self { base, http }
    }

    /// The address, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The address as a socket has it.
    pub fn socket(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Nobody in particular.
    pub fn stranger(&self) -> Client {
        Client {
            id: String::new(),
            email: String::new(),
            token: None,
            refresh_token: String::new(),
            site: self.clone(),
        }
    }

    /// Somebody with this token.
    pub fn bearer(&self, token: impl Into<String>) -> Client {
        Client {
            token: Some(token.into()),
            ..self.stranger()
        }
    }

    /// The administrator.
    pub async fn admin(&self) -> Client {
        self.sign_in(ADMIN).await
    }

    /// A new user without a role, `ada@example.com` for `ada`, signed in.
    pub async fn member(&self, name: &str) -> Client {
        let email = format!("{name}@example.com");
        let user = json!({ "email": email, "password": PASSWORD, "first_name": name });
        self.admin().await.post("/users", user).await.data();
        self.sign_in(&email).await
    }

    /// Somebody who is there already, with the password everybody has.
    #[track_caller]
    pub fn sign_in(&self, email: &str) -> impl Future<Output = Client> {
        let (site, email) = (self.clone(), email.to_owned());
        async move {
            let tokens = site.login(&email, PASSWORD).await.data();
            let text = |name: &str| tokens[name].as_str().expect("a token").to_owned();
            let mut client = site.bearer(text("access_token"));
            client.refresh_token = text("refresh_token");
            client.email = email;
            client.id = client.get("/users/me").await.data()["id"]
                .as_str()
                .expect("an id")
                .into();
            client
        }
    }

    /// A login with e-mail and password.
    pub async fn login(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.stranger().post("/auth/login", body).await
    }

    /// A refresh.
    pub async fn refresh(&self, token: &str) -> Answer {
        let body = json!({ "refresh_token": token, "mode": "json" });
        self.stranger().post("/auth/refresh", body).await
    }

    /// A logout.
    pub async fn logout(&self, token: &str) -> Answer {
        self.stranger()
            .post("/auth/logout", json!({ "refresh_token": token }))
            .await
    }
}

impl Client {
    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    /// Reads with these parameters.
    pub async fn query(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let url = reqwest::Url::parse_with_params("http://x/", parameters).expect("a URL");
        self.get(&format!("{path}?{}", url.query().unwrap_or_default()))
            .await
    }

    /// Reads the users that pass a filter.
    pub async fn filter(&self, filter: Json) -> Answer {
        self.query("/users", &[("filter", &filter.to_string())])
            .await
    }

    /// Makes or does.
    pub async fn post(&self, path: &str, body: Json) -> Answer {
        self.json(Method::POST, path, &body).await
    }

    /// Changes.
    pub async fn patch(&self, path: &str, body: Json) -> Answer {
        self.json(Method::PATCH, path, &body).await
    }

    /// Removes.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], Vec::new()).await
    }

    /// Sends JSON.
    pub async fn json(&self, method: Method, path: &str, body: &Json) -> Answer {
        self.raw(method, path, body.to_string()).await
    }

    /// Sends bytes that are said to be JSON.
    pub async fn raw(&self, method: Method, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.send(
            method,
            path,
            &[("content-type", "application/json")],
            body.into(),
        )
        .await
    }

    /// Sends anything.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        self.try_send(method, path, headers, body)
            .await
            .expect("an answer")
    }

    /// Makes or does, on a server that may go away: nothing if there is no whole answer.
    pub async fn try_post(&self, path: &str, body: Json) -> Option<Answer> {
        self.try_json(Method::POST, path, &body).await
    }

    /// Changes, on a server that may go away: nothing if there is no whole answer.
    pub async fn try_patch(&self, path: &str, body: Json) -> Option<Answer> {
        self.try_json(Method::PATCH, path, &body).await
    }

    async fn try_json(&self, method: Method, path: &str, body: &Json) -> Option<Answer> {
        let headers = [("content-type", "application/json")];
        let body = body.to_string().into_bytes();
        self.try_send(method, path, &headers, body).await.ok()
    }

    async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> reqwest::Result<Answer> {
        let mut request = self
            .site
            .http
            .request(method, format!("{}{path}", self.site.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes: Vec<u8> = response.bytes().await?.into();
        Ok(Answer {
            status,
            headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        })
    }

    /// The same user with another token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self {
            token: Some(token.into()),
            ..self.clone()
        }
    }

    /// Themselves, by the path of their id.
    pub fn path(&self) -> String {
        format!("/users/{}", self.id)
    }
}
