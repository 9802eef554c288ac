//! Whether the comparison is fair: for the same request both servers have to run the same
//! statements in the same order, and send the same bytes.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;

use crate::data::Data;
use crate::drive;
use crate::http::{self, Connection};
use crate::options::Kind;
use crate::program::{Bare, Roster};
use crate::routes::Route;
use crate::server::{Program, Server};
use crate::table::{Line, Table};

/// How long a server has to write what it logs.
const SETTLE: Duration = Duration::from_millis(200);
/// What Roster asks on its own account, between requests.
const BACKGROUND: [&str; 2] = [r#"FROM "deliveries""#, r#"SELECT "plugins_epoch" FROM"#];

/// Compares every route; gives whether all are the same.
pub(crate) async fn compare(
    kind: Kind,
    data: &Data,
    (roster, bare): (&Roster, &Bare),
    table: &mut Table,
) -> io::Result<bool> {
    let log = "format = \"json\"\nlevel = \"off,sqlx=debug\"".to_owned();
    let roster = Roster {
        log,
        folder: data.folder.join("statements"),
        ..roster.clone()
    };
    let bare = Bare {
        logs_statements: true,
        ..bare.clone()
    };
    let request = http::get("/users/me", &data.tokens[0]);
    let roster = Logged::start(&roster, data.folder.join("roster.log"), &request).await?;
    let bare = Logged::start(&bare, data.folder.join("bare.log"), &request).await?;
    let mut is_fair = true;
    for route in Route::ALL {
        let [before, request] = [0, 1].map(|turn| route.request(&data.tokens[0], turn));
        let roster = roster.answer(&before, &request).await?;
        let bare = bare.answer(&before, &request).await?;
        let same_statements = roster.statements == bare.statements;
        let same_bytes = roster.body == bare.body;
        let line = Line {
            what: format!("{}: statements, bytes", route.name()),
            database: kind.as_str(),
            roster: format!("{}, {}", roster.statements.len(), roster.body.len()),
            bare: format!("{}, {}", bare.statements.len(), bare.body.len()),
            target: "the same".to_owned(),
            met: Some(same_statements && same_bytes),
            ..Line::default()
        };
        table.push(&line)?;
        is_fair &= same_statements && same_bytes;
        if !same_statements {
            report(
                data,
                &format!("{route:?}-statements"),
                &roster.statements,
                &bare.statements,
            )?;
        }
        if !same_bytes {
            let text = |body: &[u8]| vec![String::from_utf8_lossy(body).into_owned()];
            report(
                data,
                &format!("{route:?}-bytes"),
                &text(&roster.body),
                &text(&bare.body),
            )?;
        }
    }
    roster.server.stop().await?;
    bare.server.stop().await?;
    Ok(is_fair)
}

/// Keeps what differs outside of the folder that is cleared, for whoever has to look.
fn report(data: &Data, name: &str, roster: &[String], bare: &[String]) -> io::Result<()> {
    let folder = data.folder.parent().unwrap_or(&data.folder);
    for (of, lines) in [("roster", roster), ("bare", bare)] {
        std::fs::write(folder.join(format!("{name}-{of}.txt")), lines.join("\n\n"))?;
    }
    Ok(())
}

/// A server that logs its statements.
struct Logged {
    server: Server,
    log: PathBuf,
}

/// What a request came to.
struct Answered {
    statements: Vec<String>,
    body: Vec<u8>,
}

impl Logged {
    async fn start(program: &impl Program, log: PathBuf, request: &[u8]) -> io::Result<Self> {
        let server = Server::start(program, Some(&log), request).await?;
        Ok(Self { server, log })
    }

    /// Sends the first request so that caches are warm, then the second.
    async fn answer(&self, before: &[u8], request: &[u8]) -> io::Result<Answered> {
        let mut connection = Connection::open(self.server.address).await?;
        connection.exchange(before).await?;
        drive::pause(SETTLE).await;
        let known = statements(&self.log)?.len();
        let answer = connection.exchange(request).await?;
        if answer.status != 200 {
            let body = String::from_utf8_lossy(answer.body);
            return Err(io::Error::other(format!(
                "answered with {}: {body}",
                answer.status
            )));
        }
        let body = answer.body.to_vec();
        drive::pause(SETTLE).await;
        Ok(Answered {
            statements: statements(&self.log)?.split_off(known),
            body,
        })
    }
}

/// The statements in a log, as they were sent to the database but for white space.
fn statements(log: &Path) -> io::Result<Vec<String>> {
    let text = std::fs::read_to_string(log)?;
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let statements = lines.filter_map(|line| {
        let text = |name: &str| line.get(name).and_then(Json::as_str);
        let whole = text("db.statement").filter(|sql| !sql.is_empty());
        let sql = whole.or_else(|| text("summary"))?;
        Some(sql.split_whitespace().collect::<Vec<_>>().join(" "))
    });
    let is_own = |sql: &String| BACKGROUND.iter().any(|part| sql.contains(part));
    Ok(statements.filter(|sql| !is_own(sql)).collect())
}
