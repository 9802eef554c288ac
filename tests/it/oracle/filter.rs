//! A filter, judged on one item after the other.

use std::cmp::Ordering;

use serde_json::{Map, Value as Json, json};

use super::rights::Rights;
use super::shape::{Kind, Set};
use super::world::{Row, World};

/// Who looks at the items of a world.
#[derive(Clone, Copy)]
pub(super) struct Eyes<'w> {
    pub(super) world: &'w World,
    pub(super) rights: &'w Rights,
    /// Whether they see everything, as rules do.
    is_wide: bool,
}

/// The moments that worlds know for `$NOW`; no item holds one that is near to it.
const MOMENTS: [(&str, &str); 6] = [
    ("", "2026-01-01T00:00:00.000Z"),
    ("(-1 day)", "2026-01-01T00:00:00.000Z"),
    ("(+2.5 hours)", "2026-01-01T00:00:00.000Z"),
    ("(-20 years)", "2006-01-01T00:00:00.000Z"),
    ("(-600 months)", "1976-01-01T00:00:00.000Z"),
    ("(+50 years)", "2076-01-01T00:00:00.000Z"),
];

/// What `$NOW` with an interval stands for.
pub(super) fn moment(interval: &str) -> &'static str {
    let known = MOMENTS.iter().find(|(text, _)| *text == interval);
    known.expect("an interval of the worlds").1
}

/// The intervals that worlds use.
pub(super) fn intervals() -> impl Iterator<Item = &'static str> {
    MOMENTS.iter().map(|(text, _)| *text)
}

impl<'w> Eyes<'w> {
    /// Those of somebody: what they may not see is null.
    pub(super) const fn of(world: &'w World, rights: &'w Rights) -> Self {
        Self {
            world,
            rights,
            is_wide: false,
        }
    }

    /// Those of a rule: it sees everything.
    pub(super) const fn wide(world: &'w World, rights: &'w Rights) -> Self {
        Self {
            world,
            rights,
            is_wide: true,
        }
    }

    /// Whether a field of an item is seen.
    pub(super) fn shows(&self, set: Set, row: &Row, field: &str) -> bool {
        self.is_wide || self.rights.shows(self.world, set, row, field)
    }

    /// What a field of an item holds; null where it is hidden or there is no item.
    pub(super) fn value(&self, set: Set, row: Option<&Row>, field: &str) -> Json {
        let shown = row.filter(|row| self.shows(set, row, field));
        shown
            .and_then(|row| row.get(field))
            .cloned()
            .unwrap_or_default()
    }

    /// The item that a field leads to.
    pub(super) fn one(
        &self,
        set: Set,
        row: Option<&Row>,
        field: &str,
    ) -> Option<(Set, Option<&'w Row>)> {
        let Some(Kind::One(to)) = set.kind(field) else {
            return None;
        };
        Some((to, self.world.row(to, &self.value(set, row, field))))
    }

