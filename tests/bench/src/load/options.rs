//! What the command line says.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Loads `roster` and `bare` in turns and says how they compare.
#[derive(Debug, Clone, Parser)]
pub(crate) struct Options {
    /// The `roster` to measure.
    #[arg(long, value_name = "FILE")]
    pub(crate) roster: PathBuf,
    /// The `bare` to compare it with.
    #[arg(long, value_name = "FILE")]
    pub(crate) bare: PathBuf,
    /// Where databases, configurations and results are put.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: PathBuf,
    /// The component whose ten instances are part of a cold start.
    #[arg(long, value_name = "FILE")]
    pub(crate) plugin: Option<PathBuf>,
    /// The databases to measure over.
    #[arg(long, value_delimiter = ',', default_values = ["sqlite", "postgres"])]
    pub(crate) databases: Vec<Kind>,
    /// The PostgreSQL server, as somebody who may create databases.
    #[arg(
        long,
        value_name = "URL",
        default_value = "postgres://postgres@127.0.0.1:5432/postgres"
    )]
    pub(crate) postgres: String,
    /// What to measure.
    #[arg(long, value_delimiter = ',', default_values = ["statements", "routes", "login", "timing", "start", "memory"])]
    pub(crate) parts: Vec<Part>,
    /// Connections at a time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) connections: u32,
    /// Users in the database.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    pub(crate) users: u32,
    /// Pairs of rounds per route; every other pair runs in reverse order.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) pairs: u32,
    /// Milliseconds of a round that count.
    #[arg(long, default_value_t = 1_500, value_parser = clap::value_parser!(u64).range(50..=600_000))]
    pub(crate) round: u64,
    /// Starts of each server.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) starts: u32,
    /// Requests of the memory measurement.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    pub(crate) requests: u32,
    /// Roster's `log.level`; log lines are written and thrown away.
    #[arg(long, default_value = "info")]
    pub(crate) log_level: String,
}

/// A database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// Something that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Whether both run the same statements and send the same bytes.
    Statements,
    /// Requests per second and latencies of each route.
    Routes,
    /// Logins per second, and what they do to others.
    Login,
    /// Whether the time of an answer tells who is known.
    Timing,
    /// The time from the start of the process to the first answer.
    Start,
    /// Resident memory, idle and after many requests.
    Memory,
}

impl Options {
    /// The length of a round.
    pub(crate) fn round(&self) -> Duration {
        Duration::from_millis(self.round)
    }
}

impl Kind {
    /// The word in the table.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}
