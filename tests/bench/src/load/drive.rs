//! Load: connections that each send their requests one after the other for a bounded time.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::http::Connection;

/// The requests of one connection, sent over and over in their order.
pub(crate) type Ring = Arc<[Vec<u8>]>;

/// How long a round takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The time before anything counts.
    pub(crate) warm_up: Duration,
    /// The time that counts.
    pub(crate) length: Duration,
}

/// What one round came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Round {
    /// The time that counted.
    pub(crate) length: Duration,
    /// The latency of each request that began and ended within that time.
    pub(crate) latencies: Vec<Duration>,
}

impl Round {
    /// Requests per second.
    pub(crate) fn rate(&self) -> f64 {
        count(self.latencies.len()) / self.length.as_secs_f64()
    }

    /// The latency that this share of the requests stayed within.
    pub(crate) fn within(&mut self, share: f64) -> Duration {
        self.latencies.sort_unstable();
        let last = self.latencies.len().saturating_sub(1);
        let rank = (count(last) * share).round();
        // A rank is between 0 and the last one.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "see above"
        )]
        let rank = rank as usize;
        self.latencies.get(rank).copied().unwrap_or_default()
    }

    /// Both rounds as one.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.length += other.length;
        self.latencies.extend(other.latencies);
        self
    }
}

/// A number of things, for arithmetic.
pub(crate) fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

/// Sends the rings, each over a connection of its own, until the round is over.
pub(crate) async fn round(address: SocketAddr, rings: &[Ring], pace: Pace) -> io::Result<Round> {
    let start = Instant::now() + pace.warm_up;
    let end = start + pace.length;
    let mut connections = JoinSet::new();
    for ring in rings {
        connections.spawn(run(address, Arc::clone(ring), start, end));
    }
    let mut round = Round {
        length: pace.length,
        latencies: Vec::new(),
    };
    while let Some(latencies) = connections.join_next().await {
        round.latencies.extend(latencies??);
    }
    Ok(round)
}

async fn run(
    address: SocketAddr,
    ring: Ring,
    start: Instant,
    end: Instant,
) -> io::Result<Vec<Duration>> {
    let mut connection = Connection::open(address).await?;
    let mut latencies = Vec::with_capacity(16 * 1024);
    for request in ring.iter().cycle() {
        let sent = Instant::now();
        if sent >= end {
            break;
        }
        expect_success(&mut connection, request).await?;
        let answered = Instant::now();
        if sent >= start && answered <= end {
            latencies.push(answered - sent);
        }
    }
    Ok(latencies)
}

/// Sends a number of requests, spread over the rings, as fast as they are answered.
pub(crate) async fn amount(address: SocketAddr, rings: &[Ring], amount: usize) -> io::Result<()> {
    let mut connections = JoinSet::new();
    for ring in rings {
        let (ring, each) = (Arc::clone(ring), amount.div_ceil(rings.len()));
        connections.spawn(async move {
            let mut connection = Connection::open(address).await?;
            for request in ring.iter().cycle().take(each) {
                expect_success(&mut connection, request).await?;
            }
            Ok::<_, io::Error>(())
        });
    }
    while let Some(done) = connections.join_next().await {
        done??;
    }
    Ok(())
}

async fn expect_success(connection: &mut Connection, request: &[u8]) -> io::Result<()> {
    let answer = connection.exchange(request).await?;
    if answer.status == 200 {
        return Ok(());
    }
    let line = request
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    Err(io::Error::other(format!(
        "`{}` was answered with {}: {}",
        String::from_utf8_lossy(line),
        answer.status,
        String::from_utf8_lossy(answer.body)
    )))
}

/// Leaves the servers alone for a while.
#[expect(clippy::disallowed_methods, reason = "time is what is measured here")]
pub(crate) async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

/// The middle value; the mean of the two in the middle of an even number.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.as_slice() {
        [] => f64::NAN,
        values if values.len() % 2 == 1 => values[values.len() / 2],
        values => f64::midpoint(values[values.len() / 2 - 1], values[values.len() / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
    }

    #[test]
    fn percentiles_are_latencies_that_were_measured() {
        let latencies = (1..=101).rev().map(Duration::from_micros).collect();
        let mut round = Round {
            length: Duration::from_secs(1),
            latencies,
        };

        assert_eq!(round.within(0.5), Duration::from_micros(51));
        assert_eq!(round.within(0.99), Duration::from_micros(100));
    }
}
