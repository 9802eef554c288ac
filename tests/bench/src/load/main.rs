//! The load driver: starts Roster and the bare server over the same data, loads them in turns, and
//! says how they compare with the targets. It talks to the loopback only and ends by itself.

#![forbid(unsafe_code)]

mod data;
mod drive;
mod http;
mod login;
mod memory;
mod options;
mod program;
mod routes;
mod server;
mod start;
mod statements;
mod table;
mod timing;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use data::Data;
use options::{Kind, Options, Part};
use program::{Bare, Roster};
use server::Server;
use table::Table;

// One thread: the driver has to leave the processors to the servers.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => fail("the comparison is not fair: see the differences beside the results"),
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(reason: &str) -> ExitCode {
    // There is nowhere else to say it.
    let _ = writeln!(io::stderr(), "load: {reason}");
    ExitCode::FAILURE
}

/// Measures everything that is asked for; gives whether the comparison was fair.
async fn run(options: &Options) -> io::Result<bool> {
    std::fs::create_dir_all(&options.out)?;
    let (mut table, mut is_fair) = (Table::default(), true);
    for &kind in &options.databases {
        let measured = tokio::select! {
            measured = database(options, kind, &mut table) => measured,
            _ = tokio::signal::ctrl_c() => Err(io::Error::other("interrupted")),
        };
        // Whatever happened, nothing is left behind but the results.
        let removed = Data::remove(options, kind).await;
        is_fair &= measured?;
        removed?;
        table.save(&options.out.join("load.tsv"))?;
    }
    Ok(is_fair)
}

async fn database(options: &Options, kind: Kind, table: &mut Table) -> io::Result<bool> {
    let data = Data::make(options, kind).await?;
    let roster = Roster {
        binary: options.roster.clone(),
        folder: data.folder.join("roster"),
        database: data.roster.clone(),
        log: format!("level = \"{}\"", options.log_level),
        plugins: None,
    };
    let bare = Bare {
        binary: options.bare.clone(),
        database: data.bare.clone(),
        logs_statements: false,
    };
    let (programs, asks) = ((&roster, &bare), |part| options.parts.contains(&part));
    let mut is_fair = true;
    if asks(Part::Statements) {
        is_fair = statements::compare(kind, &data, programs, table).await?;
    }
    if [Part::Routes, Part::Login, Part::Timing]
        .into_iter()
        .any(asks)
    {
        let request = http::get("/users/me", &data.tokens[0]);
        let roster = Server::start(&roster, None, &request).await?;
        if asks(Part::Routes) {
            let bare = Server::start(&bare, None, &request).await?;
            routes::measure(options, kind, &data, [&roster, &bare], table).await?;
            bare.stop().await?;
        }
        if asks(Part::Login) {
            login::measure(options, kind, &data, &roster, table).await?;
        }
        if asks(Part::Timing) {
            timing::measure(options, kind, &data, &roster, table).await?;
        }
        roster.stop().await?;
    }
    if asks(Part::Start) {
        start::measure(options, kind, &data, programs, table).await?;
    }
    if asks(Part::Memory) {
        memory::measure(options, kind, &data, programs, table).await?;
    }
    Ok(is_fair)
}