    /// The items of a list; nothing where it or what is in it is hidden, or
    /// where there is no item.
    pub(super) fn many(&self, set: Set, row: Option<&Row>, field: &str) -> Option<Vec<&'w Row>> {
        let Some(Kind::Many(from, _)) = set.kind(field) else {
            return None;
        };
        let is_open = self.is_wide || self.rights.may(from, "read");
        let row = row.filter(|row| is_open && self.shows(set, row, field))?;
        let mut rows = self.world.many(set, field, row);
        rows.retain(|row| self.is_wide || self.rights.sees(self.world, from, row));
        if from == Set::Access {
            rows.sort_by_key(|row| self.value(from, Some(row), "sort").as_i64());
        }
        Some(rows)
    }

    /// The value that a path such as `role.name` ends at.
    pub(super) fn at(&self, set: Set, row: &Row, path: &str) -> Json {
        let mut here = (set, Some(row));
        let mut names: Vec<&str> = path.split('.').collect();
        let last = names.pop().unwrap_or_default();
        for name in names {
            here = match self.one(here.0, here.1, name) {
                Some((set, row)) => (set, row),
                None => return Json::Null,
            };
        }
        self.value(here.0, here.1, last)
    }

    /// Whether an item passes a filter.
    pub(super) fn passes(&self, set: Set, row: Option<&Row>, filter: &Json) -> bool {
        let Json::Object(map) = filter else {
            return true;
        };
        map.iter().all(|(name, json)| match (name.as_str(), json) {
            ("_and", Json::Array(parts)) => parts.iter().all(|part| self.passes(set, row, part)),
            ("_or", Json::Array(parts)) => {
                parts.is_empty() || parts.iter().any(|part| self.passes(set, row, part))
            }
            (name, json) => self.entry(set, row, name, json),
        })
    }

    /// What a text stands for, if it is a variable: for a rule whatever there is, for somebody who
    /// asks what they see of it.
    pub(super) fn variable(&self, text: &str) -> Option<Json> {
        if let Some(rest) = text.strip_prefix("$NOW") {
            return Some(json!(moment(rest)));
        }
        let rights = self.rights;
        let (root, path) = text.split_once('.').unwrap_or((text, ""));
        let (set, keys, is_list) = match root {
            "$CURRENT_USER" => (Set::Users, Vec::from_iter(rights.user.clone()), false),
            "$CURRENT_ROLE" => (Set::Roles, Vec::from_iter(rights.role.clone()), false),
            "$CURRENT_ROLES" => (Set::Roles, rights.roles.clone(), true),
            "$CURRENT_POLICIES" => (Set::Policies, rights.policies.clone(), true),
            _ => return None,
        };
        let mut values: Vec<Json> = keys.into_iter().map(Json::from).collect();
        if !path.is_empty() {
            let rows = values.iter().filter_map(|id| self.world.row(set, id));
            values = rows.map(|row| self.at(set, row, path)).collect();
        }
        values.retain(|value| !value.is_null());
        Some(if is_list {
            Json::Array(values)
        } else {
            values.pop().unwrap_or_default()
        })
    }

    fn entry(&self, set: Set, row: Option<&Row>, name: &str, json: &Json) -> bool {
        if let Some((function, rest)) = name.split_once('(') {
            let field = rest.trim_end_matches(')');
            let number = match function {
                "count" => json!(self.many(set, row, field).map(|list| list.len())),
                _ => year(&self.value(set, row, field)),
            };
            return self.tests(Kind::Number, &number, json);
        }
        match (set.kind(name), json) {
            (Some(Kind::One(_)), Json::Object(map)) => {
                let is_test = |key: &str| key.starts_with('_') && key != "_and" && key != "_or";
                let (tests, nested): (Map<_, _>, Map<_, _>) =
                    map.clone().into_iter().partition(|(key, _)| is_test(key));
                let (to, next) = self.one(set, row, name).expect("a relation");
                self.tests(Kind::Id, &self.value(set, row, name), &Json::Object(tests))
                    && self.passes(to, next, &Json::Object(nested))
            }
            (Some(Kind::Many(from, _)), Json::Object(map)) => {
                let some = |filter: &Json| {
                    let list = self.many(set, row, name).unwrap_or_default();
                    list.iter().any(|row| self.passes(from, Some(row), filter))
                };
                match (map.get("_some"), map.get("_none")) {
                    (None, None) => some(json),
                    (one, none) => one.is_none_or(some) && none.is_none_or(|none| !some(none)),
                }
            }
            (Some(kind), json) => self.tests(kind, &self.value(set, row, name), json),
            (None, _) => false,
        }
    }

    fn tests(&self, kind: Kind, value: &Json, json: &Json) -> bool {
        match json {
            Json::Object(map) => map
                .iter()
                .all(|(operator, operand)| self.test(kind, value, operator, operand)),
            operand => self.test(kind, value, "_eq", operand),
        }
    }

    /// Whether a value passes one test.
    pub(super) fn test(&self, kind: Kind, value: &Json, operator: &str, operand: &Json) -> bool {
        let known = |text: &str| self.variable(text);
        let operand = match operand {
            Json::String(text) => match known(text) {
                Some(Json::Null) => return false,
                Some(Json::Array(list)) if list.is_empty() => return false,
                Some(other) => other,
                None => operand.clone(),
            },
            Json::Array(list) => list
                .iter()
                .map(|item| {
                    item.as_str()
                        .and_then(known)
                        .unwrap_or_else(|| item.clone())
                })
                .filter(|item| !item.is_null())
                .collect(),
            other => other.clone(),
        };
        judge(kind, value, operator, &operand)
    }
}

