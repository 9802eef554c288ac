//! Whether the time of an answer tells who is known: the same request for somebody who is there and
//! for somebody who is not, in turns.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::data::{self, Data};
use crate::drive::Round;
use crate::http::{self, Connection};
use crate::options::{Kind, Options};
use crate::server::Server;
use crate::table::{Line, Table, millis};

/// Connections at a time: fewer than would have to wait for each other's hashes.
const CONNECTIONS: u32 = 2;
/// How far the medians may be apart.
const MOST: Duration = Duration::from_millis(2);

/// A request that must not tell.
struct Asked {
    what: &'static str,
    status: u16,
    request: fn(address: &str) -> Vec<u8>,
}

const ASKED: [Asked; 3] = [
    Asked {
        what: "POST /auth/login, wrong",
        status: 401,
        request: |address| {
            let body = json!({ "email": address, "password": "not the password" });
            http::send("POST", "/auth/login", "", &body.to_string())
        },
    },
    Asked {
        what: "POST /auth/password/request",
        status: 204,
        request: |address| {
            let body = json!({ "email": address });
            http::send("POST", "/auth/password/request", "", &body.to_string())
        },
    },
    Asked {
        what: "POST /users/register",
        status: 204,
        request: |address| {
            let body = json!({ "email": address, "password": "a long enough password" });
            http::send("POST", "/users/register", "", &body.to_string())
        },
    },
];

/// Compares the times of both.
pub(crate) async fn measure(
    options: &Options,
    kind: Kind,
    data: &Data,
    roster: &Server,
    table: &mut Table,
) -> io::Result<()> {
    let body = json!({ "public_registration": true }).to_string();
    let registration = http::send("PATCH", "/settings", &data.tokens[0], &body);
    once(roster.address, &registration, 200).await?;
    for (place, asked) in (0_u32..).zip(&ASKED) {
        let (mut known, mut unknown) = (Round::default(), Round::default());
        let mut connections = JoinSet::new();
        for connection in 0..CONNECTIONS {
            // Nobody is asked for twice: addresses have counts of their own.
            let first = (place * CONNECTIONS + connection) * options.pairs * 5;
            let turns = turns(
                roster.address,
                asked,
                options.users,
                first,
                options.pairs * 5,
            );
            connections.spawn(turns);
        }
        while let Some(turns) = connections.join_next().await {
            let [of_known, of_unknown] = turns??;
            known.latencies.extend(of_known);
            unknown.latencies.extend(of_unknown);
        }
        let apart = known.within(0.5).abs_diff(unknown.within(0.5));
        let said = |round: &mut Round| {
            let (half, most) = (round.within(0.5), round.within(0.95));
            format!("p50 {} p95 {} ms", millis(half), millis(most))
        };
        table.push(&Line {
            what: format!("{}: nobody's address, somebody's beside it", asked.what),
            database: kind.as_str(),
            roster: said(&mut unknown),
            bare: said(&mut known),
            ratio: format!("p50 {} ms apart", millis(apart)),
            target: format!("<= {} ms", MOST.as_millis()),
            met: Some(apart <= MOST),
        })?;
    }
    Ok(())
}

/// The latencies for known and for unknown addresses, one after the other.
async fn turns(
    address: SocketAddr,
    asked: &Asked,
    users: u32,
    first: u32,
    turns: u32,
) -> io::Result<[Vec<Duration>; 2]> {
    let mut taken = [Vec::new(), Vec::new()];
    for turn in 0..turns {
        for place in [turn % 2, 1 - turn % 2] {
            let number = first + turn;
            let (of, name) = match place {
                0 => (&mut taken[0], data::address(1 + number % users)),
                _ => (&mut taken[1], format!("nobody{number}@bench.example")),
            };
            let request = (asked.request)(&name);
            of.push(once(address, &request, asked.status).await?);
        }
    }
    Ok(taken)
}

/// How long an answer takes, which has to have this status.
async fn once(address: SocketAddr, request: &[u8], status: u16) -> io::Result<Duration> {
    let mut connection = Connection::open(address).await?;
    let sent = Instant::now();
    let answer = connection.exchange(request).await?;
    let taken = sent.elapsed();
    if answer.status == status {
        return Ok(taken);
    }
    let body = String::from_utf8_lossy(answer.body);
    let (told, line) = (answer.status, String::from_utf8_lossy(request));
    Err(io::Error::other(format!(
        "{line}\nwas answered with {told}: {body}"
    )))
}
