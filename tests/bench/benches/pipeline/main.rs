//! What hooks cost: an update of a user in the process, over an SQLite file, without a hook and
//! with one, native and as a component. Beside it what deciding costs: a list under rules.
//!
//! The variants take turns, update by update, so that a slow moment of the disk or of the machine
//! meets all of them; Criterion sees the share of its own variant. The differences at the end are
//! between updates of the same turn.

mod decisions;
mod hooks;
mod kinds;
mod report;
mod runaway;
mod updates;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use criterion::Criterion;
use tokio::runtime::Builder;

use decisions::LISTS;
use hooks::Hooks;
use kinds::{BUILDS, KINDS, Kind};
use runaway::Runaway;
use updates::{Updates, VARIANTS};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nowhere else to say it.
            let _ = writeln!(io::stderr(), "pipeline: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("out");
    std::fs::create_dir_all(&out)?;
    let component = hooks::component("roster-bench-touch")?;
    let hostile = hooks::component("roster-hostile-plugin")?;
    let folder = tempfile::tempdir_in(&out)?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let hooks = runtime.block_on(Hooks::start(&component))?;
    let updates = runtime.block_on(Updates::start(folder.path(), &hooks))?;
    let mut criterion = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .configure_from_args();

    let mut group = criterion.benchmark_group("update");
    for (variant, (name, _)) in VARIANTS.iter().enumerate() {
        group.bench_function(*name, |bencher| {
            bencher
                .to_async(&runtime)
                .iter_custom(|turns| updates.measure(variant, turns));
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("call alone");
    let mut alone = Vec::new();
    for (kind, name) in KINDS.iter().enumerate() {
        for (build, instance) in BUILDS.iter().zip([&hooks.native, &hooks.component]) {
            let call = Kind::of(kind, instance);
            group.bench_function(format!("{name}, {build}"), |bencher| {
                bencher
                    .to_async(&runtime)
                    .iter_custom(|calls| call.sample(calls));
            });
            alone.push((format!("{name}, {build}"), call.samples()));
        }
    }
    group.finish();
    let decisions = runtime.block_on(updates.decisions())?;
    let mut group = criterion.benchmark_group("list");
    for (kind, name) in LISTS.iter().enumerate() {
        group.bench_function(*name, |bencher| {
            bencher
                .to_async(&runtime)
                .iter_custom(|turns| decisions.measure(kind, turns));
        });
    }
    group.finish();
    criterion.final_summary();
    let runaway = runtime.block_on(Runaway::measure(&hostile, &hooks.component))?;
    runtime.block_on(updates.close());
    let turns = updates.turns();
    let report = report::updates(&turns)
        + &report::alone(&turns, alone)
        + &report::decisions(&decisions.pairs())
        + &report::runaway(&runaway);
    std::fs::write(out.join("pipeline.tsv"), &report)?;
    io::stderr().write_all(report.as_bytes())?;
    Ok(())
}
