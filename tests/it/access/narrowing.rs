//! What policy plugins leave of the right to create.

use roster_sdk::{
    AccessRequest, Context, Failure, Host, Linked, Manifest, Narrowing, Plugin, Policy, StartError,
    Value, async_trait,
};
use roster_tests::{PASSWORD, Setup, TestServer};
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// Permits to create users that pass a filter, and no others.
struct Only(Config);

#[derive(Deserialize)]
struct Config {
    filter: Value,
}

#[async_trait]
impl Plugin for Only {
    type Config = Config;

    async fn start(config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        Ok(Self(config))
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("only", "1.0.0")
    }
}

#[async_trait]
impl Policy for Only {
    async fn narrow(&self, _: &Context, request: &AccessRequest) -> Result<Narrowing, Failure> {
        if (request.action.as_str(), request.collection.as_str()) != ("create", "users") {
            return Ok(Narrowing::none());
        }
        Ok(Narrowing {
            filter: Some(self.0.filter.clone()),
            ..Narrowing::none()
        })
    }
}

/// Denies whatever it is asked about.
struct Never(Scopes);

#[derive(Deserialize)]
struct Scopes {
    scopes: Vec<[String; 2]>,
}

#[async_trait]
impl Plugin for Never {
    type Config = Scopes;

    async fn start(config: Scopes, _host: &dyn Host) -> Result<Self, StartError> {
        Ok(Self(config))
    }

    fn manifest(&self) -> Manifest {
        let scopes = self.0.scopes.iter();
        scopes.fold(Manifest::new("never", "1.0.0"), |manifest, scope| {
            manifest.narrows(&scope[0], &scope[1])
        })
    }
}

#[async_trait]
impl Policy for Never {
    async fn narrow(&self, _: &Context, _: &AccessRequest) -> Result<Narrowing, Failure> {
        Ok(Narrowing::deny("never"))
    }
}

async fn narrowed_to(filter: &str) -> TestServer {
    let setup = Setup::new()
        .plugin("only", &format!("config.filter = {filter}"))
        .linked(Linked::policy::<Only>("only"));
    let setup = setup.set("users.on_archived_email", "inherit");
    setup.start().await
}

async fn outcomes(server: &TestServer, users: Json) -> Vec<String> {
    let admin = server.admin().await;
    let mut outcomes = Vec::new();
    for user in users.as_array().expect("a list") {
        outcomes.push(admin.post("/users", user.clone()).await.outcome());
    }
    outcomes
}

#[tokio::test]
async fn what_is_left_out_counts_as_much_as_what_is_sent() {
    let server = narrowed_to("{ title = { _eq = 'Dr.' }, status = { _neq = 'active' } }").await;

    let told = outcomes(
        &server,
        json!([
            { "title": "Dr.", "status": "draft" },
            { "title": "Mr.", "status": "draft" },
            { "title": "Dr.", "status": "active" },
            // The default is active.
            { "title": "Dr." },
            { "status": "draft" },
        ]),
    )
    .await;

    let refused = "403 FORBIDDEN";
    assert_eq!(told, ["200", refused, refused, refused, refused]);
}

#[tokio::test]
async fn what_hangs_on_other_records_cannot_be_told_and_is_refused() {
    let server = narrowed_to("{ role = { name = { _eq = 'staff' } } }").await;
    let admin = server.admin().await;
    let staff = admin
        .post("/roles", json!({ "name": "staff" }))
        .await
        .data();

    let told = outcomes(&server, json!([{ "role": staff["id"] }, {}])).await;

    assert_eq!(told, ["403 FORBIDDEN", "403 FORBIDDEN"]);
}

#[tokio::test]
async fn who_is_brought_back_counts_as_somebody_new() {
    let server = narrowed_to("{ title = { _eq = 'Dr.' } }").await;
    let admin = server.admin().await;
    for (email, title) in [("ann@example.com", "Dr."), ("bob@example.com", "Dr.")] {
        let user = json!({ "email": email, "title": title });
        let id = admin.post("/users", user).await.data()["id"].clone();
        let path = format!("/users/{}", id.as_str().expect("an id"));
        let change = json!({ "status": "archived" });
        admin.patch(&path, change).await.data();
    }

    let told = outcomes(
        &server,
        json!([
            { "email": "ann@example.com", "title": "Mr." },
            { "email": "bob@example.com", "title": "Dr." },
        ]),
    )
    .await;

    assert_eq!(told, ["403 FORBIDDEN", "200"]);
}

#[tokio::test]
async fn a_policy_is_asked_about_what_it_says_it_narrows() {
    let refused = "403 FORBIDDEN";
    for (scopes, expected) in [
        ("[['create', 'users']]", [refused, "200", "200", "200"]),
        ("[['create', '*']]", [refused, refused, "200", "200"]),
        ("[['*', 'users']]", [refused, "200", refused, "200"]),
        (
            "[['create', 'roles'], ['read', 'users']]",
            ["200", refused, refused, "200"],
        ),
        ("[]", [refused; 4]),
    ] {
        let setup = Setup::new()
            .plugin("never", &format!("config.scopes = {scopes}"))
            .linked(Linked::policy::<Never>("never"));
        let server = setup.start().await;
        let tokens = server.login("admin@example.com", PASSWORD).await.data();
        let token = tokens["access_token"].as_str().expect("a token");
        let admin = server.bearer(token.to_owned());

        let made = [
            admin.post("/users?fields=id", json!({})).await.status,
            admin.post("/roles", json!({ "name": "r" })).await.status,
            admin.get("/users").await.status,
            admin.get("/roles").await.status,
        ];

        let expected = expected.map(|outcome| outcome[..3].parse::<u16>().expect("a status"));
        // Whoever may not read what they made is told nothing of it.
        let made = made.map(|status| if status == 204 { 200 } else { status });
        assert_eq!(made, expected, "{scopes}");
    }
}
