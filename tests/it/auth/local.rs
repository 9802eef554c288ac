//! The local password is a provider like others, but for the one call that it alone is given.

use roster_sdk::{
    AuthProvider, AuthStyle, Context, Credentials, HookError, Host, Identity, Linked, Manifest,
    Plugin, StartError, async_trait,
};
use roster_tests::{ADMIN, PASSWORD, Setup, TestServer};
use serde_json::{Value as Json, json};

/// Asks for what it is not given.
struct Nosy;

#[async_trait]
impl Plugin for Nosy {
    type Config = Json;

    async fn start(_config: Json, _host: &dyn Host) -> Result<Self, StartError> {
        Ok(Self)
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("nosy", "1.0.0").authenticates(AuthStyle::Credentials)
    }
}

#[async_trait]
impl AuthProvider for Nosy {
    async fn authenticate(
        &self,
        cx: &Context,
        credentials: &Credentials,
    ) -> Result<Identity, HookError> {
        let refused = cx.host.verify_credentials(credentials).await;
        let refused = refused.expect_err("a refusal").to_string();
        assert_eq!(
            refused,
            "denied: `plugins.nosy.capabilities.credentials` is not granted"
        );
        Ok(Identity {
            external_identifier: "nosy-1".to_owned(),
            ..Identity::default()
        })
    }
}

#[tokio::test]
async fn no_other_plugin_may_ask_whose_password_something_is() {
    let linked = Linked::auth_provider::<Nosy>("nosy");
    let setup = Setup::new().linked(linked);
    let server = setup
        .plugin("nosy", "login = { register = true }")
        .start()
        .await;
    let body = json!({ "identifier": ADMIN, "password": PASSWORD });

    let answer = server.stranger().post("/auth/login/nosy", body).await;

    // Its own assertion held, else it would have panicked and let nobody in.
    assert_eq!(answer.status, 200, "{answer}");
}

#[tokio::test]
async fn a_linked_plugin_of_its_name_does_not_take_its_place() {
    let linked = Linked::auth_provider::<Nosy>("password");
    let server = Setup::new().linked(linked).start().await;

    assert_eq!(server.login(ADMIN, PASSWORD).await.status, 200);
    assert_eq!(
        server.login(ADMIN, "wrong").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}

#[tokio::test]
async fn it_can_be_turned_off() {
    let server = TestServer::start().await;
    let tokens = server.login(ADMIN, PASSWORD).await.data();
    let token = |name: &str| tokens[name].as_str().expect("a token").to_owned();
    let providers = server.stranger().get("/auth").await.json();
    assert_eq!(providers, json!({ "data": [], "disableDefault": false }));
    let database = server.stop().await;

    let off = Setup::new().plugin("password", "enabled = false");
    let server = off.on(&database).start().await;

    let providers = server.stranger().get("/auth").await.json();
    assert_eq!(providers, json!({ "data": [], "disableDefault": true }));
    let login = server.login(ADMIN, PASSWORD).await;
    assert_eq!(login.outcome(), "404 ROUTE_NOT_FOUND");
    let refresh = server.refresh(&token("refresh_token")).await;
    assert_eq!(refresh.outcome(), "503 INVALID_PROVIDER_CONFIG");
    // Who has a token has it until it ends, and may end it.
    let admin = server.bearer(token("access_token"));
    assert_eq!(admin.get("/users/me").await.status, 200);
    let out = server.logout(&token("refresh_token")).await;
    assert_eq!(out.status, 204);
}

#[tokio::test]
async fn another_section_may_be_the_local_password_and_has_its_name_on_the_wire() {
    let setup = Setup::new().plugin("own", "source = 'builtin:password'\ntimeout = '1ms'");
    let server = setup.start().await;
    let admin = server.admin().await;

    let plugins = admin.get("/server/plugins").await.data();
    let names = plugins.as_array().expect("a list").iter();
    let names: Vec<&str> = names.filter_map(|plugin| plugin["name"].as_str()).collect();
    assert_eq!(names, ["log", "own"]);
    let body = json!({ "identifier": ADMIN, "password": PASSWORD });
    let other = server.stranger().post("/auth/login/own", body).await;
    assert_eq!(other.outcome(), "404 ROUTE_NOT_FOUND");
}
