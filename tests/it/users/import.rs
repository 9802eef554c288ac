use std::sync::{Arc, Mutex};

use reqwest::Method;
use roster_tests::{Answer, Client, PASSWORD, Recorder, Setup, TestServer};
use serde_json::{Value as Json, json};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

/// Sends a file as the body.
async fn send(client: &Client, query: &str, kind: &str, content: impl Into<Vec<u8>>) -> Answer {
    let path = format!("/utils/import/directus_users{query}");
    let headers = [("content-type", kind)];
    client
        .send(Method::POST, &path, &headers, content.into())
        .await
}

async fn csv(client: &Client, query: &str, content: &str) -> Answer {
    send(client, query, "text/csv", content).await
}

async fn emails(client: &Client) -> Vec<String> {
    let users = client
        .get("/users?fields=email&sort=email&limit=-1")
        .await
        .data();
    let users = users.as_array().expect("a list").iter();
    users
        .map(|user| user["email"].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn many(from: usize, to: usize) -> String {
    use std::fmt::Write;
    let mut file = "email,first_name\n".to_owned();
    for number in from..to {
        writeln!(file, "u{number:04}@example.com,U{number}").expect("text");
    }
    file
}

#[tokio::test]
async fn a_csv_file_makes_users_with_values_of_their_types() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (field, kind) in [("age", "integer"), ("vip", "boolean"), ("extra", "json")] {
        let field = json!({ "field": field, "type": kind });
        admin.post("/fields/users", field).await.data();
    }
    let file = "\u{feff}email,first_name,age,vip,extra,tags\n\
        ann@example.com,\"Ann, \"\"A\"\"\",41,yes,\"{\"\"a\"\":[1]}\",\"[\"\"x\"\"]\"\n\
        bob@example.com,12,,0,,\n";

    let report = csv(&admin, "", file).await.data();

    assert_eq!(
        report,
        json!({ "dry_run": false, "rows": 2, "created": 2, "updated": 0, "skipped": 0, "failed": 0, "next_row": null, "errors": [] })
    );
    let fields = "fields=email,first_name,age,vip,extra,tags&sort=email&filter[email][_in]=ann@example.com,bob@example.com";
    let users = admin.get(&format!("/users?{fields}")).await.data();
    assert_eq!(
        users,
        json!([
            { "email": "ann@example.com", "first_name": "Ann, \"A\"", "age": 41, "vip": true, "extra": {"a": [1]}, "tags": ["x"] },
            { "email": "bob@example.com", "first_name": "12", "age": null, "vip": false, "extra": null, "tags": null },
        ])
    );
}

#[tokio::test]
async fn a_json_file_in_a_form_makes_users_through_the_hooks() {
    let recorder = Recorder::new();
    let server = Setup::new()
        .lived_in()
        .await
        .record(&recorder)
        .start()
        .await;
    let admin = server.admin().await;
    let users = json!([{ "email": "ann@example.com", "password": PASSWORD }, { "email": "bob@example.com" }]);
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--x\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"users.json\"\r\n\r\n{users}\r\n--x--\r\n"
    );

    let report = send(&admin, "", "multipart/form-data; boundary=x", body).await;

    assert_eq!(report.data()["created"], 2);
    server.sign_in("ann@example.com").await;
    server.settled().await;
    let told = recorder.events();
    for event in ["create.before", "create.after"] {
        let count = told.iter().filter(|told| told.contains(event)).count();
        assert_eq!(count, 2, "{event} in {told:?}");
    }
    let activity = admin
        .get("/activity?filter[action][_eq]=create&filter[collection][_eq]=directus_users&fields=user")
        .await
        .data();
    let by_admin = activity.as_array().expect("a list").iter();
    assert_eq!(
        by_admin
            .filter(|one| one["user"] == json!(admin.id))
            .count(),
        2
    );
}