fn year(value: &Json) -> Json {
    let text = value.as_str().and_then(|text| text.get(..4));
    text.and_then(|text| text.parse::<i64>().ok())
        .map_or(Json::Null, Json::from)
}

fn list(operand: &Json) -> Vec<Json> {
    match operand {
        Json::Array(items) => items.clone(),
        other => vec![other.clone()],
    }
}

/// Values as they follow one another; null is the first.
pub(super) fn order(kind: Kind, one: &Json, other: &Json) -> Ordering {
    let nothing = (one.is_null(), other.is_null());
    if nothing.0 || nothing.1 {
        return nothing.1.cmp(&nothing.0);
    }
    match kind {
        Kind::Number => one.as_i64().cmp(&other.as_i64()),
        Kind::Flag => one.as_bool().cmp(&other.as_bool()),
        Kind::Day => text(one).get(..10).cmp(&text(other).get(..10)),
        _ => text(one).cmp(&text(other)),
    }
}

/// A value as text: lists have commas between their elements.
pub(super) fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn judge(kind: Kind, value: &Json, operator: &str, operand: &Json) -> bool {
    let applies = operand != &Json::Bool(false);
    let is_empty = value.is_null() || text(value).is_empty();
    match operator {
        "_null" => return value.is_null() == applies,
        "_nnull" => return value.is_null() != applies,
        "_empty" => return is_empty == applies,
        "_nempty" => return is_empty != applies,
        "_eq" if operand.is_null() => return value.is_null(),
        "_neq" if operand.is_null() => return !value.is_null(),
        _ => {}
    }
    if value.is_null() {
        return false;
    }
    let against = |operand: &Json| order(kind, value, operand);
    let operands = list(operand);
    match operator {
        "_eq" => against(operand).is_eq(),
        "_neq" => against(operand).is_ne(),
        "_lt" => against(operand).is_lt(),
        "_lte" => against(operand).is_le(),
        "_gt" => against(operand).is_gt(),
        "_gte" => against(operand).is_ge(),
        "_in" => operands.iter().any(|operand| against(operand).is_eq()),
        "_nin" => operands.iter().all(|operand| against(operand).is_ne()),
        // A range that begins or ends with a variable that stands for nothing has nothing in it.
        "_between" | "_nbetween" if operands.len() < 2 => false,
        "_between" => against(&operands[0]).is_ge() && against(&operands[1]).is_le(),
        "_nbetween" => against(&operands[0]).is_lt() || against(&operands[1]).is_gt(),
        pattern => has(&text(value), pattern, &text(operand)),
    }
}

/// `_contains` and its like; `n` before the name denies, `i` does not care for case.
fn has(value: &str, operator: &str, piece: &str) -> bool {
    let name = operator.trim_start_matches('_');
    let (is_denied, name) = match name.strip_prefix('n') {
        Some(rest) => (true, rest),
        None => (false, name),
    };
    let (value, piece, name) = match name.strip_prefix('i') {
        Some(rest) => (value.to_lowercase(), piece.to_lowercase(), rest),
        None => (value.to_owned(), piece.to_owned(), name),
    };
    let has = match name {
        "contains" => value.contains(&piece),
        "starts_with" => value.starts_with(&piece),
        "ends_with" => value.ends_with(&piece),
        other => panic!("`{other}` is no operator"),
    };
    has != is_denied
}
