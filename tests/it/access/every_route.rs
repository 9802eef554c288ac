//! Every route of the OpenAPI document refuses those who have no rights.

use std::collections::BTreeSet;

use reqwest::Method;
use roster_tests::{Answer, Client, TestServer};
use serde_json::{Value as Json, json};

/// What is there for everybody. This list may only get shorter.
const OPEN: [&str; 18] = [
    "GET /auth",
    "GET /auth/login/{provider}",
    "GET /auth/login/{provider}/callback",
    "GET /metrics",
    "GET /policies/me/globals",
    "GET /server/health",
    "GET /server/info",
    "GET /server/ping",
    "GET /server/specs/oas",
    "POST /auth/login",
    "POST /auth/login/{provider}",
    "POST /auth/login/{provider}/callback",
    "POST /auth/logout",
    "POST /auth/password/request",
    "POST /auth/password/reset",
    "POST /auth/refresh",
    "POST /users/invite/accept",
    "POST /users/register",
];

/// What is there for everybody who is signed in. This list may only get shorter.
const SIGNED_IN: [&str; 17] = [
    "DELETE /users/me/sessions",
    "GET /permissions/me",
    "GET /permissions/me/{collection}",
    "GET /permissions/me/{collection}/{id}",
    "GET /roles/me",
    "GET /users/me",
    "GET /users/me/sessions",
    "GET /users/me/tokens",
    "GET /utils/random/string",
    "PATCH /users/me/track/page",
    "POST /users/me/tfa/disable",
    "POST /users/me/tfa/enable",
    "POST /users/me/tfa/generate",
    "POST /users/me/tfa/recovery-codes",
    "POST /users/me/tokens",
    "POST /utils/hash/generate",
    "POST /utils/hash/verify",
];

/// What is refused because the id in its path is nobody's.
const NAMES_NOTHING: [&str; 5] = [
    "DELETE /users/me/sessions/{id}",
    "DELETE /users/me/tokens/{id}",
    "DELETE /users/{id}/sessions/{session}",
    "DELETE /users/{id}/tokens/{token}",
    "GET /users/register/verify-email",
];

/// Every operation of the document, as in `PATCH /users/{id}`.
async fn operations(server: &TestServer) -> Vec<String> {
    let document = server.stranger().get("/server/specs/oas").await.json();
    let paths = document["paths"].as_object().expect("paths");
    let mut operations = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            match method.strip_prefix("x-") {
                None => operations.push(format!("{} {path}", method.to_uppercase())),
                Some(_) if operation["operationId"].is_string() => {
                    operations.push(format!("{} {path}", method[2..].to_uppercase()));
                }
                Some(_) => {}
            }
        }
    }
    assert!(operations.len() > 15, "{operations:?}");
    operations
}

/// A hash that costs next to nothing.
const HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// One record of each collection, for operations that need one.
struct Victims {
    user: String,
    role: String,
    policy: String,
    access: String,
    permission: String,
    activity: String,
    revision: String,
    field: String,
    file: String,
}

impl Victims {
    /// New ones, made by an administrator.
    async fn make(admin: &Client) -> Self {
        let text = |json: &Json| match &json["id"] {
            Json::String(id) => id.clone(),
            id => id.to_string(),
        };
        let user = text(&admin.post("/users", json!({})).await.data());
        let role = text(&admin.post("/roles", json!({"name": "victim"})).await.data());
        let policy = text(
            &admin
                .post("/policies", json!({"name": "victim"}))
                .await
                .data(),
        );
        let access = json!({"policy": policy, "user": user});
        let access = text(&admin.post("/access", access).await.data());
        let permission =
            json!({"policy": policy, "collection": "directus_users", "action": "delete"});
        let permission = text(&admin.post("/permissions", permission).await.data());
        let field = format!("victim_{}", &user[24..]);
        let body = json!({"field": field, "type": "uuid", "schema": {}, "meta": {}});
        admin.post("/fields/directus_users", body).await.data();
        let relation = json!({"collection": "directus_users", "field": field, "related_collection": "directus_roles"});
        admin.post("/relations", relation).await.data();
        let newest = async |path: &str| text(&admin.get(path).await.data()[0]);
        Self {
            activity: newest("/activity?limit=1").await,
            revision: newest("/revisions?limit=1").await,
            file: crate::files::uploaded_as_admin(admin).await,
            user,
            role,
            policy,
            access,
            permission,
            field,
        }
    }

    fn path(&self, path: &str) -> String {
        let id = match path.split('/').nth(1) {
            Some("roles") => &self.role,
            Some("policies") => &self.policy,
            Some("access") => &self.access,
            Some("permissions") if !path.starts_with("/permissions/me") => &self.permission,
            Some("activity") => &self.activity,
            Some("revisions") => &self.revision,
            Some("files" | "assets") => &self.file,
            _ => &self.user,
        };
        let named = path.replace("{collection}", "directus_users");
        let named = named.replace("{field}", &self.field);
        let named = named.replace("{session}", &self.user);
        let named = named.replace("{token}", &self.user);
        let named = named.replace("{provider}", "nobody");
        named.replace("{id}", id)
    }

