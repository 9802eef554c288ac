//! The routes: requests per second and latencies, Roster and bare in turns.

use std::io;
use std::time::Duration;

use crate::data::Data;
use crate::drive::{self, Pace, Ring, Round};
use crate::http;
use crate::options::{Kind, Options};
use crate::server::Server;
use crate::table::{self, Line, Table};

/// Time before a round counts: connections open, caches are warm.
const WARM_UP: Duration = Duration::from_millis(250);
/// How many requests a connection has before it starts over.
const RING: u32 = 16;
/// Where the users begin that are read by id.
const FIRST_READ: u32 = 65;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Me,
    ById,
    List,
    Filtered,
    ChangeMe,
}

impl Route {
    /// Every route, in the order of the table.
    pub(crate) const ALL: [Self; 5] = [
        Self::Me,
        Self::ById,
        Self::List,
        Self::Filtered,
        Self::ChangeMe,
    ];

    /// The name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Me => "GET /users/me",
            Self::ById => "GET /users/:id",
            Self::List => "GET /users?limit=25",
            Self::Filtered => "GET /users?filter&sort&limit=25",
            Self::ChangeMe => "PATCH /users/me",
        }
    }

    /// The least ratio of Roster to bare.
    const fn target(self) -> f64 {
        match self {
            Self::ChangeMe => 0.5,
            _ => 0.7,
        }
    }

    /// The requests of one connection.
    pub(crate) fn ring(self, token: &str) -> Ring {
        (0..RING).map(|turn| self.request(token, turn)).collect()
    }

    /// One request; every turn writes or reads something else.
    pub(crate) fn request(self, token: &str, turn: u32) -> Vec<u8> {
        match self {
            Self::Me => http::get("/users/me", token),
            Self::ById => http::get(&format!("/users/{}", Data::user(FIRST_READ + turn)), token),
            Self::List => http::get("/users?limit=25", token),
            Self::Filtered => {
                // {"status":{"_eq":"active"}}
                let filter = "%7B%22status%22%3A%7B%22_eq%22%3A%22active%22%7D%7D";
                http::get(
                    &format!("/users?filter={filter}&sort=last_name&limit=25"),
                    token,
                )
            }
            Self::ChangeMe => {
                let body = format!(r#"{{"title":"Engineer {turn}"}}"#);
                http::send("PATCH", "/users/me", token, &body)
            }
        }
    }
}

/// Measures every route.
pub(crate) async fn measure(
    options: &Options,
    kind: Kind,
    data: &Data,
    servers: [&Server; 2],
    table: &mut Table,
) -> io::Result<()> {
    for route in Route::ALL {
        let rings: Vec<Ring> = data.tokens.iter().map(|token| route.ring(token)).collect();
        let mut sides = [Side::default(), Side::default()];
        for pair in 0..options.pairs {
            let order = if pair % 2 == 0 { [0, 1] } else { [1, 0] };
            for which in order {
                sides[which]
                    .take(servers[which], &rings, options.round())
                    .await?;
            }
        }
        table.push(&line(route, kind, sides))?;
    }
    Ok(())
}

/// The rounds of one server.
#[derive(Debug, Default)]
struct Side {
    rates: Vec<f64>,
    all: Round,
    cpu: Duration,
    served: u32,
}

impl Side {
    async fn take(&mut self, server: &Server, rings: &[Ring], length: Duration) -> io::Result<()> {
        // The processor time is that of all requests, so there is no warm-up apart.
        let warm_up = Pace {
            warm_up: Duration::ZERO,
            length: WARM_UP,
        };
        drive::round(server.address, rings, warm_up).await?;
        let before = server.cpu()?;
        let pace = Pace {
            warm_up: Duration::ZERO,
            length,
        };
        let round = drive::round(server.address, rings, pace).await?;
        self.cpu += server.cpu()?.saturating_sub(before);
        self.served += u32::try_from(round.latencies.len()).unwrap_or(u32::MAX);
        self.rates.push(round.rate());
        self.all = std::mem::take(&mut self.all).and(round);
        Ok(())
    }

    fn cpu(&self) -> Duration {
        self.cpu / self.served.max(1)
    }

    fn describe(&mut self) -> String {
        let (p50, p99) = (self.all.within(0.5), self.all.within(0.99));
        table::rate(drive::median(self.rates.clone()), p50, p99, self.cpu())
    }
}

fn line(route: Route, kind: Kind, [mut roster, mut bare]: [Side; 2]) -> Line {
    let pairs = roster.rates.iter().zip(&bare.rates);
    let mut ratios: Vec<f64> = pairs.map(|(roster, bare)| roster / bare).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let (low, high) = (ratios.first().copied(), ratios.last().copied());
    let ratio = drive::median(ratios);
    let target = route.target();
    Line {
        what: route.name().to_owned(),
        database: kind.as_str(),
        roster: roster.describe(),
        bare: bare.describe(),
        ratio: format!(
            "{ratio:.2} ({:.2}-{:.2})",
            low.unwrap_or_default(),
            high.unwrap_or_default()
        ),
        target: format!(">= {target:.2}"),
        met: Some(ratio >= target),
    }
}
