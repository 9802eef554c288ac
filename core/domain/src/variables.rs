//! What `$NOW`, `$CURRENT_USER` and their like stand for (contract/access-control.md §8).

use std::collections::{BTreeSet, HashMap};

use chrono::{Months, TimeDelta};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{Timestamp, clock};

/// The values of variables for one principal at one moment.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// The present moment.
    pub now: Timestamp,
    /// The user.
    pub user: Option<Uuid>,
    /// The user's role.
    pub role: Option<Uuid>,
    /// The role and its ancestors, the root first.
    pub roles: Vec<Uuid>,
    /// The policies that hold.
    pub policies: Vec<Uuid>,
    /// What paths such as `$CURRENT_USER.location` lead to.
    pub paths: HashMap<String, Json>,
}

/// The variables that have fields.
pub const ROOTS: [&str; 4] = [
    "$CURRENT_USER",
    "$CURRENT_ROLES",
    "$CURRENT_ROLE",
    "$CURRENT_POLICIES",
];

impl Variables {
    /// What a text stands for, if it is a variable. Null where it leads nowhere.
    pub fn resolve(&self, text: &str) -> Option<Json> {
        if let Some(rest) = text.strip_prefix("$NOW") {
            return Some(Json::String(clock::format(self.shifted(rest))));
        }
        let root = ROOTS.into_iter().find(|root| is_under(text, root))?;
        if text != root {
            return Some(self.paths.get(text).cloned().unwrap_or(Json::Null));
        }
        Some(match root {
            "$CURRENT_USER" => json!(self.user),
            "$CURRENT_ROLE" => json!(self.role),
            "$CURRENT_ROLES" => json!(self.roles),
            _ => json!(self.policies),
        })
    }

    /// The same with every variable in it replaced.
    pub fn fill(&self, json: &Json) -> Json {
        match json {
            Json::String(text) => self.resolve(text).unwrap_or_else(|| json.clone()),
            Json::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Json::Object(map) => {
                let filled = map
                    .iter()
                    .map(|(name, value)| (name.clone(), self.fill(value)));
                Json::Object(filled.collect())
            }
            other => other.clone(),
        }
    }

    fn shifted(&self, rest: &str) -> Timestamp {
        let interval = rest
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'));
        interval
            .and_then(|text| shift(self.now, text))
            .unwrap_or(self.now)
    }
}

fn is_under(text: &str, root: &str) -> bool {
    text.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The paths that a filter or presets need: `$CURRENT_USER.location` and its like.
pub fn paths(json: &Json, found: &mut BTreeSet<String>) {
    match json {
        Json::String(text) => {
            let is_path = |root: &&str| is_under(text, root) && text.len() > root.len() + 1;
            if ROOTS.iter().any(is_path) {
                found.insert(text.clone());
            }
        }
        Json::Array(items) => items.iter().for_each(|item| paths(item, found)),
        Json::Object(map) => map.values().for_each(|value| paths(value, found)),
        _ => {}
    }
}

/// Whether a filter or presets depend on the present moment.
pub fn depends_on_now(json: &Json) -> bool {
    match json {
        Json::String(text) => text.starts_with("$NOW"),
        Json::Array(items) => items.iter().any(depends_on_now),
        Json::Object(map) => map.values().any(depends_on_now),
        _ => false,
    }
}

/// `-1 day`, `+2.5 hours`, `3` (days).
fn shift(now: Timestamp, text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.')))
        .unwrap_or(text.len());
    let amount: f64 = text[..end].parse().ok().filter(|n: &f64| n.is_finite())?;
    let unit = text[end..].trim().to_ascii_lowercase();
    let seconds = match unit.as_str() {
        "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
        "" | "d" | "day" | "days" => 86_400.0,
        "w" | "wk" | "wks" | "week" | "weeks" => 604_800.0,
        "mo" | "mth" | "mths" | "month" | "months" => return by_months(now, amount, 1),
        "y" | "yr" | "yrs" | "year" | "years" => return by_months(now, amount, 12),
        _ => return None,
    };
    let millis = amount * seconds * 1_000.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "casts of floats saturate, and what is too far is refused"
    )]
    let delta = TimeDelta::try_milliseconds(millis as i64)?;
    now.checked_add_signed(delta)
}

fn by_months(now: Timestamp, amount: f64, each: u32) -> Option<Timestamp> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "casts of floats saturate, and what is too far is refused"
    )]
    let months = Months::new((amount.abs().trunc() as u32).checked_mul(each)?);
    if amount < 0.0 {
        now.checked_sub_months(months)
    } else {
        now.checked_add_months(months)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        Variables {
            now: clock::parse("2026-03-31T12:00:00Z").expect("a moment"),
            user: Some(Uuid::from_u128(1)),
            paths: HashMap::from([("$CURRENT_USER.location".to_owned(), json!("Bern"))]),
            ..Variables::default()
        }
    }

    #[test]
    fn intervals_have_units_and_signs() {
        for (text, expected) in [
            ("$NOW", "2026-03-31T12:00:00.000Z"),
            ("$NOW(-1 day)", "2026-03-30T12:00:00.000Z"),
            ("$NOW(1)", "2026-04-01T12:00:00.000Z"),
            ("$NOW(-2.5 hours)", "2026-03-31T09:30:00.000Z"),
            ("$NOW(-1 month)", "2026-02-28T12:00:00.000Z"),
            ("$NOW(+1y)", "2027-03-31T12:00:00.000Z"),
            ("$NOW(nonsense)", "2026-03-31T12:00:00.000Z"),
            (
                "$NOW(99999999999999999999 years)",
                "2026-03-31T12:00:00.000Z",
            ),
        ] {
            assert_eq!(variables().resolve(text), Some(json!(expected)), "{text}");
        }
    }

    #[test]
    fn what_leads_nowhere_is_null() {
        let all = variables();
        assert_eq!(all.resolve("$CURRENT_ROLE"), Some(Json::Null));
        assert_eq!(all.resolve("$CURRENT_USER.nope"), Some(Json::Null));
        assert_eq!(all.resolve("$CURRENT_USER.location"), Some(json!("Bern")));
        assert_eq!(all.resolve("$CURRENT_USERNAME"), None);
        assert_eq!(all.resolve("plain"), None);
    }
}