#[tokio::test]
async fn a_dry_run_says_all_that_is_wrong_and_stores_nothing() {
    let recorder = Recorder::new();
    let server = Setup::new()
        .lived_in()
        .await
        .record(&recorder)
        .start()
        .await;
    let admin = server.admin().await;
    let known = emails(&admin).await;
    let file = "email,first_name\nann@example.com,Ann\nno address,Bob\nANN@example.com,Again\nadmin@example.com,Taken\nx@example.com\n";

    let report = csv(&admin, "?dry_run=true", file).await.data();

    assert_eq!(report["rows"], 5);
    assert_eq!(report["created"], 1);
    let codes: Vec<(&Json, &Json)> = report["errors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (&row["row"], &row["errors"][0]["extensions"]["code"]))
        .collect();
    assert_eq!(
        json!(codes),
        json!([
            [2, "FAILED_VALIDATION"],
            [3, "RECORD_NOT_UNIQUE"],
            [4, "RECORD_NOT_UNIQUE"],
            [5, "INVALID_PAYLOAD"]
        ])
    );
    assert_eq!(emails(&admin).await, known);
    server.settled().await;
    let told = recorder.events();
    let count = |event: &str| told.iter().filter(|told| told.contains(event)).count();
    assert!(count("create.before") > 0, "hooks are asked: {told:?}");
    assert_eq!(count("create.after"), 0, "nobody is told: {told:?}");
}

#[tokio::test]
async fn a_refused_row_ends_an_import_that_can_go_on() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let file =
        many(0, 5) + "admin@example.com,Taken\n" + many(5, 8).split_once('\n').expect("a header").1;

    let refused = csv(&admin, "?batch=4", &file).await;

    assert_eq!(refused.outcome(), "400 RECORD_NOT_UNIQUE");
    let extensions = refused.json()["errors"][0]["extensions"].clone();
    assert_eq!(extensions["row"], 6);
    assert_eq!(extensions["import"]["created"], 5);
    assert_eq!(extensions["import"]["next_row"], 6);
    let rest = csv(&admin, "?first_row=7&batch=4", &file).await.data();
    assert_eq!(rest["created"], 3);
    assert_eq!(emails(&admin).await.len(), 9);

    // The same file again leaves out whom it made, or changes them.
    let again = csv(&admin, "?existing=skip", &file).await.data();
    assert_eq!(
        (again["skipped"].clone(), again["created"].clone()),
        (json!(9), json!(0))
    );
    let renamed = file.replace(",U", ",V");
    let renamed = csv(&admin, "?existing=update", &renamed).await.data();
    assert_eq!(renamed["updated"], 9);
    let user = admin
        .filter(json!({"email": {"_eq": "u0003@example.com"}}))
        .await
        .data();
    assert_eq!(user[0]["first_name"], "V3");
}

#[tokio::test]
async fn refused_rows_are_left_behind_where_that_is_asked() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let file =
        many(0, 3) + "broken,X\n\"a\",b,c\n" + many(3, 6).split_once('\n').expect("a header").1;

    let report = csv(&admin, "?on_error=skip", &file).await.data();

    assert_eq!(
        (report["created"].clone(), report["failed"].clone()),
        (json!(6), json!(2))
    );
    assert_eq!(
        (
            report["errors"][0]["row"].clone(),
            report["errors"][1]["row"].clone()
        ),
        (json!(4), json!(5))
    );
    assert_eq!(report["next_row"], json!(null));
}

