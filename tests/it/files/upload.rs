use image::ImageFormat;
use insta::assert_snapshot;
use reqwest::Method;
use roster_tests::{Setup, TestServer};
use serde_json::json;

use super::{BOUNDARY, form, picture, png, send, upload};

#[tokio::test]
async fn a_picture_comes_in_with_what_is_said_of_it() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let body = form(&[
        ("description", None, "Ada, übt".as_bytes()),
        ("file", Some("../my-picture_2.PNG"), &png(3, 2)),
    ]);
    let answer = send(&admin, "/files", body).await;

    let size = png(3, 2).len().to_string();
    let answer = answer.to_string().replace(&format!("\"{size}\""), "[size]");
    assert_snapshot!(answer, @r#"
    200
    {"data":{"id":"[id 1]","storage":"database","filename_disk":"[id 1]","filename_download":"my-picture_2.PNG","title":"My Picture 2","type":"image/png","uploaded_by":"[id 2]","created_on":"[time]","modified_by":null,"modified_on":"[time]","filesize":[size],"width":3,"height":2,"description":"Ada, übt","uploaded_on":"[time]"}}
    "#);
    assert_eq!(server.database().count("file_contents", "1 = 1").await, 1);
}

#[tokio::test]
async fn what_a_picture_is_comes_from_its_content() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    for (format, kind) in [
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::Gif, "image/gif"),
        (ImageFormat::WebP, "image/webp"),
    ] {
        let file = upload(&admin, &picture(5, 4, format)).await.data();
        let facts = (&file["type"], &file["width"], &file["height"]);
        assert_eq!(facts, (&json!(kind), &json!(5), &json!(4)));
    }
}

#[tokio::test]
async fn anything_but_a_picture_is_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let bmp = picture(1, 1, ImageFormat::Png).split_off(8);

    for content in [
        b"<html><script>alert(1)</script></html>".to_vec(),
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
        b"BM\0\0".to_vec(),
        bmp,
    ] {
        let answer = upload(&admin, &content).await;
        assert_eq!(answer.outcome(), "415 UNSUPPORTED_MEDIA_TYPE");
    }
    assert_eq!(server.database().count("files", "1 = 1").await, 0);
}

#[tokio::test]
async fn pictures_that_end_early_are_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    assert_eq!(upload(&admin, b"").await.outcome(), "400 INVALID_PAYLOAD");
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Gif,
        ImageFormat::WebP,
    ] {
        let mut content = picture(64, 64, format);
        content.truncate(content.len() / 2);
        let answer = upload(&admin, &content).await;
        assert_eq!(answer.outcome(), "400 INVALID_PAYLOAD", "{format:?}");
    }
    assert_eq!(server.database().count("files", "1 = 1").await, 0);
}

/// A PNG that says it has these sides, and has nothing behind it.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut content = png(1, 1);
    content[16..20].copy_from_slice(&width.to_be_bytes());
    content[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = checksum(&content[12..29]);
    content[29..33].copy_from_slice(&sum.to_be_bytes());
    content
}

/// CRC-32 as PNG has it.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xEDB8_8320 * (sum & 1))
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[tokio::test]
async fn pictures_that_would_be_huge_are_refused_before_they_are_unpacked() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    for (width, height) in [
        (10_001, 1),
        (1, 10_001),
        (10_000, 10_000),
        (u32::MAX >> 1, 1),
    ] {
        let answer = upload(&admin, &bomb(width, height)).await;
        assert_eq!(
            answer.outcome(),
            "400 INVALID_PAYLOAD",
            "{width} × {height}"
        );
    }
    let said = upload(&admin, &bomb(10_000, 10_000)).await;
    assert!(said.text.contains("pixels"), "{said}");
}

#[tokio::test]
async fn a_file_has_a_largest_size() {
    let content = png(40, 40);
    let limit = format!("{}B", content.len());
    let server = Setup::new().set("files.max_size", &limit).start().await;
    let admin = server.admin().await;

    assert_eq!(upload(&admin, &content).await.status, 200);
    let mut longer = content;
    longer.push(0);
    for more in [0, 1_000_000] {
        longer.resize(longer.len() + more, 0);
        let answer = upload(&admin, &longer).await;
        assert_eq!(answer.outcome(), "413 CONTENT_TOO_LARGE");
    }
}

#[tokio::test]
async fn a_form_that_makes_no_sense_is_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let (png, long) = (png(1, 1), vec![b'x'; 70_000]);
    let file = ("file", Some("x.png"), &png[..]);

    for body in [
        form(&[]),
        form(&[("title", None, b"no file")]),
        form(&[file, file]),
        form(&[("title", None, b"\xFF"), file]),
        form(&[("title", None, b"a\0b"), file]),
        form(&[("title", None, &long), file]),
        form(&[("id", None, b"1"), file]),
        form(&[("storage", None, b"folder"), file]),
        form(&[("type", None, b"text/html"), file]),
        form(&[("uploaded_by", None, admin.id.as_bytes()), file]),
        form(&[("height_of_folly", None, b"1"), file]),
        form(&[file; 1])[..100].to_vec(),
        b"nothing of a form".to_vec(),
        Vec::new(),
        form(&vec![("title", None, &b"x"[..]); 40]),
    ] {
        let answer = send(&admin, "/files", body).await;
        assert_eq!(answer.outcome(), "400 INVALID_PAYLOAD", "{answer}");
    }
    for kind in ["application/json", "multipart/form-data", "text/plain", ""] {
        let headers = [("content-type", kind)];
        let answer = admin
            .send(Method::POST, "/files", &headers, form(&[file]))
            .await;
        assert_eq!(answer.outcome(), "415 UNSUPPORTED_MEDIA_TYPE", "{kind}");
    }
    let folly = form(&[("title", None, &long[..256]), file]);
    assert_eq!(
        send(&admin, "/files", folly).await.outcome(),
        "400 VALUE_TOO_LONG"
    );
    assert_eq!(server.database().count("files", "1 = 1").await, 0);
    assert!(form(&[]).starts_with(format!("--{BOUNDARY}--").as_bytes()));
}

#[tokio::test]
async fn an_id_that_is_taken_is_refused_and_its_content_stays() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let id = "01890000-0000-7000-8000-000000000001";
    let named = |content: &[u8]| form(&[("id", None, id.as_bytes()), ("file", Some("x"), content)]);

    let first = send(&admin, "/files", named(&png(1, 1))).await.data();
    let second = send(&admin, "/files", named(&png(2, 2))).await;

    assert_eq!(first["id"], id);
    assert_eq!(second.outcome(), "400 RECORD_NOT_UNIQUE");
    assert_eq!(admin.get(&format!("/assets/{id}")).await.bytes, png(1, 1));
}

#[tokio::test]
async fn journals_keep_what_happens_to_files() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let file = upload(&admin, &png(1, 1)).await.data();
    let path = format!("/files/{}", file["id"].as_str().expect("an id"));
    admin.patch(&path, json!({ "title": "Ada" })).await.data();
    admin.delete(&path).await.done();

    let filter = json!({ "collection": { "_eq": "directus_files" } }).to_string();
    let of_files = [
        ("filter", filter.as_str()),
        ("fields", "action"),
        ("sort", "id"),
    ];
    let activity = admin.query("/activity", &of_files).await;
    assert_snapshot!(activity, @r#"
    200
    {"data":[{"action":"create"},{"action":"update"},{"action":"delete"}]}
    "#);
    let revisions = admin.query("/revisions", &of_files[..1]).await.data();
    assert_eq!(revisions.as_array().map(Vec::len), Some(2));
}
