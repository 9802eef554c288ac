//! The truth table: who gets what, by collection and route. One page for a reviewer; a change of it
//! is a change of who may do what.

use std::fmt::Write;

use insta::assert_snapshot;
use reqwest::Method;
use roster_tests::{Answer, Client, TestServer};
use serde_json::{Value as Json, json};

/// Those who ask, from those who may least to those who may most.
const WHO: [&str; 8] = [
    "stranger", "bare", "app", "self", "reader", "editor", "manager", "admin",
];

/// What is asked of each collection.
const ROUTES: [&str; 9] = [
    "list", "one", "search", "export", "count", "create", "update", "delete", "may",
];

/// Collections with their paths and a body that makes a record.
fn collections() -> Vec<(&'static str, &'static str, Json)> {
    vec![
        ("users", "/users", json!({ "email": "NEW@example.com" })),
        ("roles", "/roles", json!({ "name": "new" })),
        ("policies", "/policies", json!({ "name": "new" })),
        ("access", "/access", json!({ "policy": "POLICY" })),
        (
            "permissions",
            "/permissions",
            json!({ "policy": "POLICY", "collection": "directus_roles", "action": "read", "fields": ["id"] }),
        ),
        ("activity", "/activity", json!({})),
        ("revisions", "/revisions", json!({})),
        ("files", "/files", json!({})),
        ("settings", "/settings", json!({})),
        (
            "fields",
            "/fields/users",
            json!({ "field": "newNEW", "type": "string" }),
        ),
        (
            "relations",
            "/relations",
            json!({ "collection": "directus_users", "field": "linkNEW", "related_collection": "directus_users" }),
        ),
        ("collections", "/collections", json!({})),
    ]
}

/// One who may do what a policy says.
async fn somebody(server: &TestServer, admin: &Client, name: &str, policy: Json) -> Client {
    let member = server.member(name).await;
    let policy = admin.post("/policies", policy).await.data()["id"].clone();
    let attach = json!({ "user": member.id, "policy": policy });
    admin.post("/access", attach).await.data();
    if name == "self" {
        let path = format!("/policies/{}/preset", policy.as_str().expect("an id"));
        admin.post(&path, json!({})).await.data();
    }
    server.sign_in(&member.email).await
}

fn rules(actions: &[&str], collections: &[&str], limit: &Json, fields: &Json) -> Json {
    let rule = |action: &str, collection: &str| {
        json!({
            "collection": format!("directus_{collection}"),
            "action": action,
            "permissions": limit,
            "fields": fields,
        })
    };
    let all = actions
        .iter()
        .flat_map(|action| collections.iter().map(move |about| rule(action, about)));
    all.collect()
}

async fn people(server: &TestServer, admin: &Client) -> Vec<Client> {
    let every: Vec<&str> = collections().iter().map(|(name, ..)| *name).collect();
    let active = json!({ "status": { "_eq": "active" } });
    let few = json!(["id", "email", "first_name", "status"]);
    let policies = [
        ("app", json!({ "app_access": true })),
        ("self", json!({ "app_access": true })),
        (
            "reader",
            json!({ "permissions": rules(&["read"], &["users"], &active, &few) }),
        ),
        (
            "editor",
            json!({ "permissions": rules(&["create", "read", "update", "delete"], &["users"], &json!({}), &few) }),
        ),
        (
            "manager",
            json!({ "permissions": rules(&["create", "read", "update", "delete"], &every, &json!({}), &json!(["*"])) }),
        ),
    ];
    let mut people = vec![server.stranger(), server.member("bare").await];
    for (name, mut policy) in policies {
        policy["name"] = json!(name);
        people.push(somebody(server, admin, name, policy).await);
    }
    people.push(admin.clone());
    people
}

/// The status, and how much was seen: `200:3` for three records.
fn seen(answer: &Answer) -> String {
    let count = serde_json::from_str::<Json>(&answer.text)
        .ok()
        .and_then(|json| {
            json.as_array()
                .or_else(|| json["data"].as_array())
                .map(Vec::len)
        });
    match (answer.status, count) {
        (200, Some(count)) if count > 9 => "200:+".to_owned(),
        (200, Some(count)) => format!("200:{count}"),
        (status, _) => status.to_string(),
    }
}

struct Table<'t> {
    server: &'t TestServer,
    admin: &'t Client,
    policy: Json,
    made: usize,
}

