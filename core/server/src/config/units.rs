//! Durations, sizes and rates, each written with its unit.

use std::time::Duration;

use super::raw::{Bad, Raw};

/// A number of bytes, written as `1MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

impl ByteSize {
    /// A size of so many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The size in bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The size in bytes as a length in memory; on a small machine no more than it can address.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// So many events within a time, written as `10/1m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many events are allowed; at least one.
    pub count: u32,
    /// Within which time; longer than zero.
    pub per: Duration,
}

const DURATION: &str = "a duration with its unit, such as `15m`, `500ms`, `0s` or `30d`";
const POSITIVE: &str = "a duration longer than zero, such as `15m`, `500ms` or `30d`";
const SIZE: &str = "a size with its unit, such as `512KiB`, `1MiB` or `2GiB`";
const RATE: &str = "a rate such as `10/1m`, or `0` for none";

const MILLISECONDS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];
const BYTES: &[(&str, u64)] = &[
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Reads a duration.
pub(super) fn duration(raw: &Raw<'_>) -> Result<Duration, Bad> {
    raw.text(DURATION)
        .and_then(|text| parse_duration(text).ok_or(Bad::expected(DURATION)))
}

/// Reads a duration that is longer than zero.
pub(super) fn positive(raw: &Raw<'_>) -> Result<Duration, Bad> {
    let found = raw.text(POSITIVE).ok().and_then(parse_duration);
    found
        .filter(|duration| !duration.is_zero())
        .ok_or(Bad::expected(POSITIVE))
}

/// Reads a size that is larger than zero.
pub(super) fn size(raw: &Raw<'_>) -> Result<ByteSize, Bad> {
    let bytes = raw.text(SIZE).ok().and_then(|text| parse_sum(text, BYTES));
    bytes
        .filter(|bytes| *bytes > 0)
        .map(ByteSize)
        .ok_or(Bad::expected(SIZE))
}

/// Reads a rate; `0` is none.
pub(super) fn rate(raw: &Raw<'_>) -> Result<Option<Rate>, Bad> {
    let text = raw.text(RATE)?;
    if text == "0" {
        return Ok(None);
    }
    let parsed = text.split_once('/').and_then(|(count, per)| {
        let rate = Rate {
            count: digits(count)?.try_into().ok()?,
            per: parse_duration(per)?,
        };
        (rate.count > 0 && !rate.per.is_zero()).then_some(rate)
    });
    parsed.map(Some).ok_or(Bad::expected(RATE))
}

/// A duration from its text; several units follow each other from large to small, as in `1h30m`.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    parse_sum(text, MILLISECONDS).map(Duration::from_millis)
}

fn parse_sum(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0_u64;
    let mut largest = u64::MAX;
    loop {
        let number = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, after) = rest.split_at(number);
        let unit = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (name, after) = after.split_at(unit);
        let (_, factor) = units.iter().find(|(known, _)| *known == name)?;
        if *factor >= largest {
            return None;
        }
        largest = *factor;
        sum = sum.checked_add(digits(count)?.checked_mul(*factor)?)?;
        rest = after;
        if rest.is_empty() {
            return Some(sum);
        }
    }
}

fn digits(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_need_their_unit() {
        assert_eq!(parse_duration("15m"), Some(Duration::from_mins(15)));
        assert_eq!(parse_duration("1h30m"), Some(Duration::from_mins(90)));
        assert_eq!(parse_duration("0s"), Some(Duration::ZERO));
        assert_eq!(parse_sum("19MiB", BYTES), Some(19 << 20));
        for wrong in [
            "",
            "15",
            "m",
            "15 m",
            "1.5h",
            "-1s",
            "30m1h",
            "1m1m",
            "99999999999999999d",
        ] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
        assert_eq!(parse_sum("1MB", BYTES), None);
    }
}
