//! A disagreement, in as few words as it can be understood from.

use serde_json::{Map, Value as Json};

use super::decision::Decision;
use super::query::{Outcome, Query};
use super::rights::Rights;
use super::shape::Set;

/// Who asked what by which rules, and what came back instead of what.
pub(super) fn tell(
    rights: &Rights,
    decision: &Decision,
    expected: &Outcome,
    got: &Outcome,
) -> String {
    let sets = sets(decision);
    let rules = rights.rules.iter().map(|rule| {
        let mut parts = Map::new();
        for (name, part) in [
            ("filter", &rule.filter),
            ("validation", &rule.validation),
            ("presets", &rule.presets),
        ] {
            if !part.is_null() {
                parts.insert(name.to_owned(), part.clone());
            }
        }
        let (set, action, fields) = (&rule.set, &rule.action, rule.fields.join(","));
        let is_about = sets.iter().any(|about| about.wire() == set);
        let matters = is_about || action == "read";
        if matters {
            format!("    {action} {set} [{fields}] {}\n", Json::Object(parts))
        } else {
            String::new()
        }
    });
    let rules: String = rules.collect();
    let line = |outcome: &Outcome| format!("{} {} {}", outcome.status, outcome.code, outcome.meta);
    format!(
        "{}\n  roles {:?}{}\n{rules}  expected {}\n  got      {}\n{}",
        phrase(decision),
        rights.roles,
        if rights.is_admin { ", administers" } else { "" },
        line(expected),
        line(got),
        differing(&expected.data, &got.data),
    )
}

fn sets(decision: &Decision) -> Vec<Set> {
    match decision {
        Decision::List(set, ..)
        | Decision::Groups(set, ..)
        | Decision::Item(set, ..)
        | Decision::RightsOf(set, _) => vec![*set],
        _ => vec![Set::Users],
    }
}

fn phrase(decision: &Decision) -> String {
    let with =
        |what: &str, set: &Set, query: &Query| format!("{what} {} {}", set.path(), query.json());
    match decision {
        Decision::List(set, query, true) => with("search", set, query),
        Decision::List(set, query, false) => with("list", set, query),
        Decision::Groups(set, query, _) => with("group", set, query),
        Decision::Item(set, id, query) => with(&format!("read {id} of"), set, query),
        Decision::Me(query) => with("read me of", &Set::Users, query),
        other => format!("{other:?}"),
    }
}

/// Two values without what is the same in both.
pub(super) fn differing(expected: &Json, got: &Json) -> String {
    match (expected, got) {
        (Json::Array(one), Json::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            let differ = pairs.filter(|(_, (one, other))| one != other);
            let lines = differ.map(|(at, (one, other))| {
                let id = one.get("id").cloned().unwrap_or_default();
                format!("  at {at} {id}\n{}\n", differing(one, other))
            });
            lines.collect()
        }
        (Json::Object(one), Json::Object(other)) => {
            let without = |map: &Map<String, Json>, rest: &Map<String, Json>| {
                let mut left = map.clone();
                left.retain(|name, value| rest.get(name) != Some(value));
                Json::Object(left)
            };
            let (one, other) = (without(one, other), without(other, one));
            format!("    expected {one}\n    got      {other}")
        }
        (one, other) if one == other => String::new(),
        (one, other) => format!("    expected {one}\n    got      {other}"),
    }
}
