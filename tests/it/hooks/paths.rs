//! Every way to write a user, and the events each fires. A new way belongs on this list.

use reqwest::Method;
use roster_tests::{
    Client, Database, OneTime, PASSWORD, Postbox, Process, Recorder, SECRET, Setup, TestServer,
    Upstream,
};
use serde_json::{Value as Json, json};

use crate::pages::Browser;
use crate::plugins::logins::{come_back, elsewhere, with_provider};

const CREATE: &str = "create.after create.before";
const UPDATE: &str = "update.after update.before";
const DELETE: &str = "delete.after delete.before";
const LOGIN: &str = "login.after login.before";

struct World {
    server: TestServer,
    recorder: Recorder,
    postbox: Postbox,
    admin: Client,
}

impl World {
    async fn make(upstream: &Upstream) -> Self {
        let (recorder, postbox) = (Recorder::new(), Postbox::open().await);
        let provider = "login = { register = true }";
        let setup = with_provider(upstream, "redirect", provider);
        let setup = setup.record(&recorder).mails(&postbox);
        let server = setup.start().await;
        server.settled().await;
        assert_eq!(told(&recorder), CREATE, "the first administrator");
        let admin = server.admin().await;
        let settings = json!({ "public_registration": true, "auth_login_attempts": 1 });
        admin.patch("/settings", settings).await.data();
        Self {
            server,
            recorder,
            postbox,
            admin,
        }
    }

    /// Does something and compares the events with those that are expected.
    async fn fires<T>(&self, expected: &str, what: &str, act: impl Future<Output = T>) -> T {
        self.server.settled().await;
        self.recorder.forget();
        let done = act.await;
        self.server.settled().await;
        assert_eq!(told(&self.recorder), expected, "{what}");
        done
    }

    async fn make_user(&self, email: &str) -> String {
        let body = json!({ "email": email, "password": PASSWORD, "first_name": "x" });
        let made = self.admin.post("/users", body).await.data();
        made["id"].as_str().expect("an id").to_owned()
    }

    async fn token_for(&self, email: &str) -> String {
        self.postbox.nth(email, 1).await.token()
    }
}

/// The events so far, in the order of the alphabet.
fn told(recorder: &Recorder) -> String {
    let mut events = recorder.events();
    events.sort_unstable();
    events.join(" ")
}

