//! Secrets are seeded wherever one can be kept, and nothing that is sent or written shows one: not
//! to administrators either.

use reqwest::Method;
use roster_tests::{Client, OneTime, Recorder, Setup, TestServer};
use serde_json::{Value as Json, json};

/// The secrets, in plain text: every one begins like this.
const CANARY: &str = "CanaryBird";
const PASSWORD: &str = "CanaryBird-password-1";
const TOKEN: &str = "CanaryBird-token-0123456789";
const CONCEALED: &str = "CanaryBird-concealed";
const HASHED: &str = "CanaryBird-hashed";

/// Everything that is secret as it is kept, read past the API.
async fn kept(server: &TestServer, id: &str) -> Vec<String> {
    let sql = format!(
        "SELECT CAST(password AS TEXT), CAST(token AS TEXT), CAST(tfa_secret AS TEXT), hidden, hashed FROM users WHERE id = '{id}'"
    );
    let rows = server.database().rows(&sql).await;
    let mut secrets: Vec<String> = rows.into_iter().flatten().flatten().collect();
    secrets.push(CANARY.to_owned());
    secrets
}

async fn seeded() -> (TestServer, Client, Client, Recorder) {
    let recorder = Recorder::new();
    let server = Setup::new()
        .lived_in()
        .await
        .record(&recorder)
        .start()
        .await;
    let admin = server.admin().await;
    let hidden = json!({ "field": "hidden", "type": "string", "meta": { "special": ["conceal"] } });
    let hashed =
        json!({ "field": "hashed", "type": "hash", "meta": { "special": ["hash", "conceal"] } });
    for field in [hidden, hashed] {
        admin.post("/fields/users", field).await.data();
    }
    let bird = server.member("bird").await;
    let secrets = json!({ "token": TOKEN, "hidden": CONCEALED, "hashed": HASHED });
    admin
        .patch(&format!("/users/{}", bird.id), secrets)
        .await
        .data();
    let password = json!({ "password": PASSWORD });
    admin
        .patch(&format!("/users/{}", bird.id), password)
        .await
        .data();
    let proposal = bird_secret(&server, &bird).await;
    assert!(!proposal.is_empty());
    (server, admin, bird, recorder)
}

/// Sets up a second factor, whose secret is shown once, by design; gives it.
async fn bird_secret(server: &TestServer, bird: &Client) -> String {
    let tokens = server.login(&bird.email, PASSWORD).await.data();
    let bird = server.bearer(tokens["access_token"].as_str().expect("a token"));
    let asked = json!({ "password": PASSWORD });
    let proposal = bird.post("/users/me/tfa/generate", asked).await.data();
    let secret = proposal["secret"].as_str().expect("a secret").to_owned();
    let otp = OneTime::of(&secret).await.code(0);
    let enable = json!({ "secret": secret, "otp": otp });
    bird.post("/users/me/tfa/enable", enable).await.done();
    secret
}

const FIELDS: [&str; 5] = ["password", "token", "tfa_secret", "hidden", "hashed"];

/// Ways to ask for a user's secrets.
fn paths(id: &str) -> Vec<String> {
    let mut paths = vec![
        "/users?limit=-1".to_owned(),
        "/users?limit=-1&fields=*.*".to_owned(),
        format!("/users/{id}"),
        "/roles?fields=*,users.*".to_owned(),
        "/revisions?limit=-1".to_owned(),
        "/revisions?limit=-1&fields=*.*".to_owned(),
        "/activity?limit=-1&fields=*.*".to_owned(),
        "/fields/users".to_owned(),
        "/server/specs/oas".to_owned(),
        "/server/plugins".to_owned(),
        "/metrics".to_owned(),
        format!("/users/{id}/sessions"),
        "/users?filter[email][_eq]=$CURRENT_USER.password".to_owned(),
        "/users?filter[title][_eq]=$CURRENT_USER.token".to_owned(),
    ];
    for export in ["csv", "json", "xml", "yaml"] {
        paths.push(format!("/users?limit=-1&export={export}"));
        paths.push(format!("/revisions?limit=-1&export={export}"));
    }
    for field in FIELDS {
        for query in [
            format!("fields={field}"),
            format!("sort={field}"),
            format!("sort=-{field}"),
            format!("aggregate[min]={field}"),
            format!("aggregate[max]={field}"),
            format!("aggregate[countDistinct]={field}"),
            format!("groupBy={field}"),
            format!("groupBy={field}&aggregate[count]=*"),
            format!("alias[x]={field}&fields=x"),
            format!("fields=count({field})"),
            format!("filter[{field}][_starts_with]={CANARY}"),
            format!("filter[{field}][_contains]=$argon2"),
            format!("filter[{field}][_eq]={TOKEN}"),
            format!("filter[{field}][_gt]=A"),
            format!("filter[{field}][_in]={TOKEN},{CONCEALED}"),
            format!("filter[{field}][_regex]=^C"),
            format!("filter[{field}][_null]=false&fields=email"),
            format!("filter[roles_x][users][{field}][_eq]=x"),
        ] {
            paths.push(format!("/users?{query}"));
        }
        paths.push(format!(
            "/roles?deep[users][_sort]={field}&fields=users.{field}"
        ));
        paths.push(format!("/roles?filter[users][{field}][_contains]=Can"));
    }
    paths
}

