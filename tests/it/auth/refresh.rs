use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use insta::assert_snapshot;
use roster_tests::{ADMIN, Answer, PASSWORD, Setup, TestServer, eventually};
use serde_json::json;

fn refresh_token(answer: &Answer) -> String {
    answer.data()["refresh_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

fn access_token(answer: &Answer) -> String {
    answer.data()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

#[tokio::test]
async fn a_refresh_gives_new_tokens_for_the_same_session() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let answer = server.refresh(&admin.refresh_token).await;

    assert_ne!(refresh_token(&answer), admin.refresh_token);
    assert_eq!(answer.header("cache-control"), "no-store");
    let fresh = server.bearer(access_token(&answer));
    assert_eq!(fresh.get("/users/me").await.outcome(), "200");
    assert_eq!(server.database().count("sessions", "1 = 1").await, 1);
}

#[tokio::test]
async fn a_chain_of_refreshes_goes_on() {
    let server = Setup::new().set("auth.refresh_grace", "0s").start().await;
    let mut token = server.admin().await.refresh_token;
    let mut seen = BTreeSet::from([token.clone()]);

    for _ in 0..20 {
        token = refresh_token(&server.refresh(&token).await);
        assert!(seen.insert(token.clone()), "a token came twice");
    }
}

#[tokio::test]
async fn a_repeat_within_the_grace_gives_the_same_successor() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let first = server.refresh(&admin.refresh_token).await;
    let again = server.refresh(&admin.refresh_token).await;

    assert_eq!(refresh_token(&first), refresh_token(&again));
    assert_eq!(
        server.refresh(&refresh_token(&first)).await.outcome(),
        "200"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_uses_at_once_get_one_successor() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let asking: Vec<_> = (0..64)
        .map(|_| {
            let (site, token) = (Clone::clone(&*server), admin.refresh_token.clone());
            tokio::spawn(async move { refresh_token(&site.refresh(&token).await) })
        })
        .collect();
    let mut successors = BTreeSet::new();
    for one in asking {
        successors.insert(one.await.expect("a successor"));
    }

    assert_eq!(successors.len(), 1);
    let successor = successors.pop_first().expect("a successor");
    assert_eq!(server.refresh(&successor).await.outcome(), "200");
    assert_eq!(admin.get("/users/me").await.outcome(), "200");
    assert_eq!(
        server
            .database()
            .text("SELECT CAST(sequence AS TEXT) FROM sessions")
            .await,
        "3"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_grace_one_of_many_wins_and_the_session_ends() {
    let server = Setup::new().set("auth.refresh_grace", "0s").start().await;
    let admin = server.admin().await;

    let asking: Vec<_> = (0..8)
        .map(|_| {
            let (site, token) = (Clone::clone(&*server), admin.refresh_token.clone());
            tokio::spawn(async move { site.refresh(&token).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for one in asking {
        statuses.push(one.await.expect("an answer"));
    }

    statuses.sort_unstable();
    assert!(statuses[0] == 200 || statuses[0] == 401, "{statuses:?}");
    assert!(
        statuses[1..].iter().all(|status| *status == 401),
        "{statuses:?}"
    );
    assert_eq!(server.database().count("sessions", "1 = 1").await, 0);
}

#[tokio::test]
async fn a_reuse_after_the_grace_ends_the_session_for_everybody() {
    let server = Setup::new().set("auth.refresh_grace", "0s").start().await;
    let admin = server.admin().await;
    let other = server.admin().await;
    let second = server.refresh(&admin.refresh_token).await;
    let third = server.refresh(&refresh_token(&second)).await;

    let reuse = server.refresh(&admin.refresh_token).await;

    assert_snapshot!(reuse, @r#"
    401
    {"errors":[{"message":"Invalid user credentials.","extensions":{"code":"INVALID_CREDENTIALS"}}]}
    "#);
    let last = server.refresh(&refresh_token(&third)).await;
    assert_eq!(last.to_string(), reuse.to_string());
    for token in [
        access_token(&second),
        access_token(&third),
        admin.token.expect("a token"),
    ] {
        let answer = server.bearer(token).get("/users/me").await;
        assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS");
    }
    assert_eq!(other.get("/users/me").await.outcome(), "200");
    assert_eq!(server.refresh(&other.refresh_token).await.outcome(), "200");
    assert_eq!(
        server
            .database()
            .count("activity", "action = 'refresh_reuse'")
            .await,
        1
    );
}

#[tokio::test]
async fn garbage_gets_a_plain_refusal_and_harms_nobody() {
    let server = Setup::new().set("auth.refresh_grace", "0s").start().await;
    let admin = server.admin().await;
    let token = admin.refresh_token.clone();
    let bytes = URL_SAFE_NO_PAD.decode(&token).expect("bytes");
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = bytes.clone();
        change(&mut changed);
        URL_SAFE_NO_PAD.encode(changed)
    };

    for (what, bad) in [
        ("truncated", token[..74].to_owned()),
        ("shorter by a group", token[..71].to_owned()),
        ("extended", format!("{token}A")),
        ("padded", format!("{token}=")),
        (
            "in another alphabet",
            format!("{}=", STANDARD.encode(&bytes)),
        ),
        ("in another case", token.to_ascii_uppercase()),
        ("with a blank", format!("{token} ")),
        ("with another secret", with(&|bytes| bytes[55] ^= 1)),
        ("with an older sequence", with(&|bytes| bytes[23] = 0)),
        ("with a newer sequence", with(&|bytes| bytes[23] = 9)),
        ("with a negative sequence", with(&|bytes| bytes[16] = 0xff)),
        ("of another session", with(&|bytes| bytes[0] ^= 1)),
        ("a word", "nonsense".to_owned()),
        ("long", "A".repeat(100_000)),
    ] {
        if bad == token {
            continue;
        }
        let answer = server.refresh(&bad).await;
        assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS", "{what}");
    }

    assert_eq!(admin.get("/users/me").await.outcome(), "200");
    assert_eq!(server.refresh(&token).await.outcome(), "200");
}

#[tokio::test]
async fn a_refresh_needs_a_token() {
    let server = TestServer::start().await;
    let stranger = server.stranger();

    assert_snapshot!(stranger.post("/auth/refresh", json!({})).await, @r#"
    400
    {"errors":[{"message":"Invalid payload. The refresh token is required in either the payload or cookie.","extensions":{"reason":"The refresh token is required in either the payload or cookie","code":"INVALID_PAYLOAD"}}]}
    "#);
    assert_snapshot!(stranger.post("/auth/refresh", json!({ "refresh_token": 7 })).await, @r#"
    400
    {"errors":[{"message":"Invalid payload. \"refresh_token\" must be a string.","extensions":{"reason":"\"refresh_token\" must be a string","code":"INVALID_PAYLOAD"}}]}
    "#);
    assert_snapshot!(stranger.post("/auth/refresh", json!({ "refresh_token": "" })).await, @r#"
    400
    {"errors":[{"message":"Invalid payload. The refresh token is required in either the payload or cookie.","extensions":{"reason":"The refresh token is required in either the payload or cookie","code":"INVALID_PAYLOAD"}}]}
    "#);
}

#[tokio::test]
async fn an_access_token_does_not_refresh_and_a_refresh_token_does_not_act() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let refreshed = server
        .refresh(admin.token.as_deref().expect("a token"))
        .await;
    let acted = server.bearer(&admin.refresh_token).get("/users/me").await;

    assert_eq!(refreshed.outcome(), "401 INVALID_CREDENTIALS");
    assert_eq!(acted.outcome(), "401 INVALID_CREDENTIALS");
}

#[tokio::test]
async fn a_refresh_is_not_held_up_by_an_access_token_that_expired() {
    let server = Setup::new()
        .set("auth.access_token_ttl", "1s")
        .start()
        .await;
    let tokens = server.login(ADMIN, PASSWORD).await;
    let admin = server.bearer(access_token(&tokens));

    let expired = async || Some(admin.get("/users/me").await).filter(|answer| answer.status != 200);
    let answer = eventually("a token that expires", expired).await;

    assert_snapshot!(answer, @r#"
    401
    {"errors":[{"message":"Token expired.","extensions":{"code":"TOKEN_EXPIRED"}}]}
    "#);
    let refreshed = server.refresh(&refresh_token(&tokens)).await;
    assert_eq!(refreshed.outcome(), "200");
}

#[tokio::test]
async fn a_session_has_an_end_however_much_it_is_used() {
    let server = Setup::new().set("auth.session_max_age", "1s").start().await;
    let tokens = server.login(ADMIN, PASSWORD).await;
    let admin = server.bearer(access_token(&tokens));

    let ended = async || Some(admin.get("/users/me").await).filter(|answer| answer.status != 200);
    let answer = eventually("the end of a session", ended).await;

    assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS");
    let refreshed = server.refresh(&refresh_token(&tokens)).await;
    assert_eq!(refreshed.outcome(), "401 INVALID_CREDENTIALS");
}

#[tokio::test]
async fn a_session_that_is_not_used_ends() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let long_ago = "UPDATE sessions SET expires_at = created_at";
    server.database().execute(long_ago).await;

    let refreshed = server.refresh(&admin.refresh_token).await;

    assert_eq!(refreshed.outcome(), "401 INVALID_CREDENTIALS");
}

#[tokio::test]
async fn sessions_outlive_a_restart_and_a_change_of_the_secret() {
    const NEXT: &str = "another secret for tests and of enough length";
    let first = TestServer::start().await;
    let admin = first.admin().await;
    let database = first.stop().await;

    let setup = Setup::new().on(&database).set("auth.secret", NEXT);
    let server = setup
        .set("auth.previous_secrets", roster_tests::SECRET)
        .start()
        .await;

    let answer = server.refresh(&admin.refresh_token).await;
    assert_eq!(answer.outcome(), "200");
    let old = server.bearer(admin.token.expect("a token"));
    assert_eq!(old.get("/users/me").await.outcome(), "200");
    let next = server.bearer(access_token(&answer));
    let database = server.stop().await;

    let strict = Setup::new()
        .on(&database)
        .set("auth.secret", NEXT)
        .start()
        .await;
    let with = |client: &roster_tests::Client| strict.bearer(client.token.clone().expect("one"));
    assert_eq!(
        with(&old).get("/users/me").await.outcome(),
        "403 INVALID_TOKEN"
    );
    assert_eq!(with(&next).get("/users/me").await.outcome(), "200");
}
