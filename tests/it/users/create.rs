use insta::assert_snapshot;
use reqwest::Method;
use roster_tests::{Kind, PASSWORD, TestServer, kind};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_user_comes_back_whole_with_defaults_and_masks() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let body = json!({
        "email": "Ada@Example.com",
        "password": PASSWORD,
        "first_name": "Ada",
        "tags": ["maths", {"nested": null}],
        "theme_dark_overrides": {"a": 1.5},
        "avatar": "01890000-0000-7000-8000-000000000000",
        "last_access": "2026-01-31T12:11:12.345678+02:00",
    });
    let answer = admin.post("/users", body).await;

    assert_eq!(answer.data()["last_access"], "2026-01-31T10:11:12.345Z");
    assert_snapshot!(answer, @r#"
    200
    {"data":{"id":"[id 1]","first_name":"Ada","last_name":null,"email":"Ada@Example.com","password":"**********","location":null,"title":null,"description":null,"tags":["maths",{"nested":null}],"avatar":"[id 2]","language":null,"tfa_secret":null,"status":"active","role":null,"token":null,"last_access":"[time]","last_page":null,"provider":"default","external_identifier":null,"auth_data":null,"email_notifications":true,"appearance":null,"theme_dark":null,"theme_light":null,"theme_light_overrides":null,"theme_dark_overrides":{"a":1.5},"text_direction":"auto","policies":[]}}
    "#);
}

#[tokio::test]
async fn nothing_is_needed_to_create_a_user() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let from_object = admin
        .post("/users?fields=email,status,role,password", json!({}))
        .await;
    let from_nothing = admin
        .send(Method::POST, "/users?fields=status", &[], Vec::new())
        .await;

    assert_snapshot!(from_object, @r#"
    200
    {"data":{"email":null,"password":null,"status":"active","role":null}}
    "#);
    assert_snapshot!(from_nothing, @r#"
    200
    {"data":{"status":"active"}}
    "#);
}

#[tokio::test]
async fn a_client_may_choose_the_id_once() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let id = Uuid::new_v4().to_string();

    let first = admin
        .post("/users?fields=id", json!({ "id": id.to_uppercase() }))
        .await;
    let second = admin.post("/users", json!({ "id": id })).await;
    let malformed = admin.post("/users", json!({ "id": "7" })).await;

    assert_eq!(first.data(), json!({ "id": id }));
    assert_snapshot!(second, @r#"
    400
    {"errors":[{"message":"Value for field \"id\" in collection \"directus_users\" has to be unique.","extensions":{"collection":"directus_users","field":"id","value":"[id 1]","code":"RECORD_NOT_UNIQUE"}}]}
    "#);
    assert_snapshot!(malformed, @r#"
    400
    {"errors":[{"message":"Invalid payload. field `id`: expected a UUID, got a string.","extensions":{"field":"id","reason":"field `id`: expected a UUID, got a string","code":"INVALID_PAYLOAD"}}]}
    "#);
}

#[tokio::test]
async fn ids_of_ours_follow_the_time() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let mut ids = Vec::new();
    for _ in 0..5 {
        let id = admin.post("/users?fields=id", json!({})).await.data()["id"].clone();
        ids.push(Uuid::parse_str(id.as_str().expect("text")).expect("a UUID"));
    }

    assert!(ids.iter().all(|id| id.get_version_num() == 7));
    let millis = |id: &Uuid| id.as_u128() >> 80;
    assert!(ids.is_sorted_by_key(millis), "{ids:?}");
}

#[tokio::test]
async fn all_wrong_types_are_reported_at_once() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let body = json!({
        "email": 7,
        "email_notifications": "yes",
        "role": "nobody",
        "last_access": "yesterday",
        "first_name": ["Ada"],
        "policies": [],
    });
    let answer = admin.post("/users", body).await;

    assert_snapshot!(answer, @r#"
    400
    {"errors":[{"message":"Invalid payload. field `email`: expected a string, got an integer.","extensions":{"field":"email","reason":"field `email`: expected a string, got an integer","code":"INVALID_PAYLOAD"}},
    {"message":"Invalid payload. field `email_notifications`: expected a boolean, got a string.","extensions":{"field":"email_notifications","reason":"field `email_notifications`: expected a boolean, got a string","code":"INVALID_PAYLOAD"}},
    {"message":"Invalid payload. field `first_name`: expected a string, got an array.","extensions":{"field":"first_name","reason":"field `first_name`: expected a string, got an array","code":"INVALID_PAYLOAD"}},
    {"message":"Invalid payload. field `last_access`: expected a timestamp such as 2026-01-31T10:11:12Z, got a string.","extensions":{"field":"last_access","reason":"field `last_access`: expected a timestamp such as 2026-01-31T10:11:12Z, got a string","code":"INVALID_PAYLOAD"}},
    {"message":"Invalid payload. field `role`: expected a UUID, got a string.","extensions":{"field":"role","reason":"field `role`: expected a UUID, got a string","code":"INVALID_PAYLOAD"}}]}
    "#);
}

#[tokio::test]
async fn all_values_that_do_not_pass_are_reported_at_once() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let body = json!({
        "email": "nonsense",
        "status": "asleep",
        "first_name": "x".repeat(51),
        "provider": null,
        "text_direction": null,
    });
    let answer = admin.post("/users", body).await;

    assert_snapshot!(answer, @r#"
    400
    {"errors":[{"message":"Value for field \"first_name\" in collection \"directus_users\" is too long.","extensions":{"collection":"directus_users","field":"first_name","max_length":50,"code":"VALUE_TOO_LONG"}},
    {"message":"Validation failed for field \"email\". Value has to be a valid email address.","extensions":{"field":"email","path":[],"type":"email","code":"FAILED_VALIDATION"}},
    {"message":"Validation failed for field \"status\". Value has to be one of \"draft\", \"invited\", \"unverified\", \"active\", \"suspended\", \"archived\".","extensions":{"field":"status","path":[],"type":"in","valid":["draft","invited","unverified","active","suspended","archived"],"code":"FAILED_VALIDATION"}},
    {"message":"Validation failed for field \"provider\". Value can't be null.","extensions":{"field":"provider","path":[],"type":"nnull","code":"FAILED_VALIDATION"}},
    {"message":"Validation failed for field \"text_direction\". Value can't be null.","extensions":{"field":"text_direction","path":[],"type":"nnull","code":"FAILED_VALIDATION"}}]}
    "#);
}

#[tokio::test]
async fn fields_that_do_not_exist_are_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let answer = admin
        .post(
            "/users",
            json!({ "nickname": "x", "email_key": "a", "title": "t" }),
        )
        .await;

    assert_snapshot!(answer, @r#"
    400
    {"errors":[{"message":"Invalid payload. field `email_key` does not exist in collection `directus_users`.","extensions":{"collection":"directus_users","field":"email_key","reason":"field `email_key` does not exist in collection `directus_users`","code":"INVALID_PAYLOAD"}},
    {"message":"Invalid payload. field `nickname` does not exist in collection `directus_users`.","extensions":{"collection":"directus_users","field":"nickname","reason":"field `nickname` does not exist in collection `directus_users`","code":"INVALID_PAYLOAD"}}]}
    "#);
    assert_eq!(server.database().count("users", "title = 't'").await, 0);
}

#[tokio::test]
async fn a_role_has_to_exist() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let role = Uuid::new_v4();

    let answer = admin.post("/users", json!({ "role": role })).await;

    assert_snapshot!(answer, @r#"
    400
    {"errors":[{"message":"Invalid foreign key for field \"role\" in collection \"directus_users\".","extensions":{"collection":"directus_users","field":"role","value":"[id 1]","code":"INVALID_FOREIGN_KEY"}}]}
    "#);
}

#[tokio::test]
async fn every_known_status_is_taken_and_no_other() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    for status in [
        "draft",
        "invited",
        "unverified",
        "active",
        "suspended",
        "archived",
    ] {
        let made = admin
            .post("/users?fields=status", json!({ "status": status }))
            .await;
        assert_eq!(made.data(), json!({ "status": status }));
    }
    for status in [
        json!(""),
        json!("Active"),
        json!("active "),
        json!(null),
        json!(1),
    ] {
        let answer = admin.post("/users", json!({ "status": status })).await;
        assert_eq!(answer.status, 400, "{status}: {answer}");
    }
}

