//! Secrets that are let loose in a server are nowhere to be found afterwards.

use roster_tests::{ADMIN, Answer, Collector, PASSWORD, Setup, Site};
use serde_json::json;

const PLAIN: &str = "canary-password-0";
const NEXT: &str = "canary-password-1";
const TOKEN: &str = "canary-static-token-2";
const KEY: &str = "canary-collector-key-3";

/// Uses every way there is to bring a secret in; gives all that came back, but for the tokens
/// that a login is there to hand out.
async fn let_loose(site: &Site) -> (Vec<Answer>, Vec<String>) {
    let admin = site.admin().await;
    let mut said = Vec::new();
    let body = json!({ "email": "ada@example.com", "password": PLAIN, "token": TOKEN });
    let made = admin.post("/users", body.clone()).await;
    let path = format!("/users/{}", made.data()["id"].as_str().expect("an id"));
    said.push(made);
    said.push(admin.post("/users", body).await);
    said.push(
        admin
            .post("/users", json!({ "password": PLAIN, "email": PLAIN }))
            .await,
    );
    said.push(
        admin
            .post(
                "/users",
                json!({ "password": [PLAIN], "token": { TOKEN: 1 } }),
            )
            .await,
    );
    said.push(admin.patch("/users/me", json!({ "password": NEXT })).await);
    said.push(
        admin
            .patch(
                "/users/me",
                json!({ "password": NEXT, "current_password": PLAIN }),
            )
            .await,
    );
    said.push(
        admin
            .patch(&path, json!({ "password": NEXT, "title": "x" }))
            .await,
    );
    said.push(admin.get("/users").await);
    said.push(admin.filter(json!({ "password": { "_eq": NEXT } })).await);
    said.push(site.login("ada@example.com", PLAIN).await);
    said.push(site.bearer(TOKEN).get("/users/me").await);
    said.push(
        site.stranger()
            .get(&format!("/users?access_token={TOKEN}"))
            .await,
    );
    said.push(
        site.stranger()
            .get(&format!("/nowhere?access_token={TOKEN}"))
            .await,
    );
    said.push(
        site.stranger()
            .post("/auth/login", json!({ "email": PLAIN, "password": PLAIN }))
            .await,
    );
    said.push(site.refresh(TOKEN).await);
    let broken = format!(r#"{{"email": "ada@example.com", "password": "{PLAIN}""#);
    said.push(
        site.stranger()
            .raw(reqwest::Method::POST, "/auth/login", broken)
            .await,
    );
    let tokens = site.login("ada@example.com", NEXT).await.data();
    let ada = site.bearer(tokens["access_token"].as_str().expect("a token"));
    said.push(ada.get("/users/me").await);
    let mut secrets = [PLAIN, NEXT, TOKEN].map(str::to_owned).to_vec();
    for client in [ada.token, admin.token] {
        secrets.push(
            client
                .expect("a token")
                .rsplit('.')
                .next()
                .expect("a signature")
                .to_owned(),
        );
    }
    secrets.push(
        tokens["refresh_token"]
            .as_str()
            .expect("a token")
            .to_owned(),
    );
    secrets.push(admin.refresh_token);
    (said, secrets)
}

#[tokio::test]
async fn secrets_are_neither_in_answers_nor_in_the_database_nor_in_the_log_nor_in_traces() {
    let collector = Collector::start().await;
    let setup = Setup::new()
        .set("traces.endpoint", &collector.url())
        .set("traces.headers", &format!("x-key={KEY}"))
        .set("log.level", "trace")
        .set("outbox.retain", "true");
    let process = setup.set("auth.query_tokens", "true").spawn().await;

    let (said, mut secrets) = let_loose(&process).await;
    process.settled().await;
    let everything = process.database().everything().await;
    process.signal("TERM");
    let log = process.finished().await.err;

    secrets.push(PASSWORD.to_owned());
    assert!(
        everything.contains("ada@example.com") && everything.contains(ADMIN),
        "{everything}"
    );
    assert!(log.contains("request"), "{log}");
    for secret in &secrets {
        for answer in &said {
            assert!(!answer.text.contains(secret), "{secret} in {answer}");
        }
        assert!(!everything.contains(secret), "{secret} is in the database");
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
        assert!(!collector.holds(secret), "{secret} is in a trace");
    }
    assert!(!everything.contains(KEY) && !log.contains(KEY));
    let seen = collector.heads();
    assert!(!seen.is_empty() && seen.iter().all(|head| head.contains(KEY)));
    assert!(collector.holds("GET /users"));
    let line = log.lines().find(|line| line.contains("$argon2id$"));
    assert_eq!(line, None, "a hash is in the log");
}
