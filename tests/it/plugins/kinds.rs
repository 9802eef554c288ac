//! Policies and mailers: one source, two builds, the same answers.

use std::net::{IpAddr, Ipv4Addr};

use roster_domain::{Action, Collection};
use roster_engine::{Client, Context, Source};
use roster_tests::{PASSWORD, Setup, TestServer, Upstream, eventually};
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
