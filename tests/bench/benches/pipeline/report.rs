//! Lines for the table: what, database, with, without, difference, target, whether it was met.

use std::fmt::Write;
use std::time::Duration;

use crate::decisions::{MOST, Pair};
use crate::runaway::{LATE, Runaway};
use crate::updates::{ALONE, PLAIN, Turn, VARIANTS};

/// Turns that are left out: statements get prepared, caches fill.
const WARM_UP: usize = 50;
/// With fewer values there is no line: a run that only tests that everything works has no numbers.
const LEAST: usize = 20;

/// What each variant costs beside the plain one.
pub(crate) fn updates(turns: &[Turn]) -> String {
    if counted(turns).count() < LEAST {
        return String::new();
    }
    let then: Vec<_> = counted(turns).map(|turn| turn.then).collect();
    let first: Vec<_> = counted(turns).map(|turn| turn.first).collect();
    let plain = Spread::of(then.iter().map(|took| took[PLAIN]).collect()).median;
    let mut report = format!("update in process\tsqlite\t-\t{plain:.1} us\t-\t-\t-\n");
    for (variant, (name, most)) in VARIANTS.iter().enumerate().skip(1) {
        report += &cost(name, &then, variant, Some(*most));
        let name = format!("{name}, the first after others");
        report += &cost(&name, &first, variant, None);
    }
    report
}

/// What a variant costs beside the plain one; whether that is more than it may.
fn cost(name: &str, turns: &[[f64; VARIANTS.len()]], variant: usize, most: Option<f64>) -> String {
    let of = |variant: usize| Spread::of(turns.iter().map(|took| took[variant]).collect()).median;
    let (with, plain) = (of(variant), of(PLAIN));
    let costs = turns.iter().map(|took| took[variant] - took[PLAIN]);
    let Spread { median, error } = Spread::of(costs.collect());
    let (share, doubt) = (median / plain * 100.0, error / plain * 100.0);
    let judged = match most {
        Some(most) if share - doubt <= most => format!("<= {most} %\tmet"),
        Some(most) => format!("<= {most} %\tMISSED"),
        None => "-\t-".to_owned(),
    };
    format!(
        "update in process, {name}\tsqlite\t{with:.1} us\t{plain:.1} us\t\
         {median:+.2} us = {share:+.2} +- {doubt:.2} %\t{judged}\n"
    )
}

/// What calls cost without an engine around them: hooks between updates, every kind over and over.
pub(crate) fn alone(turns: &[Turn], repeated: Vec<(String, Vec<f64>)>) -> String {
    let between = ALONE.iter().enumerate().map(|(hook, name)| {
        let times = counted(turns).map(|turn| turn.alone[hook]);
        (format!("hooks, {name}, between updates"), times.collect())
    });
    let mut report = String::new();
    for (what, values) in between.chain(repeated) {
        if values.len() >= LEAST {
            let Spread { median, error } = Spread::of(values);
            let _ = writeln!(
                report,
                "call alone, {what}\t-\t{median:.2} +- {error:.2} us\t-\t-\t-\t-"
            );
        }
    }
    report
}

/// What deciding costs a list.
pub(crate) fn decisions(pairs: &[Pair]) -> String {
    let pairs = pairs.get(WARM_UP..).unwrap_or_default();
    if pairs.len() < LEAST {
        return String::new();
    }
    let of = |kind: usize| Spread::of(pairs.iter().map(|pair| pair[kind]).collect()).median;
    let (filtered, decided) = (of(0), of(1));
    let costs = pairs.iter().map(|pair| pair[1] - pair[0]).collect();
    let Spread { median, error } = Spread::of(costs);
    let (share, doubt) = (median / filtered * 100.0, error / filtered * 100.0);
    let met = if share - doubt <= MOST {
        "met"
    } else {
        "MISSED"
    };
    format!(
        "list in process, decided by rules\tsqlite\t{decided:.1} us\t{filtered:.1} us\t\
         {median:+.2} us = {share:+.2} +- {doubt:.2} %\t<= {MOST} %\t{met}\n"
    )
}

/// When an endless loop is stopped, and what others take beside it.
pub(crate) fn runaway(run: &Runaway) -> String {
    let met = |is: bool| if is { "met" } else { "MISSED" };
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let median = |times: &[Duration]| times.get(times.len() / 2).copied().unwrap_or_default();
    let slowest = |times: &[Duration]| times.last().copied().unwrap_or_default();
    let [quiet, beside] = run.ordinary;
    let ratio = beside.as_secs_f64() / quiet.as_secs_f64();
    let stopped = [
        ("median", median as fn(&[Duration]) -> Duration),
        ("slowest", slowest),
    ];
    let stopped = stopped.map(|(what, of)| {
        let (late, slept) = (of(&run.late), of(&run.slept));
        format!(
            "an endless loop is stopped, {what}, beside a sleep\t-\t{:.1} ms\t{:.1} ms\t\
             +{:.1} ms\t<= +{:.0} ms\t{}\n",
            millis(run.budget + late),
            millis(run.budget + slept),
            millis(late),
            millis(LATE),
            met(late <= LATE),
        )
    });
    stopped.concat()
        + &format!(
            "p99 of fresh components beside it\t-\t{:.3} ms\t{:.3} ms\t{ratio:.2}\t<= 2\t{}\n",
            millis(beside),
            millis(quiet),
            met(ratio <= 2.0),
        )
}

/// The turns that count.
fn counted(turns: &[Turn]) -> impl Iterator<Item = &Turn> {
    turns.iter().skip(WARM_UP)
}

/// A median and how far it can be trusted: 1.58 interquartile ranges over the root of the number,
/// the notch of a box plot.
struct Spread {
    median: f64,
    error: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let number = values.len();
        let at = |quarter: usize| {
            values
                .get(number * quarter / 4)
                .copied()
                .unwrap_or(f64::NAN)
        };
        let root = u32::try_from(number)
            .map_or(f64::INFINITY, f64::from)
            .sqrt();
        Self {
            median: at(2),
            error: 1.58 * (at(3) - at(1)) / root,
        }
    }
}
