//! `roster plugin test`: a server on a database of its own, with the plugin, and a request through
//! it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use roster_sdk::Manifest;
use serde_json::{Value as Json, json};

use crate::config::{self, Config, Sources};
use crate::server::Server;

/// How long the server may take for one answer, and for what it tells afterwards.
const PATIENCE: Duration = Duration::from_secs(30);
const MOMENT: Duration = Duration::from_millis(50);
const MOMENTS: u32 = 100;

const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "a password of no account";

/// Starts a server with this component, makes a user through it, and stops it again; gives a line
/// that says how it went.
///
/// # Errors
/// Why the server does not start, or how the plugin failed.
pub(crate) async fn try_out(
    file: &Path,
    config: &Json,
    manifest: &Manifest,
) -> Result<String, String> {
    let file = fs::canonicalize(file).map_err(|error| error.to_string())?;
    let folder = Folder::make(&file)?;
    let bare = settings(&folder, &[])?;
    // The first administrator is there before the plugin is.
    start(&bare).await?.stop().await;
    let fields = |names: &[String]| names.join(",");
    let plugin = [
        ("source", file.display().to_string()),
        ("config", config.to_string()),
        ("timeout", "10s".to_owned()),
        ("capabilities.fields.read", fields(&manifest.reads)),
        ("capabilities.fields.write", fields(&manifest.writes)),
        ("capabilities.users", "read".to_owned()),
        ("capabilities.store", "true".to_owned()),
        ("capabilities.mail", "true".to_owned()),
    ];
    let with_plugin = settings(&folder, &plugin)?;
    let server = start(&with_plugin).await?;
    let told = ask_all(server.address()).await;
    server.stop().await;
    told
}

async fn start(config: &Config) -> Result<Server, String> {
    let started = Server::start(config, Vec::new()).await;
    started.map_err(|error| format!("scratch server: {error}"))
}

async fn ask_all(address: SocketAddr) -> Result<String, String> {
    let login = json!({ "email": EMAIL, "password": PASSWORD });
    let (_, answer) = ask(address, "POST", "/auth/login", None, Some(login)).await?;
    let token = answer.pointer("/data/access_token").and_then(Json::as_str);
    let token = token.ok_or_else(|| format!("scratch server: no login, {answer}"))?;
    let user = json!({ "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace" });
    let (status, answer) = ask(address, "POST", "/users", Some(token), Some(user)).await?;
    let waiting = "/server/outbox?limit=1&state=";
    for _ in 0..MOMENTS {
        let mut is_done = true;
        for state in ["pending", "leased"] {
            let path = format!("{waiting}{state}");
            let (_, answer) = ask(address, "GET", &path, Some(token), None).await?;
            is_done &= answer.pointer("/data/0").is_none();
        }
        if is_done {
            break;
        }
        tokio::time::sleep(MOMENT).await;
    }
    let (_, plugins) = ask(address, "GET", "/server/plugins", Some(token), None).await?;
    let mut plugins = plugins["data"].as_array().into_iter().flatten();
    let tested = plugins.find(|plugin| plugin["name"] == "tested");
    let tested = tested.ok_or("scratch server: the plugin is not there")?;
    if let Some(reason) = tested.pointer("/last_error/reason").and_then(Json::as_str) {
        let call = &tested["last_error"]["call"];
        return Err(format!("scratch server: {call} failed: {reason}"));
    }
    let code = answer
        .pointer("/errors/0/extensions/code")
        .and_then(Json::as_str);
    let code = code.map(|code| format!(" {code}")).unwrap_or_default();
    if status >= 500 {
        return Err(format!(
            "scratch server: POST /users answered {status}{code}"
        ));
    }
    let calls = &tested["calls"];
    Ok(format!(
        "scratch server: POST /users answered {status}{code}, {calls} calls of the plugin"
    ))
}

fn settings(folder: &Folder, plugin: &[(&str, String)]) -> Result<Config, String> {
    let database = format!("sqlite://{}", folder.0.join("scratch.db").display());
    let ours = [
        ("server.bind", "127.0.0.1:0"),
        ("database.url", &database),
        ("admin.email", EMAIL),
        ("admin.password", PASSWORD),
        ("auth.login_stall", "1ms"),
    ];
    let ours = ours.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let plugin = plugin
        .iter()
        .map(|(key, value)| (format!("plugins.tested.{key}"), value.clone()));
    let sources = Sources {
        file: Some(folder.0.join("roster.toml")),
        environment: Vec::new(),
        overrides: ours.into_iter().chain(plugin).collect(),
    };
    config::load(sources).map_err(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        format!("scratch server: {}", lines.join("; "))
    })
}

/// A folder beside the component, which is gone again afterwards.
struct Folder(PathBuf);

impl Folder {
    fn make(file: &Path) -> Result<Self, String> {
        let folder = Self(file.with_extension("scratch"));
        drop(fs::remove_dir_all(&folder.0));
        let made =
            fs::create_dir(&folder.0).and_then(|()| fs::write(folder.0.join("roster.toml"), ""));
        made.map_err(|error| format!("`{}`: {error}", folder.0.display()))?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// One request, as plainly as HTTP has it.
async fn ask(
    address: SocketAddr,
    method: &'static str,
    path: &str,
    token: Option<&str>,
    body: Option<Json>,
) -> Result<(u16, Json), String> {
    let bearer = token.map(|token| format!("authorization: Bearer {token}\r\n"));
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nhost: {address}\r\n{}content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        bearer.unwrap_or_default(),
        body.len()
    );
    let asking = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer)
    });
    let answer = asking.await.map_err(|error| error.to_string())?;
    let answer = answer.map_err(|error| format!("scratch server: {error}"))?;
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let (_, text) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let json = serde_json::from_str(text).unwrap_or_default();
    Ok((status.unwrap_or_default(), json))
}