    fn body(&self, operation: &str) -> Json {
        let title = json!({ "title": "changed" });
        let described = json!({ "description": "changed" });
        match operation {
            "PATCH /users" => json!({ "keys": [self.user], "data": title }),
            "DELETE /users" => json!([self.user]),
            "PATCH /files" => json!({ "keys": [self.file], "data": title }),
            "DELETE /files" => json!([self.file]),
            "PATCH /roles" => json!({ "keys": [self.role], "data": described }),
            "DELETE /roles" => json!([self.role]),
            "POST /roles" | "POST /policies" => json!({ "name": "made" }),
            "PATCH /roles/{id}" | "PATCH /policies/{id}" => described,
            "PATCH /policies" => json!({ "keys": [self.policy], "data": described }),
            "DELETE /policies" => json!([self.policy]),
            "POST /access" => json!({ "policy": self.policy, "user": self.user }),
            "PATCH /access" => json!({ "keys": [self.access], "data": { "sort": 7 } }),
            "PATCH /access/{id}" => json!({ "sort": 7 }),
            "DELETE /access" => json!([self.access]),
            "POST /permissions" => {
                json!({ "policy": self.policy, "collection": "directus_users", "action": "read" })
            }
            "PATCH /permissions" => {
                json!({ "keys": [self.permission.parse::<i64>().expect("a number")], "data": { "fields": ["id"] } })
            }
            "PATCH /permissions/{id}" => json!({ "fields": ["id"] }),
            "DELETE /permissions" => json!([self.permission.parse::<i64>().expect("a number")]),
            "POST /fields/{collection}" => {
                json!({ "field": format!("{}x", self.field), "type": "string" })
            }
            "PATCH /fields/{collection}" => {
                json!([{ "field": self.field, "meta": { "note": "changed" } }])
            }
            "PATCH /fields/{collection}/{field}" => json!({ "meta": { "note": "changed" } }),
            "POST /relations" => {
                json!({ "collection": "directus_users", "field": self.field, "related_collection": "directus_roles" })
            }
            "PATCH /relations/{collection}/{field}" => {
                json!({ "schema": { "on_delete": "NO ACTION" } })
            }
            "POST /utils/hash/generate" => json!({ "string": "x" }),
            "POST /utils/hash/verify" => json!({ "string": "x", "hash": HASH }),
            "POST /users/{id}/impersonate" => json!({ "reason": "a test" }),
            "PATCH /users/me/track/page" => json!({ "last_page": "/changed" }),
            operation if operation.starts_with("SEARCH") => json!({}),
            _ => title,
        }
    }
}

/// Asks for an operation on somebody who is there, with a body that would do.
async fn ask(client: &Client, operation: &str, victims: &Victims) -> Answer {
    let (method, path) = operation.split_once(' ').expect("a method and a path");
    let path = victims.path(path);
    assert!(
        !path.contains('{'),
        "say what stands for the parameters of {operation}"
    );
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    match method {
        Method::GET => client.get(&path).await,
        method => client.json(method, &path, &victims.body(operation)).await,
    }
}

async fn not_refused(
    client: &Client,
    operations: &[String],
    victims: &Victims,
) -> BTreeSet<String> {
    let mut open = BTreeSet::new();
    for operation in operations {
        let answer = ask(client, operation, victims).await;
        if !matches!(answer.status, 401 | 403) {
            open.insert(operation.clone());
        }
    }
    open
}

#[tokio::test]
async fn every_route_refuses_strangers() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let operations = operations(&server).await;
    let victims = Victims::make(&admin).await;
    let before = server.database().everything().await;

    let open = not_refused(&server.stranger(), &operations, &victims).await;

    let allowed = OPEN.map(str::to_owned).into_iter().collect();
    assert_eq!(open, allowed);
    assert_eq!(server.database().everything().await, before);
}

#[tokio::test]
async fn every_route_refuses_users_without_rights() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;
    let operations = operations(&server).await;

    let victims = Victims::make(&admin).await;

    let open = not_refused(&ada, &operations, &victims).await;

    let allowed = OPEN
        .iter()
        .chain(&SIGNED_IN)
        .map(ToString::to_string)
        .collect();
    assert_eq!(open, allowed);
    assert_eq!(
        server.database().count("users", "title = 'changed'").await,
        0
    );
    assert_eq!(ada.get("/users/me").await.data(), json!({ "id": ada.id }));
}

#[tokio::test]
async fn an_administrator_is_refused_nothing() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let operations = operations(&server).await;

    for operation in operations {
        let victims = Victims::make(&admin).await;
        if operation == "POST /relations" {
            let path = format!("/relations/directus_users/{}", victims.field);
            admin.delete(&path).await.done();
        }
        let answer = ask(&admin, &operation, &victims).await;
        // There is no provider to log in by.
        if operation.contains("{provider}") {
            let is_form = operation.starts_with("POST") && operation.ends_with("/callback");
            let expected = if is_form { 415 } else { 404 };
            assert_eq!(answer.status, expected, "{operation}: {answer}");
            continue;
        }
        if NAMES_NOTHING.contains(&operation.as_str()) {
            assert_eq!(answer.status, 403, "{operation}: {answer}");
            continue;
        }
        assert!(
            !matches!(answer.status, 401 | 403 | 404 | 500),
            "{operation}: {answer}"
        );
        let path = format!("/fields/directus_users/{}", victims.field);
        admin.delete(&path).await.done();
    }
}