#[tokio::test]
async fn a_file_gives_no_privilege_that_is_not_named() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let role = admin.post("/roles", json!({ "name": "r" })).await.data()["id"].clone();
    let role = role.as_str().expect("an id");
    let file = format!("email,role,status\nann@example.com,{role},suspended\n");

    let refused = csv(&admin, "", &file).await;
    let half = csv(&admin, "?allow=role", &file).await;
    let json = send(
        &admin,
        "",
        "application/json",
        format!(r#"[{{"email":"a@example.com","role":"{role}"}}]"#),
    )
    .await;
    let unknown = csv(&admin, "?allow=roles", &file).await;

    assert_eq!(refused.outcome(), "400 INVALID_PAYLOAD");
    assert_eq!(
        refused.json()["errors"].as_array().expect("errors").len(),
        2
    );
    assert!(refused.text.contains("allow=role"), "{}", refused.text);
    assert_eq!(half.json()["errors"].as_array().expect("errors").len(), 1);
    assert_eq!(json.outcome(), "400 INVALID_PAYLOAD");
    assert_eq!(unknown.outcome(), "400 INVALID_QUERY");
    assert_eq!(emails(&admin).await.len(), 1);
    let named = csv(&admin, "?allow=role,status", &file).await.data();
    assert_eq!(named["created"], 1);
    let user = admin
        .filter(json!({"email": {"_eq": "ann@example.com"}}))
        .await
        .data();
    assert_eq!(
        (user[0]["role"].as_str(), user[0]["status"].as_str()),
        (Some(role), Some("suspended"))
    );
}

#[tokio::test]
async fn an_import_is_bound_by_the_rules_of_its_caller() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let member = server.member("mia").await;

    assert_eq!(
        csv(&server.stranger(), "", &many(0, 1)).await.outcome(),
        "403 FORBIDDEN"
    );
    assert_eq!(
        csv(&member, "", &many(0, 1)).await.outcome(),
        "403 FORBIDDEN"
    );
    let policy = admin
        .post("/policies", json!({ "name": "importers" }))
        .await
        .data()["id"]
        .clone();
    admin
        .post("/access", json!({ "user": member.id, "policy": policy }))
        .await
        .data();
    let rule = json!({
        "policy": policy, "collection": "directus_users", "action": "create", "fields": ["email"],
        "validation": { "email": { "_ends_with": "@example.com" } }, "presets": { "title": "imported" },
    });
    admin.post("/permissions", rule).await.data();

    let elsewhere = csv(&member, "", "email\nx@example.org\n").await;
    let further = csv(&member, "", &many(0, 1)).await;
    let made = csv(&member, "", "email\nx@example.com\n").await.data();
    let changed = csv(&member, "?existing=update", "email\nx@example.com\n").await;

    assert_eq!(elsewhere.outcome(), "400 FAILED_VALIDATION");
    assert_eq!(further.outcome(), "403 FORBIDDEN");
    assert_eq!(made["created"], 1);
    assert_eq!(changed.outcome(), "403 FORBIDDEN");
    let user = admin
        .filter(json!({"email": {"_eq": "x@example.com"}}))
        .await
        .data();
    assert_eq!(user[0]["title"], "imported");
    // What is no import of users looks like what does not exist.
    let roles = admin
        .send(
            Method::POST,
            "/utils/import/directus_roles",
            &[("content-type", "text/csv")],
            b"name\nx\n".to_vec(),
        )
        .await;
    assert_eq!(roles.outcome(), "403 FORBIDDEN");
}

