use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The largest export that is taken, in bytes.
const LARGEST: usize = 1 << 24;

/// A span as it came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// Its name.
    pub name: String,
    /// Its trace, in hexadecimal.
    pub trace: String,
    /// Its id, in hexadecimal.
    pub id: String,
    /// The id of the span it is a part of; empty if there is none.
    pub parent: String,
    /// `internal`, `server`, `client`, `producer` or `consumer`.
    pub kind: String,
    /// Whether it says that something went wrong.
    pub is_error: bool,
    /// What else it says.
    pub attributes: BTreeMap<String, String>,
}

impl Span {
    /// An attribute; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// How a collector treats who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Answers,
    NeverAnswers,
}

#[derive(Default)]
struct Taken {
    spans: Vec<Span>,
    resource: BTreeMap<String, String>,
    heads: Vec<String>,
    bytes: Vec<u8>,
}

/// A collector of traces: OTLP over HTTP, on a port of its own.
pub struct Collector {
    address: SocketAddr,
    taken: Arc<Mutex<Taken>>,
    serving: JoinHandle<()>,
}

impl Collector {
    /// One that takes what comes.
    pub async fn start() -> Self {
        Self::with(Manner::Answers).await
    }

    /// One that takes connections and says nothing.
    pub async fn silent() -> Self {
        Self::with(Manner::NeverAnswers).await
    }

    async fn with(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let taken: Arc<Mutex<Taken>> = Arc::default();
        let seen = Arc::clone(&taken);
        let serving = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                match manner {
                    Manner::Answers => drop(tokio::spawn(serve(stream, Arc::clone(&seen)))),
                    Manner::NeverAnswers => {
                        seen.lock()
                            .expect("nobody failed")
                            .heads
                            .push(String::new());
                        open.push(stream);
                    }
                }
            }
        });
        Self {
            address,
            taken,
            serving,
        }
    }

    /// Where it is, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The spans so far, in the order in which they ended.
    pub fn spans(&self) -> Vec<Span> {
        self.lock().spans.clone()
    }

    /// What the spans say of the process they come from.
    pub fn resource(&self) -> BTreeMap<String, String> {
        self.lock().resource.clone()
    }

    /// The head of each request that came; an empty one for each connection nothing was read from.
    pub fn heads(&self) -> Vec<String> {
        self.lock().heads.clone()
    }

    /// Whether these bytes are anywhere in what came.
    pub fn holds(&self, text: &str) -> bool {
        let bytes = &self.lock().bytes;
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, taken: Arc<Mutex<Taken>>) {
    let mut bytes = Vec::new();
    while bytes.len() < LARGEST {
        if let Some((head, body)) = split(&bytes) {
            let body = unpacked(&head, body);
            let exported = ExportTraceServiceRequest::decode(&*body).expect("an export");
            let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
            taken.bytes.extend_from_slice(head.as_bytes());
            taken.bytes.extend_from_slice(&body);
            taken.heads.push(head);
            take(&mut taken, exported);
            break;
        }
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\n\
                  content-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
    drop(stream.write_all(answer.as_bytes()).await);
    drop(stream.shutdown().await);
}

/// The head and the body of a request, once all of it is there.
fn split(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "))?;
    let length: usize = length.trim().parse().ok()?;
    let body = bytes[end + 4..].get(..length)?;
    Some((head, body))
}

fn unpacked<'b>(head: &str, body: &'b [u8]) -> Cow<'b, [u8]> {
    if !head.contains("\r\ncontent-encoding: gzip") {
        return Cow::Borrowed(body);
    }
    let mut bytes = Vec::new();
    GzDecoder::new(body)
        .read_to_end(&mut bytes)
        .expect("something packed");
    Cow::Owned(bytes)
}

fn take(taken: &mut Taken, exported: ExportTraceServiceRequest) {
    for part in exported.resource_spans {
        taken.resource = part
            .resource
            .map_or_else(BTreeMap::new, |r| texts(r.attributes));
        let spans = part.scope_spans.into_iter().flat_map(|scope| scope.spans);
        taken.spans.extend(spans.map(span));
    }
}

fn span(span: v1::Span) -> Span {
    let status = span.status.as_ref().map(v1::Status::code);
    Span {
        kind: match span.kind() {
            v1::span::SpanKind::Server => "server",
            v1::span::SpanKind::Client => "client",
            v1::span::SpanKind::Producer => "producer",
            v1::span::SpanKind::Consumer => "consumer",
            _ => "internal",
        }
        .to_owned(),
        is_error: status == Some(v1::status::StatusCode::Error),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        name: span.name,
        attributes: texts(span.attributes),
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").expect("text");
    }
    text
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: any_value::Value| match value {
        any_value::Value::StringValue(text) => text,
        any_value::Value::IntValue(number) => number.to_string(),
        any_value::Value::BoolValue(flag) => flag.to_string(),
        other => format!("{other:?}"),
    };
    let known = attributes.into_iter().filter_map(|attribute| {
        let value = attribute.value?.value?;
        Some((attribute.key, text(value)))
    });
    known.collect()
}
