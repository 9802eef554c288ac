//! Claims for access tokens, and what is told of what happens at the door.

use roster_engine::{Client, Context, SecurityEvent, Source};
use roster_sdk::{Linked, Map, Value as Json};
use roster_stock_plugin::Stock;
use roster_tests::{Setup, TestServer};
use serde_json::json;
use uuid::Uuid;

fn both(section: &str) -> [Setup; 2] {
    let section = format!(
        "timeout = '10s'\ncapabilities = {{ store = true, fields.read = ['title', 'email'] }}\n{section}"
    );
    [
        Setup::new()
            .linked(Linked::hooks::<Stock>("stock"))
            .plugin("stock", &section),
        Setup::new().guest(
            "stock",
            "roster-stock-plugin",
            section.trim_start_matches("timeout = '10s'\n"),
        ),
    ]
}

async fn public(server: &TestServer) -> Context {
    let client = Client {
        request_id: "test".to_owned(),
        source: Source::Rest,
        ip: None,
        user_agent: None,
        origin: None,
        only_reads: false,
    };
    let engine = server.server().engine();
    engine.authenticate(None, client).await.expect("the public")
}

fn user() -> Map<String, Json> {
    let user = json!({ "title": "Countess", "email": "ada@example.com", "status": "active" });
    user.as_object().expect("an object").clone()
}

#[tokio::test]
async fn hooks_add_claims_and_never_reserved_ones() {
    for (config, expected) in [
        ("", Ok(json!({ "title": "Countess" }))),
        (
            "config = { claims = { team = 'math' } }",
            Ok(json!({ "title": "Countess", "team": "math" })),
        ),
        (
            "config = { claims = { admin_access = true } }",
            Err("PLUGIN_FAILED".to_owned()),
        ),
        (
            "config = { claims = { sub = 'x' } }",
            Err("PLUGIN_FAILED".to_owned()),
        ),
    ] {
        for setup in both(config) {
            let server = setup.start().await;
            let cx = public(&server).await;
            let engine = server.server().engine();

            let claims = engine
                .claims(&cx, Uuid::nil(), &user(), "default", "json")
                .await;

            let claims = claims.map(Json::Object);
            assert_eq!(
                claims.map_err(|error| error.code().as_str().into_owned()),
                expected,
                "{config}"
            );
        }
    }
}

#[tokio::test]
async fn refused_logins_and_lock_outs_are_told_to_those_who_subscribe() {
    for setup in both("") {
        let server = setup.start().await;
        let (cx, engine) = (public(&server).await, server.server().engine());
        let (id, record) = (Uuid::from_u128(7), user());

        for event in [
            SecurityEvent::LoginFailed {
                user: Some((id, &record)),
                provider: "default",
                mode: "json",
            },
            SecurityEvent::Locked {
                user: id,
                record: &record,
            },
        ] {
            engine.report(&cx, event).await.expect("an entry");
        }

        server.settled().await;
        let kept = async |key: &str| {
            let sql = format!("SELECT CAST(value AS TEXT) FROM plugin_store WHERE key = '{key}'");
            let text = server.database().text(&sql).await;
            serde_json::from_str::<Json>(&text).expect("JSON")
        };
        assert_eq!(kept("failed").await, json!(["default", "ada@example.com"]));
        assert_eq!(kept("locked").await, json!("ada@example.com"));
    }
}
