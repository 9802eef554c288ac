use roster_tests::TestServer;
use serde_json::{Value as Json, json};

use super::{allow, png, upload, uploaded};

#[tokio::test]
async fn nobody_sends_files_without_the_permission_to_make_them() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;

    for client in [server.stranger(), ada] {
        assert_eq!(upload(&client, &png(1, 1)).await.outcome(), "403 FORBIDDEN");
        assert_eq!(
            upload(&client, b"no picture").await.outcome(),
            "403 FORBIDDEN"
        );
        assert_eq!(
            upload(&client, &vec![0; 6_000_000]).await.outcome(),
            "403 FORBIDDEN"
        );
    }
    assert_eq!(server.database().count("files", "1 = 1").await, 0);
}

#[tokio::test]
async fn who_sent_a_file_sees_what_is_in_it_and_no_more() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let (ada, bob) = (server.member("ada").await, server.member("bob").await);
    allow(&admin, &ada, "create", json!(["title"]), Json::Null).await;

    let made = upload(&ada, &png(2, 2)).await;

    made.done();
    let file = admin.get("/files").await.data()[0].clone();
    assert_eq!(file["uploaded_by"], ada.id);
    let id = file["id"].as_str().expect("an id");
    let asset = format!("/assets/{id}");
    assert_eq!(ada.get(&asset).await.bytes, png(2, 2));
    assert_eq!(ada.get(&format!("{asset}?width=1")).await.status, 200);
    assert_eq!(
        ada.get(&format!("/files/{id}")).await.outcome(),
        "403 FORBIDDEN"
    );
    assert_eq!(ada.get("/files").await.outcome(), "403 FORBIDDEN");
    for other in [bob, server.stranger()] {
        assert_eq!(other.get(&asset).await.outcome(), "403 FORBIDDEN");
        assert_eq!(
            other.get(&format!("{asset}?width=1")).await.outcome(),
            "403 FORBIDDEN"
        );
    }
}

#[tokio::test]
async fn a_file_is_seen_by_those_who_may_read_its_record() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.member("ada").await;
    let (open, hidden) = (
        uploaded(&admin, &png(2, 2)).await,
        uploaded(&admin, &png(3, 3)).await,
    );
    let title = json!({ "title": "open" });
    admin.patch(&format!("/files/{open}"), title).await.data();
    let only_open = json!({ "title": { "_eq": "open" } });
    allow(&admin, &ada, "read", json!(["id"]), only_open).await;

    assert_eq!(ada.get(&format!("/assets/{open}")).await.bytes, png(2, 2));
    assert_eq!(
        ada.get(&format!("/files/{open}")).await.data(),
        json!({ "id": open })
    );
    for path in [
        format!("/assets/{hidden}"),
        format!("/assets/{hidden}?width=1"),
    ] {
        assert_eq!(ada.get(&path).await.outcome(), "403 FORBIDDEN");
    }

    admin
        .patch(&format!("/files/{open}"), json!({ "title": "shut" }))
        .await
        .data();
    assert_eq!(
        ada.get(&format!("/assets/{open}")).await.outcome(),
        "403 FORBIDDEN"
    );
}