#[tokio::test]
async fn text_fills_its_field_to_the_last_character() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let (fits, is_long) = ("ä".repeat(50), "ä".repeat(51));

    let good = admin
        .post("/users?fields=title", json!({ "title": fits }))
        .await;
    let bad = admin.post("/users", json!({ "title": is_long })).await;

    assert_eq!(good.data(), json!({ "title": fits }));
    assert_snapshot!(bad, @r#"
    400
    {"errors":[{"message":"Value for field \"title\" in collection \"directus_users\" is too long.","extensions":{"collection":"directus_users","field":"title","max_length":50,"code":"VALUE_TOO_LONG"}}]}
    "#);
}

#[tokio::test]
async fn text_is_kept_as_it_is() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let text = " '; DROP TABLE users; -- \u{200b}\u{1f600}\r\n\t\u{7f} \"\\ ";

    let made = admin
        .post("/users", json!({ "description": text, "tags": [text] }))
        .await
        .data();

    assert_eq!(made["description"], text);
    assert_eq!(made["tags"], json!([text]));
}

#[tokio::test]
async fn json_fields_take_any_json() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    for value in [
        json!([]),
        json!({}),
        json!("text"),
        json!(1.5),
        json!(true),
        json!(null),
    ] {
        let made = admin
            .post("/users?fields=tags", json!({ "tags": value }))
            .await;
        assert_eq!(made.data(), json!({ "tags": value }));
    }
}

#[tokio::test]
async fn a_malformed_query_creates_nobody() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let answer = admin
        .post("/users?fields=nope", json!({ "title": "ghost" }))
        .await;

    assert_snapshot!(answer, @r#"
    403
    {"errors":[{"message":"You don't have permission to access field \"nope\" in collection \"directus_users\" or it does not exist. Queried in root.","extensions":{"code":"FORBIDDEN"}}]}
    "#);
    assert_eq!(server.database().count("users", "title = 'ghost'").await, 0);
}

#[tokio::test]
async fn what_was_done_is_written_down() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let user = admin.post("/users", body).await.data();

    let id = user["id"].as_str().expect("an id");
    let by = if kind() == Kind::Sqlite {
        "\"user\""
    } else {
        "CAST(\"user\" AS TEXT)"
    };
    let sql =
        format!("SELECT action, {by}, collection, source, ip FROM activity WHERE item = '{id}'");
    let activity = server.database().rows(&sql).await;
    let expected = ["create", &admin.id, "directus_users", "rest", "127.0.0.1"]
        .map(|text| Some(text.to_owned()));
    assert_eq!(activity, [expected.to_vec()]);
    let sql = format!("SELECT CAST(delta AS TEXT) FROM revisions WHERE item = '{id}'");
    let revision = server.database().text(&sql).await;
    assert!(
        revision.contains("ada@example.com") && revision.contains("**********"),
        "{revision}"
    );
}