/// So many of the same.
fn times(events: &str, count: usize) -> String {
    let events = events.split(' ').flat_map(|event| vec![event; count]);
    events.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn every_write_over_rest_fires_the_events_of_a_write() {
    let upstream = elsewhere().await;
    let world = World::make(&upstream).await;
    let (admin, title) = (&world.admin, json!({ "title": "x" }));

    let one = json!({ "email": "one@example.com", "password": PASSWORD });
    let path = "POST /users";
    world
        .fires(CREATE, path, admin.post("/users", one))
        .await
        .data();
    let two = json!([{ "first_name": "x" }, { "first_name": "y" }]);
    let twice = times(CREATE, 2);
    world
        .fires(&twice, "a list", admin.post("/users", two))
        .await
        .data();
    let (a, b) = (
        world.make_user("a@example.com").await,
        world.make_user("b@example.com").await,
    );
    let id = format!("/users/{a}");
    world
        .fires(UPDATE, "PATCH /users/:id", admin.patch(&id, title.clone()))
        .await
        .data();
    let keys = json!({ "keys": [a, b], "data": { "title": "y" } });
    let twice = times(UPDATE, 2);
    world
        .fires(&twice, "keys", admin.patch("/users", keys))
        .await
        .data();
    let each = json!([{ "id": a, "title": "z" }, { "id": b, "title": "z" }]);
    world
        .fires(&twice, "each", admin.patch("/users", each))
        .await
        .data();
    let query = json!({ "query": { "filter": { "title": { "_eq": "z" } } }, "data": title });
    world
        .fires(&twice, "query", admin.patch("/users", query))
        .await
        .data();
    let me = admin.patch("/users/me", title.clone());
    world.fires(UPDATE, "PATCH /users/me", me).await.data();

    let role = json!({ "name": "r", "users": [{ "first_name": "x" }] });
    let made = world
        .fires(CREATE, "nested in a new role", admin.post("/roles", role))
        .await
        .data();
    let role = made["id"].as_str().expect("an id").to_owned();
    let path = format!("/roles/{role}");
    let nested = json!({ "users": {
        "create": [{ "first_name": "n" }], "update": [{ "id": b, "title": "n" }], "delete": [],
    } });
    let both = format!("{CREATE} {UPDATE}");
    world
        .fires(&both, "nested in a role", admin.patch(&path, nested))
        .await
        .data();
    let all = times(UPDATE, 3);
    world
        .fires(&all, "the role is deleted", admin.delete(&path))
        .await
        .done();

    world
        .fires(DELETE, "DELETE /users/:id", admin.delete(&id))
        .await
        .done();
    let list = json!([b]);
    let gone = admin.json(Method::DELETE, "/users", &list);
    world.fires(DELETE, "DELETE /users", gone).await.done();

    let file = b"email,first_name\nf@example.com,F\ng@example.com,G\n".to_vec();
    let headers = [("content-type", "text/csv")];
    let import = admin.send(Method::POST, "/utils/import/directus_users", &headers, file);
    world
        .fires(&times(CREATE, 2), "import", import)
        .await
        .data();
}

#[tokio::test]
async fn every_way_that_users_come_in_and_change_by_themselves_fires_them_too() {
    let upstream = elsewhere().await;
    let world = World::make(&upstream).await;
    let (admin, stranger) = (&world.admin, world.server.stranger());

    let eve = json!({ "email": "eve@example.com", "password": PASSWORD });
    let register = stranger.post("/users/register", eve);
    world.fires(CREATE, "register", register).await.done();
    let token = world.token_for("eve@example.com").await;
    let browser = Browser::of(&world.server);
    let path = format!("/users/register/verify-email?token={token}");
    world.fires(UPDATE, "verify", browser.load(&path)).await;

    let role = admin.get("/users/me").await.data()["role"].clone();
    let body = json!({ "email": "ann@example.com", "role": role });
    world
        .fires(CREATE, "invite", admin.post("/users/invite", body))
        .await
        .done();
    let token = world.token_for("ann@example.com").await;
    let body = json!({ "token": token, "password": PASSWORD });
    let accept = stranger.post("/users/invite/accept", body);
    world.fires(UPDATE, "accept", accept).await.done();

    let path = "/auth/password/request";
    let id = world.make_user("bob@example.com").await;
    let asked = stranger.post(path, json!({ "email": "bob@example.com" }));
    world.fires("", "ask for a reset", asked).await.done();
    let token = world.token_for("bob@example.com").await;
    let body = json!({ "token": token, "password": "another-password-9" });
    let reset = stranger.post("/auth/password/reset", body);
    world.fires(UPDATE, "reset", reset).await.done();

    let login = world.server.login("bob@example.com", "another-password-9");
    let tokens = world.fires(LOGIN, "login", login).await.data();
    let text = |name: &str| tokens[name].as_str().expect("a token").to_owned();
    let bob = world.server.bearer(text("access_token"));
    let refresh = text("refresh_token");
    world
        .fires("", "refresh", world.server.refresh(&refresh))
        .await
        .data();

    let password = json!({ "password": "another-password-9" });
    let proposal = bob.post("/users/me/tfa/generate", password);
    let proposal = world.fires("", "generate", proposal).await.data();
    let secret = proposal["secret"].as_str().expect("one").to_owned();
    let totp = OneTime::of(&secret).await;
    let body = json!({ "secret": secret, "otp": totp.code(0) });
    let enable = bob.post("/users/me/tfa/enable", body);
    world.fires("update.after", "enable", enable).await.done();

    let failed = "login_failed.after";
    let wrong = world.server.login("bob@example.com", "wrong");
    world.fires(failed, "a wrong password", wrong).await;
    let events = format!("locked.after {failed} {UPDATE}");
    let wrong = world.server.login("bob@example.com", "wrong");
    world.fires(&events, "the one too many", wrong).await;
    assert_eq!(
        admin.get(&format!("/users/{id}")).await.data()["status"],
        "suspended"
    );

    let both = format!("{CREATE} {LOGIN}");
    let browser = Browser::of(&world.server);
    let first = come_back(&browser, "redirect", "", "ada-sesame");
    world
        .fires(&both, "a first login by a provider", first)
        .await;
    let body = json!({ "identifier": "ada", "password": "ada-sesame" });
    let again = stranger.post("/auth/login/redirect", body);
    world.fires(LOGIN, "the next one", again).await.data();
    let body = json!({ "identifier": "cyd", "password": "cyd-sesame" });
    let other = stranger.post("/auth/login/redirect", body);
    world
        .fires(&both, "a first login with a name and a secret", other)
        .await
        .data();
}

/// The events of a write of fields or relations, in the order of the alphabet.
fn written(collection: &str, action: &str) -> String {
    format!("{collection}.{action}.after {collection}.{action}.before")
}

#[tokio::test]
async fn every_write_of_fields_and_relations_fires_the_events_of_a_write() {
    let recorder = Recorder::new().watching(&["fields", "relations"]);
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;
    let fires = async |expected: &str, answer: roster_tests::Answer| {
        assert!(answer.status < 300, "{answer}");
        server.settled().await;
        let mut events = recorder.named();
        events.sort_unstable();
        assert_eq!(events.join(" "), expected);
        recorder.forget();
    };

    let (fields, one) = ("/fields/directus_users", "/fields/directus_users/boss");
    let body = json!({ "field": "boss", "type": "uuid" });
    fires(&written("fields", "create"), admin.post(fields, body).await).await;
    let unique = json!({ "schema": { "is_unique": true } });
    fires(&written("fields", "update"), admin.patch(one, unique).await).await;
    let body = json!({ "field": "level", "type": "integer" });
    fires(&written("fields", "create"), admin.post(fields, body).await).await;
    let note = json!({ "note": "n" });
    let each = json!([{ "field": "boss", "meta": note }, { "field": "level", "meta": note }]);
    let twice = times(&written("fields", "update"), 2);
    fires(&twice, admin.patch(fields, each).await).await;

    let body = json!({ "collection": "directus_users", "field": "boss", "related_collection": "directus_users" });
    let made = admin.post("/relations", body.clone()).await;
    fires(&written("relations", "create"), made).await;
    let path = "/relations/directus_users/boss";
    let meta = json!({ "meta": { "one_field": "team" } });
    let changed = admin.patch(path, meta).await;
    fires(&written("relations", "update"), changed).await;
    fires(&written("relations", "delete"), admin.delete(path).await).await;
    let again = admin.post("/relations", body).await;
    fires(&written("relations", "create"), again).await;
    // The relation goes with its field.
    let gone = [written("fields", "delete"), written("relations", "delete")].join(" ");
    fires(&gone, admin.delete(one).await).await;

    // What changes nothing is no write, though a hook might have made one of it.
    let level = "/fields/directus_users/level";
    fires("fields.update.before", admin.patch(level, json!({})).await).await;
    let built_in = json!({ "schema": { "is_indexed": true } });
    let email = "/fields/directus_users/email";
    fires("", admin.patch(email, built_in).await).await;
    fires("", admin.delete("/fields/directus_users/none").await).await;
}

/// Runs a command over a database whose server has a hook that fills titles.
async fn command(database: &Database, arguments: &[&str]) {
    let environment = [
        ("ROSTER__DATABASE__URL", database.url()),
        ("ROSTER__AUTH__SECRET", SECRET),
        ("ROSTER__LOG__LEVEL", "off"),
        ("ROSTER__OUTBOX__RETAIN", "true"),
    ];
    let ended = Process::run(database.folder(), arguments, &environment).await;
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.err);
}

