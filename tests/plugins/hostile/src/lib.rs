//! A plugin that misbehaves in `before_create`, as its configuration says. For tests.

#![forbid(unsafe_code)]

#[cfg(target_family = "wasm")]
use std::arch::wasm32::memory_grow;
use std::hint::black_box;
use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};
use std::{env, fs, io};

use roster_sdk::{
    Context, Draft, Event, Expected, HookError, Hooks, Host, HostError, HttpRequest, Level, Mail,
    Manifest, Plugin, Rejection, StartError, UserQuery, async_trait, json,
};
use serde::Deserialize;

struct Hostile {
    mode: Mode,
}

#[derive(Deserialize)]
struct Config {
    mode: Mode,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// Never returns.
    Loop,
    /// Takes memory until there is none.
    Memory,
    /// Panics.
    Trap,
    /// Calls itself without end.
    Recursion,
    /// Answers with a megabyte.
    Huge,
    /// Answers with more than the host is ready to copy.
    Enormous,
    /// Rejects with a status that is no refusal.
    BadStatus,
    /// Takes elements of a table until there are none. Tests turn the instruction that takes memory
    /// into one that takes elements: no source makes that one.
    Table,
    /// Answers with bytes that are no text. Tests put them in the place of [`TEXT`].
    Garbled,
    /// Logs 10,000 lines.
    Chatter,
    /// Asks the host without end.
    Flood,
    /// Asks the host for what it may not have, and says how that went.
    Trespass,
    /// Looks for files, variables, arguments, input and a network, and says what it found.
    Spy,
    /// Logs when it starts and when it is called.
    Tell,
    /// Starts once for each host, and never gets done with it again.
    Lurk,
    /// Refuses to start.
    Refuse,
    /// Does nothing wrong.
    Behave,
}

#[async_trait]
impl Plugin for Hostile {
    type Config = Config;

    async fn start(config: Config, host: &dyn Host) -> Result<Self, StartError> {
        match config.mode {
            Mode::Refuse => return Err(StartError::new("this plugin never starts")),
            Mode::Tell => host.log(Level::Info, "started"),
            Mode::Lurk => {
                let set = host.store_set("starts", &json!(1), Expected::Absent).await;
                if set.is_err() {
                    host.log(Level::Info, "again");
                    spin();
                }
            }
            _ => {}
        }
        Ok(Self { mode: config.mode })
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("hostile", env!("CARGO_PKG_VERSION"))
            .on(Event::BeforeCreate)
            .reads(["title"])
            .writes(["title"])
    }
}

#[async_trait]
impl Hooks for Hostile {
    async fn before_create(&self, cx: &Context, draft: &mut Draft) -> Result<(), HookError> {
        match self.mode {
            Mode::Loop => spin(),
            Mode::Memory => {
                let mut kept = Vec::new();
                while black_box(true) {
                    kept.push(black_box(vec![1_u8; 1 << 20]));
                }
            }
            Mode::Trap => panic!("the hostile plugin panics"),
            Mode::Recursion => {
                black_box(descend(1));
            }
            Mode::Huge => draft.set("title", "x".repeat(1 << 20)),
            Mode::Enormous => draft.set("title", "x".repeat(8 << 20)),
            Mode::BadStatus => {
                let rejection = Rejection::new("TEAPOT", "not a refusal").with_status(500);
                return Err(rejection.into());
            }
            Mode::Table => while black_box(grow()) {},
            Mode::Garbled => draft.set("title", TEXT),
            Mode::Chatter => {
                for line in 0..10_000 {
                    cx.log(Level::Info, &format!("{line} {}", "é".repeat(3_000)));
                }
            }
            Mode::Flood => {
                while black_box(true) {
                    black_box((cx.host.now(), cx.host.random(4_096)));
                    black_box(cx.host.store_get("x").await.is_ok());
                }
            }
            Mode::Trespass => draft.set("title", trespass(cx.host.as_ref()).await),
            Mode::Spy => draft.set("title", found()),
            Mode::Tell => cx.log(Level::Info, "called"),
            Mode::Lurk | Mode::Refuse | Mode::Behave => {}
        }
        Ok(())
    }
}

/// Never returns.
fn spin() {
    let mut turns = 0_u64;
    while black_box(true) {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// What stands for bytes that are no text.
const TEXT: &str = "these are to be no text";

/// Takes as many elements as no two times fit; whether there were so many.
#[cfg(target_family = "wasm")]
fn grow() -> bool {
    memory_grow::<0>(12_345) != usize::MAX
}

#[cfg(not(target_family = "wasm"))]
const fn grow() -> bool {
    false
}

/// The codes that calls without a capability are answered with.
async fn trespass(host: &dyn Host) -> String {
    fn code<T>(answer: Result<T, HostError>) -> &'static str {
        answer.map_or_else(|error| error.code.as_str(), |_| "done")
    }
    let mail = Mail {
        to: vec!["somebody@example.com".to_owned()],
        subject: "Hello".to_owned(),
        text: "From a stranger.".to_owned(),
        html: None,
    };
    let codes = [
        code(host.http(&HttpRequest::get("http://127.0.0.1/")).await),
        code(host.store_get("x").await),
        code(host.store_set("x", &json!(1), Expected::Any).await),
        code(host.store_delete("x", Expected::Any).await),
        code(host.store_keys("", 10).await),
        code(host.users(&UserQuery::default()).await),
        code(host.send_mail(&mail).await),
    ];
    codes.join(" ")
}

fn found() -> String {
    let mut input = String::new();
    let found = [
        (
            "files",
            fs::read_dir("/").is_ok() || fs::write("x", "x").is_ok(),
        ),
        ("variables", env::vars_os().next().is_some()),
        ("arguments", env::args_os().next().is_some()),
        (
            "input",
            io::stdin()
                .read_line(&mut input)
                .is_ok_and(|bytes| bytes > 0),
        ),
        ("network", connects()),
        ("names", ("localhost", 1).to_socket_addrs().is_ok()),
    ];
    let found: Vec<_> = found
        .iter()
        .filter(|(_, is_there)| *is_there)
        .map(|(it, _)| *it)
        .collect();
    format!("found: {}", found.join(" "))
}

/// Whether the network can be reached: a port that refuses us was reached.
fn connects() -> bool {
    match TcpStream::connect("127.0.0.1:1") {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionRefused,
    }
}

fn descend(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if black_box(depth) == 0 {
        return 0;
    }
    descend(depth + 1) + frame[usize::from(depth % 64 == 7)]
}

roster_sdk::export_plugin!(Hostile: Hooks);
