use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::eventually;

/// A mail server that keeps what it is told.
#[derive(Clone)]
pub struct Postbox {
    url: String,
    mails: Arc<Mutex<Vec<Mail>>>,
}

/// A mail as it came over the wire, its parts decoded.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Whom it was for, as the envelope says.
    pub to: String,
    /// Its headers, by their names in lower case.
    pub headers: HashMap<String, String>,
    /// Its parts, one after the other.
    pub text: String,
}

impl Mail {
    /// The token of its first link.
    #[track_caller]
    pub fn token(&self) -> String {
        let (_, rest) = self.text.split_once("token=").expect("a token");
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
        rest[..end.unwrap_or(rest.len())].to_owned()
    }

    /// Its first link, up to the query.
    #[track_caller]
    pub fn link(&self) -> String {
        let start = self.text.find("http").expect("a link");
        let rest = &self.text[start..];
        let end = rest.find(|c: char| c == '?' || c.is_whitespace());
        rest[..end.unwrap_or(rest.len())].to_owned()
    }

    /// Its subject.
    pub fn subject(&self) -> &str {
        self.headers.get("subject").map_or("", String::as_str)
    }
}

impl Postbox {
    /// One that listens.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let postbox = Self {
            url: format!("smtp://{address}?tls=none"),
            mails: Arc::default(),
        };
        let mails = Arc::clone(&postbox.mails);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&mails)));
            }
        });
        postbox
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What came so far.
    pub fn all(&self) -> Vec<Mail> {
        self.mails
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How much came so far.
    pub fn count(&self) -> usize {
        let mails = self.mails.lock();
        mails.unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What came so far for an address.
    pub fn to(&self, address: &str) -> Vec<Mail> {
        let mut mails = self.all();
        mails.retain(|mail| mail.to == address);
        mails
    }

    /// The nth mail to an address, from 1, when it has come.
    pub async fn nth(&self, address: &str, nth: usize) -> Mail {
        let look = async || self.to(address).get(nth - 1).cloned();
        eventually("a mail", look).await
    }
}

async fn converse(stream: TcpStream, mails: Arc<Mutex<Vec<Mail>>>) {
    let mut stream = BufReader::new(stream);
    let (mut to, mut data, mut is_in_data) = (String::new(), Vec::new(), false);
    let mut answer = Some("220 mail.example.com");
    loop {
        if let Some(answer) = answer {
            let line = format!("{answer}\r\n");
            if stream.write_all(line.as_bytes()).await.is_err() {
                return;
            }
        }
        let mut line = String::new();
        if !matches!(stream.read_line(&mut line).await, Ok(1..)) {
            return;
        }
        let line = line.trim_end_matches(['\r', '\n']);
        answer = match line {
            "." if is_in_data => {
                is_in_data = false;
                let mail = read(&to, &std::mem::take(&mut data));
                mails
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(mail);
                Some("250 queued")
            }
            _ if is_in_data => {
                data.push(line.strip_prefix('.').unwrap_or(line).to_owned());
                None
            }
            "DATA" => {
                is_in_data = true;
                Some("354 go on")
            }
            "QUIT" => Some("221 bye"),
            _ => {
                if let Some(rcpt) = line.strip_prefix("RCPT TO:") {
                    to = rcpt.trim_matches(['<', '>', ' ']).to_owned();
                }
                Some("250 ok")
            }
        };
    }
}

fn read(to: &str, lines: &[String]) -> Mail {
    let (headers, body) = head(lines);
    let kind = headers.get("content-type").cloned().unwrap_or_default();
    let text = match kind.split_once("boundary=") {
        Some((_, boundary)) => {
            let boundary = format!("--{}", boundary.trim_matches(['"', ';', ' ']));
            let parts = body.split(|line| line.starts_with(&boundary));
            parts.map(part).collect::<Vec<_>>().join("\n")
        }
        None => part(lines),
    };
    Mail {
        to: to.to_owned(),
        headers,
        text,
    }
}

fn part(lines: &[String]) -> String {
    let (headers, body) = head(lines);
    match headers
        .get("content-transfer-encoding")
        .map_or("", String::as_str)
    {
        "quoted-printable" => unquote(body),
        "base64" => {
            let bytes = STANDARD.decode(body.concat()).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => body.join("\n"),
    }
}

fn head(lines: &[String]) -> (HashMap<String, String>, &[String]) {
    let end = lines.iter().position(String::is_empty);
    let end = end.unwrap_or(lines.len());
    let mut headers: HashMap<String, String> = HashMap::new();
    let mut last = String::new();
    for line in &lines[..end] {
        if let Some((name, value)) = line.split_once(':').filter(|_| !line.starts_with(' ')) {
            last = name.to_ascii_lowercase();
            headers.insert(last.clone(), value.trim().to_owned());
        } else if let Some(value) = headers.get_mut(&last) {
            value.push_str(line);
        }
    }
    (headers, lines.get(end + 1..).unwrap_or_default())
}

fn unquote(lines: &[String]) -> String {
    let text = lines.join("\n").replace("=\n", "");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let code = tail
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        if let (b'=', Some(code)) = (byte, code) {
            bytes.push(code);
            rest = &tail[2..];
        } else {
            bytes.push(byte);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
