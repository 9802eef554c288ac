use roster_sdk::testing::{self, FakeHost};
use roster_sdk::{Event, Failure, Level, Linked, Message, StartError, Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::SmtpMailer;

/// A mail server for one conversation, which answers every recipient with `reply`, and what it
/// will have heard.
async fn server(reply: &'static str) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!(
        "smtp://{}?tls=none",
        listener.local_addr().expect("an address")
    );
    (url, tokio::spawn(conversation(listener, reply)))
}

async fn conversation(listener: TcpListener, reply: &'static str) -> Vec<String> {
    let (stream, _) = listener.accept().await.expect("a client");
    let mut stream = BufReader::new(stream);
    let (mut heard, mut is_in_data) = (Vec::new(), false);
    let mut answer = Some("220 mail.example.com");
    loop {
        if let Some(answer) = answer {
            let line = format!("{answer}\r\n");
            stream
                .write_all(line.as_bytes())
                .await
                .expect("a client that listens");
        }
        let mut line = String::new();
        if stream.read_line(&mut line).await.expect("text") == 0 {
            return heard;
        }
        let line = line.trim_end().to_owned();
        answer = match line.as_str() {
            "." => {
                is_in_data = false;
                Some("250 queued")
            }
            _ if is_in_data => None,
            "DATA" => {
                is_in_data = true;
                Some("354 go on")
            }
            "QUIT" => Some("221 bye"),
            rcpt if rcpt.starts_with("RCPT TO:") => Some(reply),
            _ => Some("250 ok"),
        };
        heard.push(line);
    }
}

async fn send(url: String, message: &Message) -> Result<(), Failure> {
    let host = FakeHost::new();
    let config = json!({ "url": url, "timeout": "5s", "pool_size": 1 });
    let mailer = Linked::mailer::<SmtpMailer>("smtp")
        .start(config, host.clone())
        .await;
    let mailer = mailer.expect("it starts").mailer.expect("a mailer");
    mailer
        .send(&testing::context(Event::AfterCreate, &host), message)
        .await
}

async fn start(config: Value) -> (Option<StartError>, Vec<(Level, String)>) {
    let host = FakeHost::new();
    let started = Linked::mailer::<SmtpMailer>("smtp")
        .start(config, host.clone())
        .await;
    (started.err(), host.lines())
}

fn message() -> Message {
    Message {
        id: "m1".to_owned(),
        from: "Roster <no-reply@example.com>".to_owned(),
        to: vec![
            "ada@example.com".to_owned(),
            "Bob <bob@example.com>".to_owned(),
        ],
        subject: "Welcome".to_owned(),
        text: "Hello Ada".to_owned(),
        html: Some("<p>Hello Ada</p>".to_owned()),
    }
}

#[tokio::test]
async fn a_message_reaches_the_mail_server() {
    let (url, server) = server("250 ok").await;

    let sent = send(url, &message()).await;

    assert_eq!(sent, Ok(()));
    let heard = server.await.expect("a whole conversation");
    let lines = [
        "MAIL FROM:<no-reply@example.com>",
        "RCPT TO:<ada@example.com>",
        "RCPT TO:<bob@example.com>",
        "From: Roster <no-reply@example.com>",
        "Subject: Welcome",
        "Hello Ada",
        "<p>Hello Ada</p>",
    ];
    for line in lines {
        assert!(
            heard.iter().any(|heard| heard == line),
            "`{line}` is not in {heard:#?}"
        );
    }
}

#[tokio::test]
async fn the_failure_holds_the_servers_reply() {
    let (url, server) = server("550 5.1.1 no such user").await;

    let sent = send(url, &message()).await;

    assert_eq!(
        sent,
        Err(Failure::new("permanent error (550): 5.1.1 no such user"))
    );
    server.abort();
}

#[tokio::test]
async fn a_mail_server_that_is_not_there_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("smtp://{}", listener.local_addr().expect("an address"));
    drop(listener);

    let sent = send(url, &message()).await;

    let reason = sent.expect_err("nobody to send to").reason;
    assert!(reason.starts_with("Connection error: "), "{reason}");
}

#[tokio::test]
async fn a_wrong_configuration_is_named_without_the_password() {
    let cases = [
        (json!({}), "missing field `url`"),
        (
            json!({ "url": "http://u:hidden@h" }),
            "`smtp://…` or `smtps://…`",
        ),
        (
            json!({ "url": "smtp://u:hidden@h?tls=yes" }),
            "`?tls=required`",
        ),
        (
            json!({ "url": "smtps://u:hidden@h?tls=none" }),
            "expected nothing after",
        ),
        (
            json!({ "url": "smtp://u:hidden@h:port" }),
            "`url`: Connection error: ",
        ),
        (json!({ "url": "smtp://h", "pool_size": 0 }), "`pool_size`"),
        (json!({ "url": "smtp://h", "timeout": "10" }), "`timeout`"),
        (
            json!({ "url": "smtp://h", "port": 25 }),
            "unknown field `port`",
        ),
    ];

    for (config, expected) in cases {
        let error = start(config).await.0.expect("it must not start").0;
        assert!(error.contains(expected), "`{expected}` is not in `{error}`");
        assert!(!error.contains("hidden"), "{error}");
    }
}

#[tokio::test]
async fn a_password_in_the_clear_is_warned_of() {
    let warned = [
        "smtp://u:p@mail.example.com",
        "smtp://u:p@mail.example.com?tls=opportunistic",
    ];
    let quiet = [
        "smtp://u:p@mail.example.com?tls=required",
        "smtps://u:p@mail.example.com",
        "smtp://u:p@127.0.0.1:2525",
        "smtp://mail.example.com",
    ];

    for url in warned {
        assert_eq!(start(json!({ "url": url })).await.1.len(), 1, "of {url}");
    }
    for url in quiet {
        assert_eq!(
            start(json!({ "url": url })).await,
            (None, Vec::new()),
            "of {url}"
        );
    }
}