#[tokio::test]
async fn files_that_are_none_are_refused_by_name() {
    let server = Setup::new()
        .set("users.import_max_size", "64KiB")
        .start()
        .await;
    let admin = server.admin().await;
    let deep = format!("[{}]", "[".repeat(100_000));

    for (kind, content, outcome, said) in [
        (
            "text/csv",
            String::new(),
            "400 INVALID_PAYLOAD",
            "no header",
        ),
        (
            "text/csv",
            "email,emial\n".to_owned(),
            "400 INVALID_PAYLOAD",
            "emial",
        ),
        (
            "text/csv",
            "email,email\n".to_owned(),
            "400 FAILED_VALIDATION",
            "twice",
        ),
        (
            "application/json",
            "{\"email\":1}".to_owned(),
            "400 INVALID_PAYLOAD",
            "array of objects",
        ),
        (
            "application/json",
            "[{\"email\":\"a@example.com\"".to_owned(),
            "400 INVALID_PAYLOAD",
            "cannot be read",
        ),
        (
            "application/json",
            "[3]".to_owned(),
            "400 INVALID_PAYLOAD",
            "expected an object, got an integer",
        ),
        (
            "application/json",
            deep[..60_000].to_owned(),
            "400 INVALID_PAYLOAD",
            "recursion limit",
        ),
        (
            "text/csv",
            "x".repeat(70_000),
            "413 CONTENT_TOO_LARGE",
            "65536",
        ),
        (
            "text/plain",
            "email\n".to_owned(),
            "415 UNSUPPORTED_MEDIA_TYPE",
            "text/csv",
        ),
        (
            "multipart/form-data; boundary=x",
            "--x--\r\n".to_owned(),
            "400 INVALID_PAYLOAD",
            "no file",
        ),
    ] {
        let refused = send(&admin, "", kind, content).await;
        assert_eq!(refused.outcome(), outcome, "{kind}: {}", refused.text);
        assert!(refused.text.contains(said), "{kind}: {}", refused.text);
    }
    for query in [
        "?existing=all",
        "?batch=0",
        "?batch=9999",
        "?dry=true",
        "?first_row=x",
        "?delimiter=x",
    ] {
        assert_eq!(
            csv(&admin, query, "email\n").await.outcome(),
            "400 INVALID_QUERY",
            "{query}"
        );
    }
    let latin = b"email,first_name\na@example.com,\xe9\nb@example.com,B\n".to_vec();
    let report = send(&admin, "?on_error=skip", "text/csv", latin)
        .await
        .data();
    assert_eq!(
        (
            report["created"].clone(),
            report["errors"][0]["row"].clone()
        ),
        (json!(1), json!(1))
    );
}

#[tokio::test]
async fn rows_are_told_as_they_are_done_where_lines_are_asked_for() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let headers = [
        ("content-type", "text/csv"),
        ("accept", "application/x-ndjson"),
    ];

    let answer = admin
        .send(
            Method::POST,
            "/utils/import/users?batch=2",
            &headers,
            many(0, 5).into_bytes(),
        )
        .await;

    let lines: Vec<Json> = answer
        .text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(
        (lines[4]["row"].clone(), lines[4]["outcome"].clone()),
        (json!(5), json!("created"))
    );
    assert!(lines[4]["id"].is_string());
    assert_eq!(lines[5]["import"]["created"], 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_ends_with_the_token_it_was_begun_with() {
    let removes: Arc<Mutex<Option<(Client, String)>>> = Arc::default();
    let recorder = Recorder::new().before({
        let removes = Arc::clone(&removes);
        move |call, _| {
            let third = call.text("email").starts_with("u0003");
            let removes = removes.lock().expect("no panic").clone();
            if let (true, Some((client, path))) = (third, removes) {
                let removal = async { client.delete(&path).await.done() };
                block_in_place(|| Handle::current().block_on(removal));
            }
            Ok(())
        }
    });
    let server = Setup::new().record(&recorder).start().await;
    let admin = server.admin().await;
    let token = json!({ "name": "import" });
    let token = admin.post("/users/me/tokens", token).await.data();
    let path = format!("/users/me/tokens/{}", token["id"].as_str().expect("an id"));
    let importer = server.bearer(token["token"].as_str().expect("a token"));
    *removes.lock().expect("no panic") = Some((admin.clone(), path));

    let ended = csv(&importer, "?batch=2", &many(0, 9)).await;

    assert_eq!(ended.outcome(), "401 INVALID_CREDENTIALS");
    let import = ended.json()["errors"][0]["extensions"]["import"].clone();
    // What was under way when the token went is finished.
    assert_eq!(import["created"], 4, "{import}");
    assert_eq!(emails(&admin).await.len(), 5);
}
