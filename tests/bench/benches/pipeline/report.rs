//! Lines for the table: what, database, with, without, difference, target, whether it was met.

use std::fmt::Write;

use crate::updates::{ALONE, PLAIN, Turn, VARIANTS};

/// Turns that are left out: statements get prepared, caches fill.
const WARM_UP: usize = 200;
/// With fewer values there is no line: a run that only tests that everything works has no numbers.
const LEAST: usize = 20;

/// What each variant costs beside the plain one.
pub(crate) fn updates(turns: &[Turn]) -> String {
    if counted(turns).count() < LEAST {
        return String::new();
    }
    let of = |variant: usize| counted(turns).map(|turn| turn[variant]).collect();
    let plain = Spread::of(of(PLAIN)).median;
    let mut report = format!("update in process\tsqlite\t-\t{plain:.1} us\t-\t-\t-\n");
    for (variant, (name, most)) in VARIANTS.iter().enumerate().skip(1) {
        let with = Spread::of(of(variant)).median;
        let costs = counted(turns)
            .map(|turn| turn[variant] - turn[PLAIN])
            .collect();
        let Spread { median, error } = Spread::of(costs);
        let (share, doubt) = (median / plain * 100.0, error / plain * 100.0);
        let met = if share - doubt <= *most {
            "met"
        } else {
            "MISSED"
        };
        let _ = writeln!(
            report,
            "update in process, {name}\tsqlite\t{with:.1} us\t{plain:.1} us\t\
             {median:+.2} us = {share:+.2} +- {doubt:.2} %\t<= {most} %\t{met}"
        );
    }
    report
}

/// What the hooks cost without an engine around them, between updates and over and over.
pub(crate) fn alone(turns: &[Turn], repeated: Vec<Vec<f64>>) -> String {
    let between = |hook| counted(turns).map(move |turn| turn[VARIANTS.len() + hook]);
    let mut report = String::new();
    for (hook, (name, repeated)) in ALONE.iter().zip(repeated).enumerate() {
        for (how, values) in [
            ("between updates", between(hook).collect()),
            ("repeated", repeated),
        ] {
            if values.len() >= LEAST {
                let Spread { median, error } = Spread::of(values);
                let _ = writeln!(
                    report,
                    "hook alone, {name}, {how}\t-\t{median:.2} +- {error:.2} us\t-\t-\t-\t-"
                );
            }
        }
    }
    report
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
