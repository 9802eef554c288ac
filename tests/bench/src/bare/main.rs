//! What a request costs at least: a poem handler that verifies the token and runs the statements
//! Roster runs for the same request, over the same schema, and sends the same JSON. No rules, no
//! hooks, no schema at run time, no log lines, no metrics.

#![forbid(unsafe_code)]

mod api;
mod database;
mod postgres;
mod sqlite;
mod user;

use std::io;
use std::net::SocketAddr;

use clap::Parser;
use poem::Server;
use poem::listener::TcpListener;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use api::Api;
use database::Database;
use postgres::Postgres;
use sqlite::Sqlite;

/// The bare server, over a database that Roster has made.
#[derive(Debug, Parser)]
struct Options {
    /// Where to listen.
    #[arg(long)]
    bind: SocketAddr,
    /// Roster's `auth.secret`.
    #[arg(long)]
    secret: String,
    /// Roster's `database.url`.
    #[arg(long)]
    database: String,
    /// Logs the statements as JSON, as Roster does with `log.level = "off,sqlx=debug"`.
    #[arg(long)]
    log_statements: bool,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let options = Options::parse();
    if options.log_statements {
        let lines = tracing_subscriber::fmt::layer().json().flatten_event(true);
        let statements =
            Targets::new().with_target("sqlx", tracing_subscriber::filter::LevelFilter::DEBUG);
        tracing_subscriber::registry()
            .with(lines.with_writer(io::stderr))
            .with(statements)
            .init();
    }
    match options.database.strip_prefix("sqlite://") {
        Some(file) => serve(&options, Sqlite::open(file).await).await,
        None => serve(&options, Postgres::open(&options.database).await).await,
    }
}

async fn serve(options: &Options, database: sqlx::Result<impl Database>) -> io::Result<()> {
    let api = Api::new(database.map_err(io::Error::other)?, &options.secret);
    Server::new(TcpListener::bind(options.bind))
        .run(api::routes(api))
        .await
}