#[tokio::test]
async fn the_command_line_writes_users_through_the_same_hooks() {
    let slug = "source = 'builtin'\ntimeout = '10s'\n\
        capabilities.fields = { read = ['first_name', 'last_name', 'title'], write = ['title'] }";
    let server = Setup::new().plugin("slug", slug).start().await;
    let database = server.stop().await;
    let told = async || {
        let sql = "SELECT event FROM outbox WHERE kind = 'event' ORDER BY sequence";
        let rows = database.rows(sql).await;
        let events: Vec<String> = rows.into_iter().flatten().flatten().collect();
        events.join(" ")
    };
    let before = told().await;
    let file = "email,first_name,last_name\nann@example.com,Ann,Lee\n";
    std::fs::write(database.folder().join("users.csv"), file).expect("a file");

    command(&database, &["users", "import", "users.csv"]).await;
    assert_eq!(told().await, format!("{before} create.after").trim());
    // The hook before it was asked.
    let ann = "email = 'ann@example.com' AND title = 'ann-lee'";
    assert_eq!(database.count("users", ann).await, 1);

    command(
        &database,
        &[
            "admin",
            "create",
            "--email",
            "root@example.com",
            "--password",
            "a good long one",
        ],
    )
    .await;
    command(
        &database,
        &[
            "admin",
            "passwd",
            "--email",
            "root@example.com",
            "--password",
            "a better long one",
        ],
    )
    .await;
    let expected = format!("{before} create.after create.after update.after");
    assert_eq!(told().await, expected.trim());
}

/// What is no write of a user fires nothing.
#[tokio::test]
async fn what_writes_no_user_fires_nothing() {
    let upstream = elsewhere().await;
    let world = World::make(&upstream).await;
    let admin = &world.admin;

    let page = json!({ "last_page": "/x" });
    let tracked = admin.patch("/users/me/track/page", page);
    world.fires("", "track", tracked).await;
    let trial: Json = json!({ "title": 7 });
    let refused = admin.patch("/users/me", trial);
    world.fires("", "a malformed body", refused).await;
    let logout = world.server.logout(&admin.refresh_token);
    world.fires("", "logout", logout).await.done();
}
