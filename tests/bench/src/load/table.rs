//! The results: one line each, for people on the way and for a file at the end.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

/// One result.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    pub(crate) what: String,
    pub(crate) database: &'static str,
    pub(crate) roster: String,
    pub(crate) bare: String,
    pub(crate) ratio: String,
    pub(crate) target: String,
    /// Whether the target was met, where there is one.
    pub(crate) met: Option<bool>,
}

/// All results so far.
#[derive(Debug, Default)]
pub(crate) struct Table(String);

impl Table {
    /// Adds a result and tells whoever waits for it.
    pub(crate) fn push(&mut self, line: &Line) -> io::Result<()> {
        let Line {
            what,
            database,
            roster,
            bare,
            ratio,
            target,
            met,
        } = line;
        let met = match met {
            None => "",
            Some(true) => "met",
            Some(false) => "MISSED",
        };
        let cells = [what, *database, roster, bare, ratio, target, met];
        let text = cells
            .map(|cell| if cell.is_empty() { "-" } else { cell })
            .join("\t");
        writeln!(io::stderr(), "{}", text.replace('\t', "  "))?;
        self.0.push_str(&text);
        self.0.push('\n');
        Ok(())
    }

    /// Writes the results to a file, cells between tabs.
    pub(crate) fn save(&self, file: &Path) -> io::Result<()> {
        std::fs::write(file, &self.0)
    }
}

/// A latency in milliseconds.
pub(crate) fn millis(latency: Duration) -> String {
    format!("{:.2}", latency.as_secs_f64() * 1e3)
}

/// Requests per second with their latencies and what they cost the server.
pub(crate) fn rate(rate: f64, p50: Duration, p99: Duration, cpu: Duration) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "{rate:.0}/s p50 {} p99 {} ms cpu {} us",
        millis(p50),
        millis(p99),
        cpu.as_micros()
    );
    text
}
