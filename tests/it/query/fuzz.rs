//! Random query strings and bodies: whatever they say, the server stands and says what is wrong.
//!
//! `ROSTER_FUZZ_SECONDS` says how long; a few seconds unless it is given. What once went wrong, and
//! what is likely to, is a line of `corpus.txt`, sent as it is and cut, doubled and mixed.

use std::time::{Duration, Instant};

use reqwest::Method;
use roster_tests::{Answer, Client, Random, TestServer};
use serde_json::{Value as Json, json};

const CORPUS: &str = include_str!("corpus.txt");

const NAMES: [&str; 16] = [
    "fields",
    "filter",
    "sort",
    "limit",
    "offset",
    "page",
    "search",
    "meta",
    "aggregate",
    "groupBy",
    "alias",
    "deep",
    "export",
    "fields[]",
    "filter[_and][0]",
    "version",
];
const WORDS: [&str; 48] = [
    "*",
    "*.*",
    "id",
    "email",
    "role",
    "role.name",
    "role.users.role.users.id",
    "policies.policy.permissions.*",
    "x_n",
    "x_j",
    "x_t",
    "x_l",
    "nope",
    "password",
    "-email",
    "year(last_access)",
    "count(policies)",
    "count(x_j)",
    "json(x_j.a[0])",
    "json(x_j.\"$\\)",
    "-json(x_j[0].a)",
    "role.json(x_j.a)",
    "json(email.a)",
    "_eq",
    "_neq",
    "_in",
    "_nin",
    "_between",
    "_null",
    "_some",
    "_none",
    "_and",
    "_or",
    "_contains",
    "_icontains",
    "_regex",
    "_gt",
    "$NOW(-1 day)",
    "$CURRENT_USER.role.name",
    "$CURRENT_POLICIES",
    "null",
    "true",
    "-1",
    "0",
    "9223372036854775808",
    "1e999",
    "2026-02-30T25:61:61Z",
    "\u{0}\u{fffd}%00\u{202e}",
];

fn word(random: &mut Random) -> String {
    (*random.one(&WORDS)).to_owned()
}

/// JSON that is nearly a filter.
fn nearly(random: &mut Random, depth: usize) -> Json {
    match random.below(if depth == 0 { 5 } else { 9 }) {
        0 => json!(word(random)),
        1 => json!(random.number()),
        2 => json!(-1.5e300),
        3 => Json::Null,
        4 => json!(random.chance(50)),
        5 => (0..random.below(4))
            .map(|_| nearly(random, depth - 1))
            .collect(),
        _ => {
            let names = (0..=random.below(3))
                .map(|_| word(random))
                .collect::<Vec<_>>();
            Json::Object(
                names
                    .into_iter()
                    .map(|name| (name, nearly(random, depth - 1)))
                    .collect(),
            )
        }
    }
}

/// A line of the corpus, changed a little.
fn mutated(random: &mut Random, lines: &[&str]) -> String {
    let mut text: Vec<char> = random.one(lines).chars().collect();
    for _ in 0..random.below(4) {
        let at = random.below(text.len() + 1);
        match random.below(5) {
            0 => text.truncate(at),
            1 => {
                let more: Vec<char> = text[at..].to_vec();
                text.extend(more);
            }
            2 => text.splice(at..at, word(random).chars()).for_each(drop),
            3 if at < text.len() => drop(text.remove(at)),
            _ => text.insert(
                at,
                *random.one(&[
                    '[', ']', '{', '}', '"', ',', '.', '$', '%', '&', '=', '(', ')', 'Ä', '\u{7f}',
                ]),
            ),
        }
        text.truncate(4_000);
    }
    text.into_iter().collect()
}

/// A query string of names and values.
fn query(random: &mut Random) -> String {
    let mut pairs = Vec::new();
    for _ in 0..=random.below(4) {
        let mut name = (*random.one(&NAMES)).to_owned();
        while random.chance(35) && name.len() < 300 {
            name = format!("{name}[{}]", word(random));
        }
        let value = match random.below(3) {
            0 => nearly(random, 4).to_string(),
            1 => (0..=random.below(3))
                .map(|_| word(random))
                .collect::<Vec<_>>()
                .join(","),
            _ => word(random),
        };
        pairs.push((name, value));
    }
    let url = reqwest::Url::parse_with_params("http://x/", &pairs).expect("a URL");
    url.query().unwrap_or_default().to_owned()
}

