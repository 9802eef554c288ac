use insta::assert_snapshot;
use reqwest::Method;
use roster_tests::TestServer;
use serde_json::json;

use super::{png, uploaded};

#[tokio::test]
async fn a_picture_becomes_the_avatar_of_a_user() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let id = uploaded(&admin, &png(1, 1)).await;

    let user = admin.post("/users", json!({ "avatar": id })).await.data();
    let path = format!("/users/{}", user["id"].as_str().expect("an id"));
    let read = admin
        .get(&format!("{path}?fields=avatar.title,avatar.type"))
        .await;

    assert_snapshot!(read, @r#"
    200
    {"data":{"avatar":{"title":"My Picture","type":"image/png"}}}
    "#);
    admin.delete(&format!("/files/{id}")).await.done();
    let read = admin.get(&format!("{path}?fields=avatar")).await;
    assert_eq!(read.data(), json!({ "avatar": null }));
}

#[tokio::test]
async fn content_goes_with_its_record() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let (one, two) = (
        uploaded(&admin, &png(1, 1)).await,
        uploaded(&admin, &png(2, 2)).await,
    );
    let resized = format!("/assets/{two}?width=1");
    assert_eq!(admin.get(&resized).await.status, 200);

    admin
        .json(Method::DELETE, "/files", &json!([one, two]))
        .await
        .done();

    assert_eq!(server.database().count("file_contents", "1 = 1").await, 0);
    assert_eq!(admin.get(&resized).await.outcome(), "403 FORBIDDEN");
}

#[tokio::test]
async fn files_are_listed_searched_and_changed_like_other_records() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ids = [
        uploaded(&admin, &png(1, 1)).await,
        uploaded(&admin, &png(2, 2)).await,
    ];

    let wide = json!({ "query": { "filter": { "width": { "_gt": 1 } }, "fields": ["id"] } });
    let search = Method::from_bytes(b"SEARCH").expect("a method");
    let found = admin.json(search, "/files", &wide).await.data();
    let change = json!({ "keys": ids, "data": { "title": "Both" } });
    let changed = admin
        .patch("/files?fields=title,modified_by", change)
        .await
        .data();

    assert_eq!(found, json!([{ "id": ids[1] }]));
    let both = json!({ "title": "Both", "modified_by": admin.id });
    assert_eq!(changed, json!([both, both]));
}

#[tokio::test]
async fn what_the_content_says_is_not_changed_by_hand() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = format!("/files/{}", uploaded(&admin, &png(1, 1)).await);

    for body in [
        json!({ "type": "text/html" }),
        json!({ "filename_disk": "../../etc/passwd" }),
        json!({ "storage": "folder" }),
        json!({ "filesize": 1 }),
        json!({ "uploaded_by": null }),
        json!({ "created_on": "2026-01-01T00:00:00Z" }),
    ] {
        let answer = admin.patch(&path, body.clone()).await;
        assert_eq!(answer.outcome(), "400 INVALID_PAYLOAD", "{body}");
    }
    let empty = admin
        .patch(&path, json!({ "filename_download": null }))
        .await;
    assert_eq!(empty.outcome(), "400 FAILED_VALIDATION");
}

#[tokio::test]
async fn files_are_not_made_by_json() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let file = admin
        .post("/files", json!({ "filename_download": "x.png" }))
        .await;
    let nested = json!({ "avatar": { "filename_download": "x.png", "storage": "database" } });
    let nested = admin.post("/users", nested).await;

    assert_eq!(file.outcome(), "415 UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(nested.outcome(), "403 FORBIDDEN");
    assert_eq!(server.database().count("files", "1 = 1").await, 0);
}
