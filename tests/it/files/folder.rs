use std::path::Path;

use roster_tests::{Database, Setup, TestServer};
use std::sync::Arc;

use super::{form, png, send, uploaded};

async fn start(database: &Arc<Database>) -> TestServer {
    let folder = database.folder().join("pictures");
    Setup::new()
        .on(database)
        .set("files.storage", "folder")
        .set("files.folder", folder.to_str().expect("a path"))
        .start()
        .await
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("pictures")).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    entries
        .map(|entry| name(entry).into_string().expect("text"))
        .collect()
}

#[tokio::test]
async fn content_is_kept_in_a_folder_under_its_id_alone() {
    let database = Arc::new(Database::fresh().await);
    let server = start(&database).await;
    let admin = server.admin().await;

    let id = uploaded(&admin, &png(4, 4)).await;

    assert_eq!(names(database.folder()), std::slice::from_ref(&id));
    assert_eq!(database.count("file_contents", "1 = 1").await, 0);
    let asset = format!("/assets/{id}");
    assert_eq!(admin.get(&asset).await.bytes, png(4, 4));
    assert_eq!(admin.get(&format!("{asset}?width=2")).await.status, 200);
    admin.delete(&format!("/files/{id}")).await.done();
    assert!(names(database.folder()).is_empty());
}

#[tokio::test]
async fn a_refused_file_leaves_nothing_and_takes_nothing_away() {
    let database = Arc::new(Database::fresh().await);
    let server = start(&database).await;
    let admin = server.admin().await;
    let id = uploaded(&admin, &png(4, 4)).await;
    let taken = form(&[("id", None, id.as_bytes()), ("file", Some("x"), &png(5, 5))]);

    let answer = send(&admin, "/files", taken).await;

    assert_eq!(answer.outcome(), "400 RECORD_NOT_UNIQUE");
    assert_eq!(admin.get(&format!("/assets/{id}")).await.bytes, png(4, 4));
    assert_eq!(names(database.folder()), [id]);
}

#[tokio::test]
async fn files_stay_where_they_were_put() {
    let database = Arc::new(Database::fresh().await);
    let server = start(&database).await;
    let in_folder = uploaded(&server.admin().await, &png(4, 4)).await;
    server.stop().await;

    let folder = database.folder().join("pictures");
    let folder = folder.to_str().expect("a path");
    let server = Setup::new()
        .on(&database)
        .set("files.folder", folder)
        .start()
        .await;
    let admin = server.admin().await;
    let in_database = uploaded(&admin, &png(5, 5)).await;

    assert_eq!(
        admin.get(&format!("/assets/{in_folder}")).await.bytes,
        png(4, 4)
    );
    assert_eq!(
        admin.get(&format!("/assets/{in_database}")).await.bytes,
        png(5, 5)
    );
    std::fs::remove_file(database.folder().join("pictures").join(&in_folder)).expect("removed");
    let lost = admin.get(&format!("/assets/{in_folder}")).await;
    assert_eq!(lost.outcome(), "503 SERVICE_UNAVAILABLE");
}
