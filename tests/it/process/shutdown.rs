//! A signal ends the server, and no request.

use roster_tests::{PATIENCE, Process, Setup, eventually};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A request whose body the server waits for.
async fn begun(process: &Process) -> BufReader<TcpStream> {
    let admin = process.admin().await;
    let token = admin.token.expect("a token");
    let head = format!(
        "POST /users?fields=title HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: 15\r\nExpect: 100-continue\r\n\r\n"
    );
    let stream = TcpStream::connect(process.socket())
        .await
        .expect("a connection");
    let mut stream = BufReader::new(stream);
    stream.write_all(head.as_bytes()).await.expect("a head");
    // The server says so once it reads the body: from here on the request runs.
    let mut line = String::new();
    stream.read_line(&mut line).await.expect("a line");
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    stream.read_line(&mut line).await.expect("an empty line");
    stream
}

async fn assert_finishes_requests(signal: &str) {
    let process = Setup::new().spawn().await;
    let mut running = begun(&process).await;

    process.signal(signal);
    let refused = async || {
        TcpStream::connect(process.socket())
            .await
            .is_err()
            .then_some(())
    };
    eventually("a server that accepts nobody any more", refused).await;
    running
        .write_all(br#"{"title":"end"}"#)
        .await
        .expect("a body");
    let mut answer = String::new();
    let reading = running.read_to_string(&mut answer);
    tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("an answer in time")
        .expect("an answer");

    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with(r#"{"data":{"title":"end"}}"#), "{answer}");
    let database = std::sync::Arc::clone(process.database());
    let ended = process.finished().await;
    assert_eq!(ended.code, Some(0));
    assert!(
        ended.err.contains(&format!("\"signal\":\"SIG{signal}\"")),
        "{}",
        ended.err
    );
    assert_eq!(database.count("users", "title = 'end'").await, 1);
}

#[tokio::test]
async fn sigterm_finishes_running_requests() {
    assert_finishes_requests("TERM").await;
}

#[tokio::test]
async fn sigint_finishes_running_requests() {
    assert_finishes_requests("INT").await;
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_the_server() {
    let process = Setup::new()
        .set("server.shutdown_timeout", "100ms")
        .spawn()
        .await;
    let _running = begun(&process).await;

    process.signal("TERM");

    assert_eq!(process.finished().await.code, Some(0));
}

#[tokio::test]
async fn an_idle_connection_does_not_keep_the_server() {
    let process = Setup::new().spawn().await;
    let _idle = TcpStream::connect(process.socket())
        .await
        .expect("a connection");
    process.admin().await;

    process.signal("TERM");

    assert_eq!(process.finished().await.code, Some(0));
}
