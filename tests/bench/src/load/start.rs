//! Cold starts: from the start of the process to its first answer that needed the database.

use std::io;
use std::time::Duration;

use crate::data::Data;
use crate::drive::median;
use crate::http;
use crate::options::{Kind, Options};
use crate::program::{Bare, Roster};
use crate::server::{Program, Server};
use crate::table::{Line, Table};

/// How many components the third server loads.
const PLUGINS: usize = 10;

/// Measures starts of Roster, of bare, and of Roster with components.
pub(crate) async fn measure(
    options: &Options,
    kind: Kind,
    data: &Data,
    (roster, bare): (&Roster, &Bare),
    table: &mut Table,
) -> io::Result<()> {
    let request = http::get("/users/me", &data.tokens[0]);
    let plugins = options
        .plugin
        .as_ref()
        .map(|file| file.canonicalize())
        .transpose()?;
    let with_plugins = plugins.map(|file| Roster {
        plugins: Some((file, PLUGINS)),
        folder: data.folder.join("plugins"),
        ..roster.clone()
    });
    // The first start compiles, later ones find what it left.
    if let Some(program) = &with_plugins {
        once(program, &request).await?;
    }
    let (mut rosters, mut bares, mut loaded) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..options.starts {
        if turn % 2 == 0 {
            rosters.push(once(roster, &request).await?);
            bares.push(once(bare, &request).await?);
        } else {
            bares.push(once(bare, &request).await?);
            rosters.push(once(roster, &request).await?);
        }
        if let Some(program) = &with_plugins {
            loaded.push(once(program, &request).await?);
        }
    }
    let (roster, bare) = (median(rosters), median(bares));
    let most = 2.0 * bare + 100.0;
    table.push(&Line {
        what: "cold start, existing database".to_owned(),
        database: kind.as_str(),
        roster: format!("{roster:.0} ms"),
        bare: format!("{bare:.0} ms"),
        ratio: format!("{:.2}", roster / bare),
        target: format!("<= {most:.0} ms"),
        met: Some(roster <= most),
    })?;
    if loaded.is_empty() {
        return Ok(());
    }
    let loaded = median(loaded);
    table.push(&Line {
        what: format!("cold start with {PLUGINS} cached components, without beside it"),
        database: kind.as_str(),
        roster: format!("{loaded:.0} ms"),
        bare: format!("{roster:.0} ms"),
        ratio: format!("+{:.0} ms", loaded - roster),
        target: "<= +100 ms".to_owned(),
        met: Some(loaded - roster <= 100.0),
    })
}

/// Milliseconds of one start.
async fn once(program: &impl Program, request: &[u8]) -> io::Result<f64> {
    let mut server = Server::spawn(program, None)?;
    let took: Duration = server.answering(request).await?;
    server.stop().await?;
    Ok(took.as_secs_f64() * 1e3)
}
