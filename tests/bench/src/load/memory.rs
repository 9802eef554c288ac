//! Resident memory: idle, and whether requests leave anything behind.

use std::io;
use std::time::Duration;

use crate::data::Data;
use crate::drive::{self, Ring};
use crate::http;
use crate::options::{Kind, Options};
use crate::program::{Bare, Roster};
use crate::routes::Route;
use crate::server::{Program, Server};
use crate::table::{Line, Table};

/// How long a server is left alone before it counts as idle.
const SETTLE: Duration = Duration::from_secs(2);
/// The most that may be resident idle, in MiB.
const IDLE: f64 = 50.0;
/// The most that memory may grow after the first tenth of the requests and still be flat, in MiB.
const FLAT: f64 = 5.0;

/// Measures both servers, one after the other.
pub(crate) async fn measure(
    options: &Options,
    kind: Kind,
    data: &Data,
    (roster, bare): (&Roster, &Bare),
    table: &mut Table,
) -> io::Result<()> {
    let request = http::get("/users/me", &data.tokens[0]);
    let rings: Vec<Ring> = data.tokens.iter().map(|token| mixed(token)).collect();
    let roster = sample(roster, &request, &rings, options.requests).await?;
    let bare = sample(bare, &request, &rings, options.requests).await?;
    let line = |what: String, at: usize| Line {
        what,
        database: kind.as_str(),
        roster: format!("{:.1} MiB", roster[at]),
        bare: format!("{:.1} MiB", bare[at]),
        ratio: format!("{:.2}", roster[at] / bare[at]),
        ..Line::default()
    };
    let target = format!("<= {IDLE} MiB");
    let idle = Line {
        target,
        met: Some(roster[0] <= IDLE),
        ..line("memory idle".to_owned(), 0)
    };
    table.push(&idle)?;
    table.push(&line(
        format!("memory after {} requests", options.requests / 10),
        1,
    ))?;
    let target = format!("<= +{FLAT} MiB");
    let end = line(format!("memory after {} requests", options.requests), 2);
    table.push(&Line {
        target,
        met: Some(roster[2] - roster[1] <= FLAT),
        ..end
    })
}

/// Of ten requests seven read one user, two a list, and one writes.
fn mixed(token: &str) -> Ring {
    let (read, list, write) = (Route::Me, Route::List, Route::ChangeMe);
    let routes = [read, read, list, read, read, write, read, list, read, read];
    let requests = routes
        .iter()
        .zip(0..)
        .map(|(route, turn)| route.request(token, turn));
    requests.collect()
}

/// MiB idle, after a tenth of the requests, and after all of them.
async fn sample(
    program: &impl Program,
    request: &[u8],
    rings: &[Ring],
    requests: u32,
) -> io::Result<[f64; 3]> {
    let server = Server::start(program, None, request).await?;
    drive::pause(SETTLE).await;
    let idle = server.resident()?;
    let tenth = usize::try_from(requests / 10).unwrap_or(usize::MAX);
    drive::amount(server.address, rings, tenth).await?;
    let early = server.resident()?;
    drive::amount(server.address, rings, tenth.saturating_mul(9)).await?;
    let late = server.resident()?;
    server.stop().await?;
    Ok([idle, early, late])
}
