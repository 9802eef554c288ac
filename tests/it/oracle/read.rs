//! What somebody reads (contract/access-control.md §4).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::filter::{Eyes, order};
use super::query::{Outcome, Query};
use super::rights::Rights;
use super::shape::{Kind, Set};
use super::world::{Row, World};

/// A name that somebody may not use.
#[derive(Debug)]
pub(super) struct Forbidden;

/// The fields of one level that are asked for, and those of the levels below.
#[derive(Debug, Default)]
pub(super) struct Pick {
    names: BTreeSet<String>,
    nested: BTreeMap<String, (Set, Pick)>,
}

/// Somebody who reads.
pub(super) struct Reader<'w> {
    pub(super) world: &'w World,
    pub(super) rights: &'w Rights,
}

impl<'w> Reader<'w> {
    pub(super) const fn eyes(&self) -> Eyes<'w> {
        Eyes::of(self.world, self.rights)
    }

    fn named(&self, set: Set, name: &str) -> Result<Kind, Forbidden> {
        let is_named = self.rights.may_name(set, "read", name);
        set.kind(name).filter(|_| is_named).ok_or(Forbidden)
    }

    /// What paths such as `*`, `title` and `role.name` ask for.
    pub(super) fn pick(&self, set: Set, paths: &[String]) -> Result<Pick, Forbidden> {
        let mut pick = Pick::default();
        let mut below: BTreeMap<String, (Set, Vec<String>)> = BTreeMap::new();
        for path in paths {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            if name == "*" {
                let is_there = |name: &&str| match set.kind(name) {
                    Some(Kind::Many(from, _)) => self.rights.may(from, "read"),
                    _ => true,
                };
                let names = self.rights.named(set, "read").into_iter().filter(is_there);
                pick.names.extend(names.map(ToOwned::to_owned));
                continue;
            }
            match self.named(set, name)? {
                Kind::One(to) | Kind::Many(to, _) if !rest.is_empty() => {
                    if self.rights.may(to, "read") {
                        let entry = below.entry(name.to_owned()).or_insert((to, Vec::new()));
                        entry.1.push(rest.to_owned());
                    }
                }
                Kind::Many(from, _) if !self.rights.may(from, "read") => {}
                _ if rest.is_empty() => drop(pick.names.insert(name.to_owned())),
                _ => return Err(Forbidden),
            }
        }
        for (name, (to, paths)) in below {
            let nested = self.pick(to, &paths)?;
            pick.nested.insert(name, (to, nested));
        }
        Ok(pick)
    }

    /// Whether an item is among those that a pick asks for: a rule that grants one of its fields
    /// applies to it.
    fn is_asked_for(&self, set: Set, row: &Row, pick: &Pick) -> bool {
        let mut asked = pick.names.iter().chain(pick.nested.keys()).peekable();
        if asked.peek().is_none() {
            return self.rights.sees(self.world, set, row);
        }
        asked.any(|name| self.rights.shows(self.world, set, row, name))
    }

    /// An item as they see it.
    fn show(&self, set: Set, row: &'w Row, pick: &Pick) -> Json {
        if pick.names.is_empty() && pick.nested.is_empty() {
            return row["id"].clone();
        }
        let eyes = self.eyes();
        let mut shown = Map::new();
        for name in &pick.names {
            let value = match set.kind(name) {
                Some(Kind::Many(..)) => {
                    let keys = |rows: Vec<&Row>| rows.iter().map(|row| row["id"].clone()).collect();
                    eyes.many(set, Some(row), name).map_or(Json::Null, keys)
                }
                _ => eyes.value(set, Some(row), name),
            };
            shown.insert(name.clone(), value);
        }
        for (name, (to, pick)) in &pick.nested {
            let asked = |row: &&'w Row| self.is_asked_for(*to, row, pick);
            let value = if let Some(Kind::Many(..)) = set.kind(name) {
                let rows = eyes.many(set, Some(row), name);
                let rows = rows.map(|rows| rows.into_iter().filter(asked));
                let shown = rows.map(|rows| rows.map(|row| self.show(*to, row, pick)));
                shown.map_or(Json::Null, Iterator::collect)
            } else {
                let next = eyes.one(set, Some(row), name).and_then(|(_, next)| next);
                let next = next.filter(asked);
                next.map_or(Json::Null, |row| self.show(*to, row, pick))
            };
            shown.insert(name.clone(), value);
        }
        Json::Object(shown)
    }

    /// Whether every name in a filter may be used.
    pub(super) fn may_filter(&self, set: Set, filter: &Json) -> Result<(), Forbidden> {
        let Json::Object(map) = filter else {
            return Ok(());
        };
        for (name, json) in map {
            if name == "_and" || name == "_or" {
                for part in json.as_array().into_iter().flatten() {
                    self.may_filter(set, part)?;
                }
                continue;
            }
            if name.starts_with('_') {
                continue;
            }
            let field = name.split_once('(').map_or(name.as_str(), |(_, rest)| rest);
            match self.named(set, field.trim_end_matches(')'))? {
                Kind::One(to) => self.nested(to, json)?,
                Kind::Many(from, _) => {
                    if name.contains('(') {
                        continue;
                    }
                    if !self.rights.may(from, "read") {
                        return Err(Forbidden);
                    }
                    let parts = ["_some", "_none"].map(|key| json.get(key));
                    if parts.iter().all(Option::is_none) {
                        self.nested(from, json)?;
                    }
                    for part in parts.into_iter().flatten() {
                        self.nested(from, part)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn nested(&self, set: Set, filter: &Json) -> Result<(), Forbidden> {
        self.may_filter(set, filter)
    }

    /// Whether a path such as `role.name` may be used.
    pub(super) fn may_follow(&self, set: Set, path: &str) -> Result<(), Forbidden> {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        match self.named(set, name)? {
            Kind::One(to) if !rest.is_empty() => self.may_follow(to, rest),
            _ => Ok(()),
        }
    }

    /// Whether an item passes filter and search.
    pub(super) fn finds(&self, set: Set, row: &Row, query: &Query) -> bool {
        let filter = query.filter.as_ref().unwrap_or(&Json::Null);
        let is_among = |ids: &Vec<String>| ids.iter().any(|id| row["id"] == **id);
        query.only.as_ref().is_none_or(is_among)
            && self.eyes().passes(set, Some(row), filter)
            && query
                .search
                .as_ref()
                .is_none_or(|text| self.matches(set, row, text))
    }

    /// Whether a text is found in what they see of an item (contract/query.md §5).
    fn matches(&self, set: Set, row: &Row, text: &str) -> bool {
        let text = text.trim().to_lowercase();
        let fields = set.fields().iter();
        let mut seen = fields.filter(|(name, _)| self.rights.may_name(set, "read", name));
        !text.is_empty()
            && seen.any(|(name, kind)| {
                let value = self.eyes().value(set, Some(row), name);
                match (kind, &value) {
                    // The contract says nothing of lists; their elements are text.
                    (Kind::Text | Kind::List, value) if !value.is_null() => {
                        super::filter::text(value).to_lowercase().contains(&text)
                    }
                    (Kind::Id | Kind::One(_), Json::String(value)) => *value == text,
                    (Kind::Number, Json::Number(value)) => {
                        text.parse::<i64>().ok() == value.as_i64()
                    }
                    _ => false,
                }
            })
    }

    fn compare(&self, set: Set, sort: &[String], one: &Row, other: &Row) -> Ordering {
        for key in sort {
            let (path, is_down) = match key.strip_prefix('-') {
                Some(path) => (path, true),
                None => (key.as_str(), false),
            };
            let value = |row: &Row| self.eyes().at(set, row, path);
            let by = order(kind_at(set, path), &value(one), &value(other));
            let by = if is_down { by.reverse() } else { by };
            if by.is_ne() {
                return by;
            }
        }
        super::world::key(&one["id"]).cmp(&super::world::key(&other["id"]))
    }

    fn check(&self, set: Set, query: &Query) -> Result<Pick, Forbidden> {
        if !self.rights.may(set, "read") {
            return Err(Forbidden);
        }
        let all = vec!["*".to_owned()];
        let pick = self.pick(set, query.fields.as_ref().unwrap_or(&all))?;
        self.may_filter(set, query.filter.as_ref().unwrap_or(&Json::Null))?;
        for key in &query.sort {
            self.may_follow(set, key.trim_start_matches('-'))?;
        }
        Ok(pick)
    }

    /// A list.
    pub(super) fn list(&self, set: Set, query: &Query) -> Outcome {
        let pick = match self.check(set, query) {
            Ok(pick) => pick,
            Err(Forbidden) => return Outcome::forbidden(),
        };
        let all = self.world.rows(set);
        let readable: Vec<&Row> = all
            .filter(|row| self.rights.sees(self.world, set, row))
            .collect();
        let found = readable.iter().filter(|row| self.finds(set, row, query));
        let found: Vec<&Row> = found.copied().collect();
        let mut rows: Vec<&Row> = found
            .iter()
            .copied()
            .filter(|row| self.is_asked_for(set, row, &pick))
            .collect();
        rows.sort_by(|one, other| self.compare(set, &query.sort, one, other));
        let page = rows.into_iter().skip(query.offset);
        let page = page.take(query.limit.unwrap_or(100));
        let mut outcome = Outcome::data(page.map(|row| self.show(set, row, &pick)).collect());
        if query.has_meta {
            outcome.meta = json!({"total_count": readable.len(), "filter_count": found.len()});
        }
        outcome
    }

    /// One item by its key.
    pub(super) fn item(&self, set: Set, id: &Json, query: &Query) -> Outcome {
        let Ok(pick) = self.check(set, query) else {
            return Outcome::forbidden();
        };
        let row = self.world.row(set, id);
        let row = row.filter(|row| self.is_asked_for(set, row, &pick));
        match row.filter(|row| self.finds(set, row, query)) {
            Some(row) => Outcome::data(self.show(set, row, &pick)),
            None => Outcome::forbidden(),
        }
    }

    /// Themselves.
    pub(super) fn me(&self, query: &Query) -> Outcome {
        let Some(id) = &self.rights.user else {
            return Outcome::refused(401, "INVALID_CREDENTIALS");
        };
        if self.rights.may(Set::Users, "read") {
            self.item(Set::Users, &json!(id), query)
        } else {
            Outcome::data(json!({ "id": id }))
        }
    }
}

/// What a path ends at.
pub(super) fn kind_at(set: Set, path: &str) -> Kind {
    match path.split_once('.') {
        Some((name, rest)) => match set.kind(name) {
            Some(Kind::One(to)) => kind_at(to, rest),
            _ => Kind::Text,
        },
        None => set.kind(path).unwrap_or(Kind::Text),
    }
}
