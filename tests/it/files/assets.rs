use image::{GenericImageView, ImageFormat};
use insta::assert_snapshot;
use reqwest::Method;
use roster_tests::TestServer;

use super::{form, picture, png, send, uploaded};

#[tokio::test]
async fn a_file_goes_out_as_it_came_in_and_harms_nobody() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body = form(&[("file", Some("évil \\\"x.html"), &png(3, 2))]);
    let file = send(&admin, "/files", body).await.data();
    let path = format!("/assets/{}", file["id"].as_str().expect("an id"));

    let answer = admin.get(&path).await;

    assert_eq!((answer.status, &answer.bytes), (200, &png(3, 2)));
    let headers = [
        "content-type",
        "content-disposition",
        "x-content-type-options",
        "content-security-policy",
        "cache-control",
    ];
    let headers = headers.map(|name| format!("{name}: {}", answer.header(name)));
    assert_snapshot!(headers.join("\n"), @r#"
    content-type: image/png
    content-disposition: inline; filename="_vil _x.png"; filename*=UTF-8''%C3%A9vil%20%22x.png
    x-content-type-options: nosniff
    content-security-policy: default-src 'none'; frame-ancestors 'none'
    cache-control: private, no-cache
    "#);
    let saved = admin.get(&format!("{path}?download")).await;
    assert!(
        saved
            .header("content-disposition")
            .starts_with("attachment; ")
    );
}

#[tokio::test]
async fn who_has_a_file_already_does_not_get_it_again() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = format!("/assets/{}", uploaded(&admin, &png(3, 2)).await);
    let ask = async |path: &str, known: &str| {
        let headers = [("if-none-match", known)];
        admin.send(Method::GET, path, &headers, Vec::new()).await
    };

    let (whole, small) = (
        admin.get(&path).await,
        admin.get(&format!("{path}?width=1")).await,
    );
    let again = ask(&path, whole.header("etag")).await;

    assert_ne!(whole.header("etag"), small.header("etag"));
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    assert_eq!(again.header("etag"), whole.header("etag"));
    assert_eq!(ask(&path, "\"x\", W/\"y\"").await.status, 200);
    assert_eq!(
        ask(&format!("{path}?width=1"), whole.header("etag"))
            .await
            .status,
        200
    );
    assert_eq!(
        server.stranger().get(&path).await.outcome(),
        "403 FORBIDDEN"
    );
}

#[tokio::test]
async fn a_picture_is_resized_as_it_was_asked_for() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = format!("/assets/{}", uploaded(&admin, &png(40, 20)).await);

    for (query, size) in [
        ("width=20", (20, 10)),
        ("height=5", (10, 5)),
        ("width=10&height=10", (10, 10)),
        ("width=10&height=10&fit=cover", (10, 10)),
        ("width=10&height=10&fit=contain", (10, 10)),
        ("width=10&height=10&fit=inside", (10, 5)),
        ("width=10&height=10&fit=outside", (20, 10)),
        ("width=80&height=2048", (80, 2048)),
        ("fit=inside", (40, 20)),
    ] {
        for _ in 0..2 {
            let answer = admin.get(&format!("{path}?{query}")).await;
            let made = image::load_from_memory(&answer.bytes).expect("a picture");
            assert_eq!(made.dimensions(), size, "{query}");
            assert_eq!(answer.header("content-type"), "image/png");
        }
    }
}

#[tokio::test]
async fn every_kind_of_picture_is_resized() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    for (format, kind) in [
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::Gif, "image/png"),
        (ImageFormat::WebP, "image/webp"),
    ] {
        let id = uploaded(&admin, &picture(8, 8, format)).await;
        let answer = admin
            .get(&format!("/assets/{id}?width=4&height=4&fit=contain"))
            .await;
        let made = image::load_from_memory(&answer.bytes).expect("a picture");
        assert_eq!(made.dimensions(), (4, 4), "{format:?}");
        assert_eq!(answer.header("content-type"), kind);
    }
}

#[tokio::test]
async fn sizes_that_make_no_sense_are_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = format!("/assets/{}", uploaded(&admin, &png(400, 1)).await);

    for query in [
        "width=0",
        "width=2049",
        "width=-1",
        "width=1e3",
        "width=",
        "height=99999999999999999999",
        "width=1&fit=fill",
        "height=2048",
        "width=2048&height=2048&fit=outside",
        "format=avif",
        "key=system-small-cover",
    ] {
        let answer = admin.get(&format!("{path}?{query}")).await;
        assert_eq!(answer.outcome(), "400 INVALID_QUERY", "{query}");
    }
}

#[tokio::test]
async fn files_that_are_not_there_are_refused_like_hidden_ones() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    for id in [
        "01890000-0000-7000-8000-000000000001",
        "x",
        "..%2Fx",
        &admin.id,
    ] {
        let answer = admin.get(&format!("/assets/{id}")).await;
        assert_eq!(answer.outcome(), "403 FORBIDDEN", "{id}");
    }
}
