//! Lines for the table: what, database, with, without, difference, target, whether it was met.

use crate::updates::{PLAIN, Turn, VARIANTS};

/// Turns that are left out: statements get prepared, caches fill.
const WARM_UP: usize = 200;

/// What each variant costs beside the plain one. A run that only tests that everything works has
/// no numbers.
pub(crate) fn updates(turns: &[Turn]) -> String {
    let Some(turns) = turns.get(WARM_UP..).filter(|turns| turns.len() >= WARM_UP) else {
        return String::new();
    };
    let of = |variant: usize| turns.iter().map(|turn| turn[variant]).collect();
    let plain = Spread::of(of(PLAIN)).median;
    let mut report = format!("update in process\tsqlite\t-\t{plain:.1} us\t-\t-\t-\n");
    for (variant, (name, most)) in VARIANTS.iter().enumerate().skip(1) {
        let with = Spread::of(of(variant)).median;
        let costs = turns
            .iter()
            .map(|turn| turn[variant] - turn[PLAIN])
            .collect();
        let Spread { median, error } = Spread::of(costs);
        let (share, doubt) = (median / plain * 100.0, error / plain * 100.0);
        let met = if share - doubt <= *most {
            "met"
        } else {
            "MISSED"
        };
        report += &format!(
            "update in process, {name}\tsqlite\t{with:.1} us\t{plain:.1} us\t\
             {median:+.2} us = {share:+.2} +- {doubt:.2} %\t<= {most} %\t{met}\n"
        );
    }
    report
}

/// What the hooks cost without an engine around them.
pub(crate) fn alone(hooks: Vec<(&str, Vec<f64>)>) -> String {
    let measured = hooks.into_iter().filter(|(_, samples)| samples.len() > 10);
    let line = |(name, samples)| {
        let Spread { median, error } = Spread::of(samples);
        format!("hook alone, {name}\t-\t{median:.2} +- {error:.2} us\t-\t-\t-\t-\n")
    };
    measured.map(line).collect()
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
