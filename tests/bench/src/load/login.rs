//! Logins: as many as the hash allows, and what they do to the requests of others.

use std::io;
use std::time::{Duration, Instant};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::data::{self, Data};
use crate::drive::{self, Pace, Ring, Round};
use crate::http;
use crate::options::{Kind, Options};
use crate::program::PASSWORD;
use crate::server::Server;
use crate::table::{Line, Table, millis};

/// Time before a round counts.
const WARM_UP: Duration = Duration::from_millis(300);
/// Roster's defaults: `auth.password.memory` in KiB, `iterations`, `parallelism`.
const HASH: (u32, u32, u32) = (19 * 1_024, 2, 1);

/// Measures logins against the bound, then the latency of reads while logins run.
pub(crate) async fn measure(
    options: &Options,
    kind: Kind,
    data: &Data,
    roster: &Server,
    table: &mut Table,
) -> io::Result<()> {
    let logins: Vec<Ring> = (1..=options.connections)
        .map(|number| Ring::from([data::login(number)]))
        .collect();
    throughput(options, kind, roster, &logins, table).await?;
    latency(options, kind, data, roster, &logins, table).await
}

async fn throughput(
    options: &Options,
    kind: Kind,
    roster: &Server,
    logins: &[Ring],
    table: &mut Table,
) -> io::Result<()> {
    let pace = Pace {
        warm_up: WARM_UP,
        length: options.round() * 2,
    };
    let (mut rates, mut bounds, mut all) = (Vec::new(), Vec::new(), Round::default());
    for pair in 0..options.pairs {
        for is_roster in [pair % 2 == 0, pair % 2 != 0] {
            if is_roster {
                let round = drive::round(roster.address, logins, pace).await?;
                rates.push(round.rate());
                all = all.and(round);
            } else {
                bounds.push(bound(pace.length).await?);
            }
        }
    }
    let ratios = rates
        .iter()
        .zip(&bounds)
        .map(|(rate, bound)| rate / bound)
        .collect();
    let ratio = drive::median(ratios);
    table.push(&Line {
        what: "POST /auth/login, argon2 bound beside it".to_owned(),
        database: kind.as_str(),
        roster: format!(
            "{:.1}/s p50 {} p99 {} ms",
            drive::median(rates),
            millis(all.within(0.5)),
            millis(all.within(0.99))
        ),
        bare: format!("{:.1}/s", drive::median(bounds)),
        ratio: format!("{ratio:.2}"),
        target: ">= 0.95".to_owned(),
        met: Some(ratio >= 0.95),
    })
}

/// Verifications per second with as many threads as Roster hashes on.
async fn bound(length: Duration) -> io::Result<f64> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let turns = cores.saturating_sub(1).max(1);
    let verify = move || -> io::Result<f64> {
        let (memory, iterations, lanes) = HASH;
        let params = Params::new(memory, iterations, lanes, None).map_err(io::Error::other)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash = argon2
            .hash_password(PASSWORD.as_bytes())
            .map_err(io::Error::other)?;
        let started = Instant::now();
        let mut done = 0_u32;
        while started.elapsed() < length {
            argon2
                .verify_password(PASSWORD.as_bytes(), &hash)
                .map_err(io::Error::other)?;
            done += 1;
        }
        Ok(f64::from(done) / started.elapsed().as_secs_f64())
    };
    let threads: Vec<_> = (0..turns)
        .map(|_| tokio::task::spawn_blocking(verify))
        .collect();
    let mut rate = 0.0;
    for thread in threads {
        rate += thread.await??;
    }
    Ok(rate)
}

async fn latency(
    options: &Options,
    kind: Kind,
    data: &Data,
    roster: &Server,
    logins: &[Ring],
    table: &mut Table,
) -> io::Result<()> {
    let pace = Pace {
        warm_up: WARM_UP,
        length: options.round() * 2,
    };
    let probe = [Ring::from([http::get("/users/me", &data.tokens[0])])];
    let (mut idle, mut busy) = (Round::default(), Round::default());
    for pair in 0..options.pairs {
        for is_busy in [pair % 2 == 0, pair % 2 != 0] {
            if is_busy {
                let logins = drive::round(roster.address, logins, pace);
                let probe = drive::round(roster.address, &probe, pace);
                let (logins, probe) = tokio::join!(logins, probe);
                logins?;
                busy = busy.and(probe?);
            } else {
                idle = idle.and(drive::round(roster.address, &probe, pace).await?);
            }
        }
    }
    let (idle, busy) = (idle.within(0.99), busy.within(0.99));
    let ratio = busy.as_secs_f64() / idle.as_secs_f64();
    table.push(&Line {
        what: "p99 of GET /users/me under logins, idle beside it".to_owned(),
        database: kind.as_str(),
        roster: format!("{} ms", millis(busy)),
        bare: format!("{} ms", millis(idle)),
        ratio: format!("{ratio:.1}"),
        target: "<= 5".to_owned(),
        met: Some(ratio <= 5.0),
    })
}
