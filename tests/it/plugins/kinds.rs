//! Policies, auth providers and mailers: one source, two builds, the same answers.

use std::net::{IpAddr, Ipv4Addr};

use roster_domain::{Action, Collection};
use roster_engine::{Client, Context, Source};
use roster_redirect_plugin::RedirectProvider;
use roster_sdk::{BeginLogin, Callback, Credentials, Linked};
use roster_tests::{Asked, PASSWORD, Setup, TestServer, Told, Upstream, eventually};
use serde_json::{Value as Json, json};

/// A plugin that is linked already, natively and as a component.
fn both(name: &str, package: &str, section: &str) -> [Setup; 2] {
    [
        Setup::new().plugin(
            name,
            &format!("source = 'builtin'\ntimeout = '10s'\n{section}"),
        ),
        Setup::new().guest(name, package, section),
    ]
}

async fn context(server: &TestServer, token: Option<&str>) -> Context {
    let client = Client {
        request_id: "test".to_owned(),
        source: Source::Rest,
        ip: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        user_agent: None,
        origin: None,
        only_reads: false,
    };
    let engine = server.server().engine();
    engine.authenticate(token, client).await.expect("a context")
}

/// What is left of an action on users, as text.
async fn narrowed(server: &TestServer, token: Option<&str>, action: Action) -> String {
    let cx = context(server, token).await;
    let engine = server.server().engine();
    match engine.narrow(&cx, action, Collection::Users).await {
        Ok(narrowing) => {
            let by: Vec<&str> = narrowing.by.iter().map(|by| by.plugin.as_str()).collect();
            let filters = json!(narrowing.filters);
            let fields = narrowing.dropped_fields;
            format!(
                "deny {:?} filters {filters} without {fields:?} by {by:?}",
                narrowing.deny
            )
        }
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_policy_that_asks_for_the_callers_address() {
    let granted = "
        capabilities = { users = 'read', fields.read = ['email'] }
        config = { exempt = ['example.com'], drop = ['location'] }
    ";
    let name = "email-domain-scope";

    for setup in both(name, "roster-email-domain-scope", granted) {
        let server = setup.start().await;
        let admin = server.admin().await;
        let user = json!({ "email": "ada@other.example", "password": PASSWORD });
        admin.post("/users", user).await.data();
        let ada = server.sign_in("ada@other.example").await;

        let mut answers = Vec::new();
        for (token, action) in [
            (admin.token.as_deref(), Action::Read),
            (ada.token.as_deref(), Action::Read),
            (ada.token.as_deref(), Action::Create),
            (None, Action::Read),
        ] {
            answers.push(narrowed(&server, token, action).await);
        }
        insta::allow_duplicates! {
            insta::assert_snapshot!(answers.join("\n"), @r#"
            deny None filters [] without {} by []
            deny None filters [{"email":{"_iends_with":"@other.example"}}] without {"location"} by ["email-domain-scope"]
            deny None filters [] without {} by []
            deny None filters [] without {} by []
            "#);
        }
    }
}

#[tokio::test]
async fn a_policy_that_fails_permits_nothing_unless_it_may_be_skipped() {
    let name = "email-domain-scope";

    for on_failure in ["reject", "skip"] {
        let section = format!("on_failure = '{on_failure}'");
        for setup in both(name, "roster-email-domain-scope", &section) {
            let server = setup.start().await;
            let tokens = server.login("admin@example.com", PASSWORD).await.data();
            let answer = narrowed(&server, tokens["access_token"].as_str(), Action::Read).await;
            match on_failure {
                "reject" => assert!(answer.starts_with("PLUGIN_FAILED"), "{answer}"),
                _ => assert_eq!(answer, "deny None filters [] without {} by []"),
            }
        }
    }
}

#[tokio::test]
async fn several_policies_narrow_together() {
    let never = "source = 'builtin:business-hours'\npriority = 200\nconfig = { days = [], actions = ['update'] }";
    let granted = "capabilities = { users = 'read', fields.read = ['email'] }";
    let [native, component] = both("email-domain-scope", "roster-email-domain-scope", granted);
    let never_guest = "priority = 200\nconfig = { days = [], actions = ['update'] }";
    let setups = [
        native.plugin("hours", never),
        component.guest("hours", "roster-business-hours", never_guest),
    ];

    for setup in setups {
        let server = setup.start().await;
        let admin = server.admin().await;
        let token = admin.token.as_deref();
        let answers = [
            narrowed(&server, token, Action::Read).await,
            narrowed(&server, token, Action::Update).await,
        ];
        insta::allow_duplicates! {
            insta::assert_snapshot!(answers.join("\n"), @r#"
            deny None filters [{"email":{"_iends_with":"@example.com"}}] without {} by ["email-domain-scope"]
            deny Some("This can be done during business hours only.") filters [{"email":{"_iends_with":"@example.com"}}] without {} by ["email-domain-scope", "hours"]
            "#);
        }
    }
}

/// Knows Ada by her code and by her password.
fn knows_ada(asked: &Asked) -> Told {
    let body: Json = serde_json::from_str(&asked.body).unwrap_or_default();
    let is_ada = match asked.line.as_str() {
        "POST /token" => {
            body["code"] == "ada-code" && body["redirect_uri"] == "https://here.example/back"
        }
        "POST /check" => body["name"] == "ada" && body["secret"] == "sesame",
        "POST /odd" => return (200, Vec::new(), "{}".to_owned()),
        _ => false,
    };
    if is_ada {
        let ada = json!({
            "external_identifier": "ada-1", "email": "ada@example.com", "email_verified": true,
            "first_name": "Ada", "data": { "groups": ["math"] },
        });
        (200, Vec::new(), ada.to_string())
    } else {
        (401, Vec::new(), String::new())
    }
}

#[tokio::test]
async fn an_auth_provider_sends_the_browser_away_and_knows_it_when_it_comes_back() {
    let upstream = Upstream::start(knows_ada).await;
    let url = upstream.url();
    let section = format!("capabilities.http = ['{url}']\nconfig = {{ server = '{url}' }}");
    let native = Setup::new().linked(Linked::auth_provider::<RedirectProvider>("redirect"));
    let native = native.plugin("redirect", &format!("timeout = '10s'\n{section}"));
    let component = Setup::new().guest("redirect", "roster-redirect-plugin", &section);

    for setup in [native, component] {
        let server = setup.start().await;
        let engine = server.server().engine();
        let cx = context(&server, None).await;
        let redirect_uri = "https://here.example/back".to_owned();
        let request = BeginLogin {
            redirect_uri: redirect_uri.clone(),
        };
        let begun = engine
            .begin_login_with(&cx, "redirect", &request)
            .await
            .expect("an address");
        let nonce = begun.state["nonce"].as_str().expect("a nonce").to_owned();
        let expected = format!("{url}/authorize?redirect_uri={redirect_uri}&state={nonce}");
        assert_eq!((begun.url, nonce.len()), (expected, 32));

        let callback = |code: &str, state: &str| Callback {
            redirect_uri: redirect_uri.clone(),
            state: begun.state.clone(),
            parameters: [("code", code), ("state", state)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        };
        let ada = engine
            .complete_login_with(&cx, "redirect", &callback("ada-code", &nonce))
            .await;
        let wrong = engine
            .complete_login_with(&cx, "redirect", &callback("other", &nonce))
            .await;
        let forged = engine
            .complete_login_with(&cx, "redirect", &callback("ada-code", "x"))
            .await;

        let ada = ada.expect("ada");
        assert_eq!(ada.external_identifier, "ada-1");
        assert_eq!(
            (ada.email.as_deref(), ada.email_verified),
            (Some("ada@example.com"), true)
        );
        assert_eq!(ada.data["groups"], json!(["math"]));
        let code = |error: roster_domain::Error| error.code().as_str().into_owned();
        assert_eq!(wrong.map_err(code), Err("INVALID_CREDENTIALS".to_owned()));
        assert_eq!(forged.map_err(code), Err("STATE_MISMATCH".to_owned()));

        let credentials = |secret: &str| Credentials {
            identifier: "ada".to_owned(),
            secret: secret.to_owned(),
        };
        let right = engine
            .authenticate_with(&cx, "redirect", &credentials("sesame"))
            .await;
        assert_eq!(right.expect("ada"), ada);
        for bad in ["sesam", ""] {
            let refused = engine
                .authenticate_with(&cx, "redirect", &credentials(bad))
                .await;
            assert_eq!(refused.map_err(code), Err("INVALID_CREDENTIALS".to_owned()));
        }
        let nobody = engine
            .authenticate_with(&cx, "log", &credentials("sesame"))
            .await;
        assert_eq!(nobody.map_err(code), Err("ROUTE_NOT_FOUND".to_owned()));
    }
}

#[tokio::test]
async fn a_provider_that_identifies_nobody_or_cannot_be_asked_is_a_failure() {
    let upstream = Upstream::start(|_| {
        (
            200,
            Vec::new(),
            json!({ "external_identifier": "" }).to_string(),
        )
    })
    .await;
    let url = upstream.url();
    let config = format!("config = {{ server = '{url}' }}");
    let granted = format!("capabilities.http = ['{url}']\n{config}");

    for section in [granted, config] {
        let server = Setup::new()
            .guest("redirect", "roster-redirect-plugin", &section)
            .start()
            .await;
        let cx = context(&server, None).await;
        let credentials = Credentials {
            identifier: "ada".to_owned(),
            secret: "sesame".to_owned(),
        };
        let engine = server.server().engine();
        let refused = engine
            .authenticate_with(&cx, "redirect", &credentials)
            .await;
        let code = refused.map_err(|error| error.code().as_str().into_owned());
        assert_eq!(code, Err("PLUGIN_FAILED".to_owned()));
    }
}

#[tokio::test]
async fn a_mailer_that_posts_to_a_service() {
    let mut seen = Vec::new();
    for build in 0..2 {
        let upstream = Upstream::start(|_| (202, Vec::new(), String::new())).await;
        let url = upstream.url();
        let section = format!(
            "capabilities.http = ['{url}']\nconfig = {{ url = '{url}/send', token = 'secret' }}"
        );
        let setup = both("http-mailer", "roster-http-mailer", &section)
            .into_iter()
            .nth(build)
            .expect("one of two");
        let server = setup.set("mail.mailer", "http-mailer").start().await;
        let admin = server.admin().await;

        let body = json!({ "password": "another good one", "current_password": PASSWORD });
        assert_eq!(admin.patch("/users/me", body).await.outcome(), "200");

        let asked = eventually("a mail", async || upstream.asked().pop()).await;
        assert_eq!(asked.header("authorization"), "Bearer secret");
        assert_eq!(asked.header("idempotency-key").len(), 36);
        let mut body: Json = serde_json::from_str(&asked.body).expect("JSON");
        // Both say when it was.
        (body["text"], body["html"]) = (Json::Null, Json::Null);
        seen.push((asked.line, body));
        server.settled().await;
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].1["subject"], "Your password was changed");
}

#[tokio::test]
async fn a_webhook_tells_an_endpoint_what_happened_signed_and_again_until_it_is_heard() {
    let mut seen = Vec::new();
    for build in 0..2 {
        let refusals = std::sync::atomic::AtomicU32::new(0);
        let upstream = Upstream::start(move |_| {
            let turn = refusals.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            (if turn == 0 { 503 } else { 204 }, Vec::new(), String::new())
        })
        .await;
        let url = upstream.url();
        let section = format!(
            "capabilities = {{ http = ['{url}'], fields.read = ['title'] }}\n\
             config = {{ url = '{url}/hook', events = ['users.update'], \
             secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }}"
        );
        let setup = both("webhook", "roster-webhook", &section)
            .into_iter()
            .nth(build)
            .expect("one of two");
        let server = setup.start().await;
        let admin = server.admin().await;

        admin
            .patch("/users/me", json!({ "title": "x" }))
            .await
            .data();

        server.settled().await;
        let asked = upstream.asked();
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert_eq!(asked[0].header("webhook-id"), asked[1].header("webhook-id"));
        let signature = asked[1].header("webhook-signature");
        assert!(
            signature.starts_with("v1,") && signature.len() == 47,
            "{signature}"
        );
        let body: Json = serde_json::from_str(&asked[1].body).expect("JSON");
        assert_eq!(body["data"]["id"], json!(admin.id));
        seen.push(json!([
            body["type"],
            body["data"]["record"],
            body["data"]["changed"]
        ]));
    }
    assert_eq!(
        seen[0],
        json!(["users.update", { "title": "x" }, ["title"]])
    );
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn what_a_policy_takes_away_is_gone_from_every_route() {
    let granted = "
        capabilities = { users = 'read', fields.read = ['email'] }
        config = { exempt = ['example.com'], drop = ['location'] }
    ";

    for setup in both("email-domain-scope", "roster-email-domain-scope", granted) {
        let server = setup.start().await;
        let admin = server.admin().await;
        let role = admin.get("/users/me").await.data()["role"].clone();
        for email in ["ada@other.example", "eve@other.example"] {
            let user =
                json!({ "email": email, "password": PASSWORD, "role": role, "location": "Here" });
            admin.post("/users", user).await.data();
        }
        let ada = server.sign_in("ada@other.example").await;
        let first = admin.id.clone();

        // Administrators are bound as well.
        let users = ada
            .get("/users?sort=email&fields=email&meta=*")
            .await
            .json();
        assert_eq!(
            users["data"],
            json!([{ "email": "ada@other.example" }, { "email": "eve@other.example" }])
        );
        assert_eq!(
            users["meta"],
            json!({ "total_count": 2, "filter_count": 2 })
        );
        let count = ada.get("/users?aggregate[count]=*").await.data();
        assert_eq!(count, json!([{ "count": 2 }]));
        assert!(ada.get("/users/me").await.data().get("location").is_none());
        let nested = ada
            .get("/roles?fields=users.email&deep[users][_sort]=email")
            .await
            .data();
        assert_eq!(
            nested[0]["users"].as_array().map(Vec::len),
            Some(2),
            "{nested}"
        );
        for (outcome, answer) in [
            ("403 FORBIDDEN", ada.get(&format!("/users/{first}")).await),
            ("403 FORBIDDEN", ada.get("/users?fields=location").await),
            ("403 FORBIDDEN", ada.get("/users?sort=location").await),
            (
                "403 FORBIDDEN",
                ada.get("/users?filter[location][_eq]=Here").await,
            ),
            (
                "403 FORBIDDEN",
                ada.patch(&format!("/users/{first}"), json!({ "title": "x" }))
                    .await,
            ),
            (
                "403 FORBIDDEN",
                ada.delete(&format!("/users/{first}")).await,
            ),
            (
                "403 FORBIDDEN",
                ada.patch("/users/me", json!({ "location": "x" })).await,
            ),
            ("200", ada.patch("/users/me", json!({ "title": "x" })).await),
        ] {
            assert_eq!(answer.outcome(), outcome, "{}", answer.text);
        }
        let mine = ada.get("/permissions/me").await.data();
        let read = &mine["directus_users"]["read"];
        assert_eq!(read["access"], "partial");
        let fields = read["fields"].as_array().expect("fields");
        assert!(fields.contains(&json!("email")) && !fields.contains(&json!("location")));
        assert_eq!(
            admin.get("/users").await.data().as_array().map(Vec::len),
            Some(3)
        );
    }
}

#[tokio::test]
async fn a_policy_that_denies_says_why_and_one_that_fails_takes_no_more_than_it_was_asked() {
    let never = "config = { days = [], actions = ['update'] }";
    for setup in both("business-hours", "roster-business-hours", never) {
        let server = setup.start().await;
        let admin = server.admin().await;
        let refused = admin.patch("/users/me", json!({ "title": "x" })).await;
        assert_eq!(refused.outcome(), "403 FORBIDDEN");
        assert!(!refused.text.contains("does not exist"), "{}", refused.text);
        assert_eq!(admin.get("/users/me").await.outcome(), "200");
        let role = json!({ "name": "r" });
        assert_eq!(admin.post("/roles", role).await.outcome(), "200");
    }
    // Without its capability it cannot do its work.
    for setup in both("email-domain-scope", "roster-email-domain-scope", "") {
        let server = setup.start().await;
        let admin = server.stranger();
        assert_eq!(admin.get("/server/ping").await.status, 200);
        let tokens = server.login("admin@example.com", PASSWORD).await.data();
        let admin = server.bearer(tokens["access_token"].as_str().expect("a token"));
        let failed = admin.get("/users/me").await;
        assert_eq!(failed.codes(), ["PLUGIN_FAILED"], "{}", failed.text);
        assert_eq!(admin.get("/policies").await.outcome(), "200");
    }
}