async fn world(server: &TestServer) -> (Client, Client) {
    let admin = server.admin().await;
    for (name, kind) in [
        ("x_n", "integer"),
        ("x_j", "json"),
        ("x_t", "timestamp"),
        ("x_l", "csv"),
    ] {
        let field = json!({ "field": name, "type": kind });
        admin.post("/fields/users", field).await.data();
    }
    let mia = server.member("mia").await;
    let active = json!({ "status": { "_eq": "active" } });
    let rules = [
        json!({ "collection": "directus_users", "action": "read", "permissions": active, "fields": ["id", "email", "x_n", "x_j", "role"] }),
        json!({ "collection": "directus_users", "action": "read", "permissions": { "id": { "_eq": "$CURRENT_USER" } }, "fields": ["x_t", "policies"] }),
        json!({ "collection": "directus_roles", "action": "read", "permissions": {}, "fields": ["*"] }),
        json!({ "collection": "directus_users", "action": "update", "permissions": { "id": { "_eq": "$CURRENT_USER" } }, "fields": ["x_n", "x_j"] }),
    ];
    let policy = json!({ "name": "some", "permissions": rules });
    let policy = admin.post("/policies", policy).await.data()["id"].clone();
    admin
        .post("/access", json!({ "policy": policy, "user": mia.id }))
        .await
        .data();
    (admin, server.sign_in(&mia.email).await)
}

/// An answer that is one: no failure of the server, and JSON that says what is wrong.
fn check(answer: &Answer, asked: &str) {
    assert!(
        answer.status < 500,
        "{asked}\n{} {}",
        answer.status,
        answer.text
    );
    if answer.status >= 400 {
        let body: Result<Json, _> = serde_json::from_str(&answer.text);
        let is_told = body.is_ok_and(|body| body["errors"][0]["extensions"]["code"].is_string());
        assert!(is_told, "{asked}\n{} {}", answer.status, answer.text);
    }
}

async fn ask(client: &Client, random: &mut Random, lines: &[&str]) {
    let paths = [
        "/users",
        "/users/me",
        "/roles",
        "/policies",
        "/permissions",
        "/activity",
        "/files",
    ];
    let path = *random.one(&paths);
    match random.below(10) {
        0..=5 => {
            let query = if random.chance(50) {
                query(random)
            } else {
                mutated(random, lines)
            };
            // What no client can send as an address is not sent.
            let url = format!("{path}?{query}");
            if reqwest::Url::parse(&format!("http://x{url}")).is_ok() {
                check(&client.get(&url).await, &url);
            }
        }
        6 | 7 => {
            let body = json!({ "query": { (*random.one(&NAMES)): nearly(random, 5), "limit": 3 } });
            let search = Method::from_bytes(b"SEARCH").expect("a method");
            check(
                &client.json(search, path, &body).await,
                &format!("SEARCH {path} {body}"),
            );
        }
        8 => {
            let body = match random.below(3) {
                0 => nearly(random, 5).to_string(),
                1 => mutated(random, lines),
                _ => json!({ "x_j": nearly(random, 5), "x_n": nearly(random, 1), "title": nearly(random, 1) }).to_string(),
            };
            // Nobody is deleted or moved by chance: the body is about the caller alone.
            let answer = client.raw(Method::PATCH, "/users/me", body.clone()).await;
            check(&answer, &format!("PATCH /users/me {body}"));
        }
        _ => {
            let body = json!({ "keys": [], "query": nearly(random, 4), "data": nearly(random, 2) });
            let answer = client
                .json(Method::PATCH, path.trim_end_matches("/me"), &body)
                .await;
            check(&answer, &format!("PATCH {path} {body}"));
        }
    }
}

#[tokio::test]
async fn nothing_that_is_asked_brings_the_server_down() {
    let given = std::env::var("ROSTER_FUZZ_SECONDS").ok();
    let seconds = given.map_or(6, |text| text.parse().expect("a number"));
    let server = TestServer::start().await;
    let (admin, mia) = world(&server).await;
    let lines: Vec<&str> = CORPUS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    for line in &lines {
        for client in [&admin, &mia] {
            check(&client.get(&format!("/users?{line}")).await, line);
        }
    }
    let seed = if seconds > 6 {
        u64::from(std::process::id())
    } else {
        7
    };
    let mut random = Random::of(seed);
    let (until, mut count) = (Instant::now() + Duration::from_secs(seconds), 0);
    while Instant::now() < until {
        // Limited callers alone change things: they may change little.
        ask(&mia, &mut random, &lines).await;
        let query = query(&mut random);
        check(&admin.get(&format!("/users?{query}")).await, &query);
        count += 2;
    }
    eprintln!("{count} requests of seed {seed}");
    assert_eq!(server.stranger().get("/server/ping").await.text, "pong");
}
