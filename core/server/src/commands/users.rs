//! `roster users`: users from a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::{Duration, Instant};

use roster_domain::query::Parameters;
use roster_domain::{Error, Result};
use roster_engine::{
    Engine, ImportFormat, ImportOptions, ImportOutcome, ImportSummary, ImportedRow,
};
use roster_sdk::Linked;
use serde_json::Value as Json;

use super::{failed, refuse};
use crate::cli::{Exit, Import};
use crate::config::Config;
use crate::server;

/// How often progress is told.
const TOLD_EVERY: Duration = Duration::from_secs(1);

pub(crate) async fn import(
    config: &Config,
    args: &Import,
    linked: Vec<Linked>,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let options = match options(args) {
        Ok(options) => options,
        Err(error) => {
            failed(err, &error)?;
            return Ok(Exit::Usage);
        }
    };
    let files = File::open(&args.file)
        .map_err(|error| named(&args.file, &error))
        .and_then(|file| {
            let report = args.report.as_deref();
            let report = report.map(|path| File::create(path).map_err(|error| named(path, &error)));
            Ok((file, report.transpose()?))
        });
    let (file, report) = match files {
        Ok(files) => files,
        Err(error) => return refuse(err, &server::StartError::new("cannot import", error)),
    };
    let engine = match server::engine(config, linked).await {
        Ok((engine, _)) => engine,
        Err(error) => return refuse(err, &error),
    };
    let mut report = report.map(BufWriter::new);
    let done = run(&engine, file, options, &mut report, err).await;
    engine.close(config.server.shutdown_timeout).await;
    if let Some(report) = &mut report {
        report.flush()?;
    }
    let (summary, ended) = done?;
    writeln!(out, "{}", sentence(&summary))?;
    if let Some(row) = summary.next_row {
        writeln!(out, "go on with --first-row {row}")?;
    }
    if let Some(error) = ended {
        return failed(err, &error);
    }
    Ok(if summary.failed > 0 {
        Exit::Failed
    } else {
        Exit::Ok
    })
}

fn named(path: &std::path::Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn options(args: &Import) -> Result<ImportOptions> {
    let extension = args.file.extension().unwrap_or_default();
    let format = if extension.eq_ignore_ascii_case("csv") {
        ImportFormat::Csv { delimiter: b',' }
    } else if extension.eq_ignore_ascii_case("json") {
        ImportFormat::Json
    } else {
        let reason = format!("`{}`: expected a .csv or .json file", args.file.display());
        return Err(Error::invalid_payload(reason));
    };
    let delimiter = if args.delimiter == "tab" {
        "\t"
    } else {
        &args.delimiter
    };
    let parameters: Parameters = [
        ("allow", args.allow.clone()),
        ("existing", args.existing.clone()),
        ("dry_run", args.dry_run.to_string()),
        ("on_error", args.on_error.clone()),
        ("first_row", args.first_row.to_string()),
        ("batch", args.batch.to_string()),
        ("delimiter", delimiter.to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), Json::String(value)))
    .collect();
    ImportOptions::parse(&parameters, format)
}

/// Takes the file in; what came of it, and why it ended early if it did.
async fn run(
    engine: &Engine,
    file: File,
    options: ImportOptions,
    report: &mut Option<BufWriter<File>>,
    err: &mut impl Write,
) -> io::Result<(ImportSummary, Option<Error>)> {
    let begun = match engine.command_line().await {
        Ok(cx) => engine.import(&cx, file, options),
        Err(error) => Err(error),
    };
    let mut importer = match begun {
        Ok(importer) => importer,
        Err(error) => return Ok((ImportSummary::default(), Some(error))),
    };
    let mut told = Instant::now();
    loop {
        let rows = match importer.next().await {
            Ok(Some(rows)) => rows,
            Ok(None) => return Ok((importer.summary().clone(), None)),
            Err(error) => return Ok((importer.summary().clone(), Some(error))),
        };
        for row in &rows {
            if let Some(report) = report {
                serde_json::to_writer(&mut *report, row)?;
                report.write_all(b"\n")?;
            }
            if row.outcome == ImportOutcome::Failed {
                writeln!(err, "{}", complaint(row))?;
            }
        }
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            writeln!(err, "{}", sentence(importer.summary()))?;
        }
    }
}

fn complaint(row: &ImportedRow) -> String {
    let messages: Vec<&str> = row
        .problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    format!("row {}: {}", row.row, messages.join(" "))
}

fn sentence(summary: &ImportSummary) -> String {
    let ImportSummary {
        dry_run,
        rows,
        created,
        updated,
        skipped,
        failed,
        ..
    } = summary;
    let trial = if *dry_run {
        " (dry run: nothing stored)"
    } else {
        ""
    };
    format!(
        "{rows} rows: {created} created, {updated} updated, {skipped} skipped, {failed} failed{trial}"
    )
}