#[tokio::test]
async fn no_canary_is_sent_to_anybody() {
    let (server, admin, bird, recorder) = seeded().await;
    let secrets = kept(&server, &bird.id).await;
    assert!(secrets.len() > 5, "{secrets:?}");
    let shows = |what: &str, text: &str| {
        for secret in &secrets {
            assert!(
                !text.contains(secret.as_str()),
                "{what} shows {secret}: {text}"
            );
        }
    };
    let id = &bird.id;

    let paths = paths(id);
    for path in &paths {
        let answer = admin.get(path).await;
        shows(path, &answer.text);
        // What is compared is no answer either: only whether there is a value may be asked.
        if path.contains("_starts_with")
            || path.contains("_contains")
            || path.contains("_gt")
            || path.contains("_regex")
        {
            assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        }
    }
    for word in [TOKEN, CONCEALED, HASHED, PASSWORD, CANARY, "argon2"] {
        let found = admin.query("/users", &[("search", word)]).await;
        assert_eq!(found.data(), json!([]), "{word}");
        let search = Method::from_bytes(b"SEARCH").expect("a method");
        let body = json!({ "query": { "search": word } });
        assert_eq!(admin.json(search, "/users", &body).await.data(), json!([]));
    }
    // What a write answers, and what is said of one that is refused.
    for field in FIELDS {
        let answer = admin
            .patch(&format!("/users/{id}"), json!({ field: [CONCEALED] }))
            .await;
        shows(field, &answer.text);
        let long = format!("{CONCEALED}{}", "x".repeat(2_000));
        let answer = admin
            .patch(&format!("/users/{id}"), json!({ field: long, "title": 3 }))
            .await;
        shows(field, &answer.text);
    }
    let weak = admin
        .post(
            "/users",
            json!({ "email": "x@example.com", "password": "Canary" }),
        )
        .await;
    shows("a weak password", &weak.text);
    let taken = admin
        .post(
            "/users",
            json!({ "email": "y@example.com", "token": TOKEN }),
        )
        .await;
    shows("a token that is taken", &taken.text);
    server.settled().await;
    for call in recorder.calls() {
        shows("a plugin", &format!("{call:?}"));
    }
    let outbox = server
        .database()
        .rows("SELECT CAST(payload AS TEXT) FROM outbox")
        .await;
    shows("the outbox", &format!("{outbox:?}"));
    let revisions = server
        .database()
        .rows("SELECT CAST(data AS TEXT), CAST(delta AS TEXT) FROM revisions")
        .await;
    shows("the revisions", &format!("{revisions:?}"));
    let activity = server
        .database()
        .rows("SELECT action, user_agent, item FROM activity")
        .await;
    shows("the activity", &format!("{activity:?}"));
}

#[tokio::test]
async fn no_canary_is_logged() {
    let process = Setup::new().set("log.level", "trace").spawn().await;
    let admin = process.admin().await;
    let user = json!({ "email": "bird@example.com", "password": PASSWORD, "token": TOKEN });
    let id = admin.post("/users", user).await.data()["id"].clone();
    let id = id.as_str().expect("an id");
    let tokens = process.login("bird@example.com", PASSWORD).await.data();
    process.login("bird@example.com", "CanaryBird-wrong").await;
    process.bearer(TOKEN).get("/users/me").await;
    process
        .bearer("CanaryBird-unknown-token-1")
        .get("/users/me")
        .await;
    let refresh = tokens["refresh_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    process.refresh(&refresh).await;
    admin
        .patch(
            &format!("/users/{id}"),
            json!({ "password": "CanaryBird-next-1" }),
        )
        .await;
    admin
        .patch(
            &format!("/users/{id}"),
            json!({ "password": ["CanaryBird-list"] }),
        )
        .await;
    let hash = json!({ "string": "CanaryBird-to-hash" });
    admin.post("/utils/hash/generate", hash).await;
    admin
        .post(
            "/auth/password/reset",
            json!({ "token": "CanaryBird-reset", "password": "CanaryBird-reset-1" }),
        )
        .await;

    process.signal("TERM");
    let log = process.finished().await;
    let log = format!("{}{}", log.out, log.err);

    assert!(log.contains("/users"), "nothing was logged");
    for secret in [CANARY, refresh.as_str(), "$argon2id"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

/// A body that is a secret is not repeated by an error.
#[tokio::test]
async fn no_canary_comes_back_in_a_syntax_error() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for body in [
        format!(r#"{{"password": "{CANARY}"#),
        format!(r#"{{"password": {CANARY}}}"#),
        format!(r#"["{CANARY}"]"#),
        format!(r#""{CANARY}""#),
    ] {
        for path in ["/users", "/auth/login", "/auth/password/reset"] {
            let answer = admin.raw(Method::POST, path, body.clone()).await;
            assert!(!answer.text.contains(CANARY), "{path}: {}", answer.text);
        }
    }
    let _: Json = admin.get("/users/me").await.data();
}
