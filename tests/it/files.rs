//! `/files` and `/assets`

mod assets;
mod folder;
mod permissions;
mod records;
mod upload;

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};
use reqwest::Method;
use roster_tests::{Answer, Client};
use serde_json::{Value as Json, json};

/// A picture of this size, coloured so that it cannot be made smaller than it is.
fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut picture = DynamicImage::new_rgb8(width, height).into_rgb8();
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let mix = x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503);
        pixel.0 = [mix, mix >> 8, mix >> 16].map(|part| part.to_le_bytes()[0]);
    }
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture)
        .write_to(&mut bytes, format)
        .expect("a picture");
    bytes.into_inner()
}

fn png(width: u32, height: u32) -> Vec<u8> {
    picture(width, height, ImageFormat::Png)
}

const BOUNDARY: &str = "a-boundary-of-tests";

/// A form of parts: their names, the names of their files, and what is in them.
fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"\r\nContent-Type: image/png"));
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{}\r\n\r\n",
            file.unwrap_or_default()
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// Sends a form.
async fn send(client: &Client, path: &str, body: Vec<u8>) -> Answer {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    client
        .send(Method::POST, path, &[("content-type", &kind)], body)
        .await
}

/// Sends a file with nothing beside it.
async fn upload(client: &Client, content: &[u8]) -> Answer {
    let body = form(&[("file", Some("my-picture.png"), content)]);
    send(client, "/files", body).await
}

/// The id of a file that is made of this picture.
async fn uploaded(client: &Client, content: &[u8]) -> String {
    let file = upload(client, content).await.data();
    file["id"].as_str().expect("an id").to_owned()
}

/// Lets somebody do this with files, where a filter is passed.
async fn allow(admin: &Client, user: &Client, action: &str, fields: Json, filter: Json) {
    let policy = admin
        .post("/policies", json!({ "name": "files" }))
        .await
        .data();
    let attach = json!({ "user": user.id, "policy": policy["id"] });
    admin.post("/access", attach).await.data();
    let permission = json!({
        "policy": policy["id"],
        "collection": "directus_files",
        "action": action,
        "fields": fields,
        "permissions": filter,
    });
    admin.post("/permissions", permission).await.data();
}

/// The id of a small picture.
pub(crate) async fn uploaded_as_admin(admin: &Client) -> String {
    uploaded(admin, &png(2, 2)).await
}
