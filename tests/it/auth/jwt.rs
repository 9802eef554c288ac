use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use insta::assert_snapshot;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use roster_tests::{Client, SECRET, TestServer};
use serde_json::{Value as Json, json};

/// What a token says.
fn claims(client: &Client) -> Json {
    let token = client.token.as_deref().expect("a token");
    let payload = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("bytes")).expect("JSON")
}

fn sign(algorithm: Algorithm, secret: &str, claims: &Json) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(algorithm), claims, &key).expect("a token")
}

/// The same claims with one changed, or taken away where it is null.
fn with(claims: &Json, name: &str, value: Json) -> Json {
    let mut changed = claims.clone();
    let map = changed.as_object_mut().expect("an object");
    if value.is_null() {
        map.remove(name)
    } else {
        map.insert(name.to_owned(), value)
    };
    changed
}

#[tokio::test]
async fn an_access_token_says_who_in_which_session_and_until_when() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let claims = claims(&admin);

    assert_eq!(claims["id"], json!(admin.id));
    assert_eq!(
        claims["role"],
        admin.get("/users/me?fields=role").await.data()["role"]
    );
    assert_eq!(
        (&claims["app_access"], &claims["admin_access"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(claims["iss"], "directus");
    let age = claims["exp"]
        .as_i64()
        .zip(claims["iat"].as_i64())
        .map(|(exp, iat)| exp - iat);
    assert_eq!(age, Some(900));
    assert_eq!(claims.as_object().map(serde_json::Map::len), Some(8));
}

#[tokio::test]
async fn only_our_own_signature_counts() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let good = claims(&admin);
    let token = admin.token.clone().expect("a token");
    let (unsigned, signature) = token.rsplit_once('.').expect("three parts");
    let none = |header: &str| {
        let header = URL_SAFE_NO_PAD.encode(header);
        let payload = token.split('.').nth(1).expect("three parts");
        format!("{header}.{payload}.")
    };

    for (what, bad) in [
        (
            "another secret",
            sign(Algorithm::HS256, "another secret", &good),
        ),
        ("no secret", sign(Algorithm::HS256, "", &good)),
        ("HS384", sign(Algorithm::HS384, SECRET, &good)),
        ("HS512", sign(Algorithm::HS512, SECRET, &good)),
        ("none", none(r#"{"alg":"none","typ":"JWT"}"#)),
        ("None", none(r#"{"alg":"None","typ":"JWT"}"#)),
        ("no algorithm", none("{}")),
        ("no signature", format!("{unsigned}.")),
        (
            "a signature of another case",
            format!("{unsigned}.{}", signature.to_uppercase()),
        ),
        ("a signature cut short", token[..token.len() - 2].to_owned()),
        ("a signature of more", format!("{token}AAAA")),
    ] {
        let answer = server.bearer(bad).get("/users/me").await;
        assert_eq!(answer.outcome(), "403 INVALID_TOKEN", "{what}");
    }
    assert_eq!(
        server
            .bearer(sign(Algorithm::HS256, SECRET, &good))
            .get("/users/me")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_token_does_not_say_which_key_is_to_be_used() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let good = claims(&admin);
    let plain = || Header::new(Algorithm::HS256);
    let text = || Some("https://evil.example/key".to_owned());
    let key = EncodingKey::from_secret(SECRET.as_bytes());

    for header in [
        Header {
            kid: text(),
            ..plain()
        },
        Header {
            jku: text(),
            ..plain()
        },
        Header {
            x5u: text(),
            ..plain()
        },
        Header {
            cty: text(),
            ..plain()
        },
    ] {
        let token = encode(&header, &good, &key).expect("a token");
        let answer = server.bearer(token).get("/users/me").await;
        assert_eq!(answer.outcome(), "403 INVALID_TOKEN", "{header:?}");
    }
}

#[tokio::test]
async fn every_claim_is_needed_and_looked_at() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let member = server.member("ada").await;
    let (good, of_member) = (claims(&admin), claims(&member));

    for (name, value, expected) in [
        ("sid", json!(null), "403 INVALID_TOKEN"),
        ("id", json!(null), "403 INVALID_TOKEN"),
        ("exp", json!(null), "403 INVALID_TOKEN"),
        ("admin_access", json!(null), "403 INVALID_TOKEN"),
        ("id", json!("7"), "403 INVALID_TOKEN"),
        ("exp", json!("9999999999"), "403 INVALID_TOKEN"),
        ("exp", json!(1), "401 TOKEN_EXPIRED"),
        ("exp", json!(-1), "401 TOKEN_EXPIRED"),
        ("sid", of_member["sid"].clone(), "401 INVALID_CREDENTIALS"),
        ("id", of_member["id"].clone(), "401 INVALID_CREDENTIALS"),
        (
            "sid",
            json!("01890000-0000-7000-8000-000000000000"),
            "401 INVALID_CREDENTIALS",
        ),
        ("iss", json!("somebody"), "401 INVALID_CREDENTIALS"),
        ("iss", json!(null), "401 INVALID_CREDENTIALS"),
    ] {
        let token = sign(Algorithm::HS256, SECRET, &with(&good, name, value.clone()));
        let answer = server.bearer(token).get("/users/me").await;
        assert_eq!(answer.outcome(), expected, "{name}: {value}");
    }
}

#[tokio::test]
async fn rights_come_from_the_database_and_not_from_the_token() {
    let server = TestServer::start().await;
    let member = server.member("ada").await;
    let claims = with(&claims(&member), "admin_access", json!(true));

    let token = sign(Algorithm::HS256, SECRET, &claims);
    let answer = server.bearer(token).get("/users").await;

    assert_snapshot!(answer, @r#"
    403
    {"errors":[{"message":"You don't have permission to access collection \"directus_users\" or it does not exist. Queried in root.","extensions":{"code":"FORBIDDEN"}}]}
    "#);
}