impl Table<'_> {
    /// A body for a new record.
    fn body(&mut self, template: &Json) -> Json {
        self.made += 1;
        let policy = self.policy.as_str().expect("an id");
        let text = template
            .to_string()
            .replace("NEW", &self.made.to_string())
            .replace("POLICY", policy);
        serde_json::from_str(&text).expect("JSON")
    }

    /// A record to be read, changed and deleted; its path.
    async fn victim(&mut self, name: &str, path: &str, template: &Json) -> String {
        match name {
            "settings" => return path.to_owned(),
            "collections" => return "/collections/directus_users".to_owned(),
            "activity" | "revisions" => {
                let first = self.admin.get(&format!("{path}?limit=1&sort=id")).await;
                return format!("{path}/{}", first.data()[0]["id"]);
            }
            "files" => {
                let id = uuid::Uuid::new_v4();
                self.server
                    .database()
                    .execute(&format!(
                        "INSERT INTO files (id, storage, filename_download, type, created_on, modified_on) VALUES ('{id}', 'database', 'x.png', 'image/png', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')"
                    ))
                    .await;
                return format!("/files/{id}");
            }
            _ => {}
        }
        if name == "relations" {
            let field = json!({ "field": format!("link{}", self.made + 1), "type": "uuid" });
            self.admin.post("/fields/users", field).await.data();
        }
        let body = self.body(template);
        let made = self.admin.post(path, body.clone()).await.data();
        match name {
            "fields" => format!("{path}/{}", made["field"].as_str().expect("a name")),
            "relations" => format!(
                "{path}/directus_users/{}",
                body["field"].as_str().expect("a name")
            ),
            _ => format!("{path}/{}", made["id"].to_string().trim_matches('"')),
        }
    }

    async fn ask(&mut self, client: &Client, about: &(&str, &str, Json), route: &str) -> String {
        let (name, path, template) = about;
        let is_records = !matches!(*name, "settings" | "fields" | "relations" | "collections");
        let takes = |needed: bool| if needed { None } else { Some("-".to_owned()) };
        let skip = match route {
            "list" | "one" | "may" | "update" => None,
            "search" | "export" | "count" => takes(is_records),
            "create" => takes(!matches!(
                *name,
                "settings" | "activity" | "revisions" | "files" | "collections"
            )),
            _ => takes(!matches!(
                *name,
                "settings" | "activity" | "revisions" | "collections"
            )),
        };
        let skip = match (route, *name) {
            ("update", "activity" | "revisions" | "collections") => Some("-".to_owned()),
            _ => skip,
        };
        if let Some(skip) = skip {
            return skip;
        }
        let answer = match route {
            "list" => client.get(&format!("{path}?limit=10")).await,
            "search" => {
                let search = Method::from_bytes(b"SEARCH").expect("a method");
                client
                    .json(search, path, &json!({ "query": { "limit": 10 } }))
                    .await
            }
            "export" => client.get(&format!("{path}?limit=10&export=json")).await,
            "count" => client.get(&format!("{path}?aggregate[count]=*")).await,
            "may" => {
                client
                    .get(&format!("/permissions/me/directus_{name}"))
                    .await
            }
            "create" => {
                if *name == "relations" {
                    let field =
                        json!({ "field": format!("link{}", self.made + 1), "type": "uuid" });
                    self.admin.post("/fields/users", field).await.data();
                }
                let body = self.body(template);
                client.post(path, body).await
            }
            _ => {
                let victim = self.victim(name, path, template).await;
                match route {
                    "one" => client.get(&victim).await,
                    "delete" => client.delete(&victim).await,
                    _ => {
                        let change = match *name {
                            "users" => json!({ "first_name": "x" }),
                            "access" => json!({ "sort": 3 }),
                            "permissions" => json!({ "fields": ["id", "name"] }),
                            "files" => json!({ "title": "x" }),
                            "settings" => json!({ "project_name": "x" }),
                            "fields" | "relations" => json!({ "meta": { "note": "x" } }),
                            _ => json!({ "name": "x" }),
                        };
                        client.patch(&victim, change).await
                    }
                }
            }
        };
        if route == "may" && answer.status == 200 {
            let data = answer.data();
            let letter = |action: &str, letter: char| {
                if data[action]["access"] == true {
                    letter
                } else {
                    '.'
                }
            };
            return format!("{}{}", letter("update", 'u'), letter("delete", 'd'));
        }
        seen(&answer)
    }
}

#[tokio::test]
async fn the_truth_table_is_as_it_was() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let people = people(&server, &admin).await;
    let policy = admin
        .post("/policies", json!({ "name": "spare" }))
        .await
        .data()["id"]
        .clone();
    let mut table = Table {
        server: &server,
        admin: &admin,
        policy,
        made: 0,
    };

    let mut text = format!("{:<20}", "");
    for who in WHO {
        write!(text, "{who:<10}").expect("text");
    }
    for about in collections() {
        for route in ROUTES {
            let mut cells = Vec::new();
            for client in &people {
                cells.push(table.ask(client, &about, route).await);
            }
            if cells.iter().all(|cell| cell == "-") {
                continue;
            }
            write!(text, "\n{:<20}", format!("{} {route}", about.0)).expect("text");
            for cell in cells {
                write!(text, "{cell:<10}").expect("text");
            }
        }
        text.push('\n');
    }
    let text: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_snapshot!(text.join("\n"));
}
