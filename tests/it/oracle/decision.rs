//! What somebody asks for or does, made of chance.

use roster_tests::Random;
use serde_json::{Map, Value as Json, json};

use super::make::{WRITTEN, values};
use super::phrase::Phrase;
use super::query::Query;
use super::rights::Rights;
use super::shape::{Kind, Set};
use super::world::{Row, World};

/// One request.
#[derive(Debug, Clone)]
pub(super) enum Decision {
    /// A list, by `SEARCH` or in the address.
    List(Set, Query, bool),
    /// Groups and sums, by `SEARCH` or in the address.
    Groups(Set, Query, bool),
    /// One item.
    Item(Set, Json, Query),
    /// Themselves.
    Me(Query),
    /// A new user.
    Create(Row),
    /// New values for users; one by their path, several by their keys.
    Update(Vec<String>, Row),
    /// New values for the users who pass a filter.
    UpdateBy(Json, Row),
    /// New values for themselves.
    UpdateMe(Row),
    /// Users go.
    Delete(Vec<String>),
    /// What may be done to an item.
    RightsOf(Set, Json),
    /// The flags of somebody.
    Globals,
    /// The roles of somebody.
    MyRoles,
}

/// What decisions are drawn from.
pub(super) struct Draw<'w> {
    pub(super) world: &'w World,
    pub(super) rights: &'w Rights,
    pub(super) random: &'w mut Random,
}

impl Draw<'_> {
    /// The next request.
    pub(super) fn decision(&mut self) -> Decision {
        let set = self.set();
        match self.random.below(100) {
            46..60 => Decision::Groups(set, self.groups(set), self.random.chance(50)),
            60..70 => {
                let (id, mut query) = (self.id(set), self.fields(set));
                if self.random.chance(15) {
                    query.filter = Some(self.filter(set, 1));
                }
                Decision::Item(set, id, query)
            }
            70..74 => Decision::Me(self.fields(Set::Users)),
            74..81 if self.tries("create") => Decision::Create(self.body("create")),
            81..83 if self.tries("update") => {
                let filter = self.filter(Set::Users, 1);
                Decision::UpdateBy(filter, self.body("update"))
            }
            83..91 if self.tries("update") => {
                let count = if self.random.chance(75) { 1 } else { 2 };
                let ids = self.users("update", count);
                Decision::Update(ids, self.body("update"))
            }
            91..93 if self.tries("update") => Decision::UpdateMe(self.body("update")),
            93..95 if self.tries("delete") => {
                let count = if self.random.chance(70) { 1 } else { 2 };
                Decision::Delete(self.users("delete", count))
            }
            95..98 => Decision::RightsOf(set, self.id(set)),
            98 => Decision::MyRoles,
            99 => Decision::Globals,
            _ => Decision::List(set, self.query(set), self.random.chance(50)),
        }
    }

    /// Whether something is tried: most of the time only by those who may.
    fn tries(&mut self, action: &str) -> bool {
        self.rights.may(Set::Users, action) || self.random.chance(20)
    }

    fn set(&mut self) -> Set {
        let set = match self.random.below(100) {
            0..62 => Set::Users,
            62..82 => Set::Roles,
            82..90 => Set::Policies,
            90..96 => Set::Access,
            _ => Set::Permissions,
        };
        if self.rights.may(set, "read") || self.random.chance(10) {
            return set;
        }
        let mut open = Set::ALL.into_iter();
        open.find(|set| self.rights.may(*set, "read"))
            .unwrap_or(Set::Users)
    }

    fn name(&mut self, set: Set) -> &'static str {
        Phrase::of(self.world, self.rights).name(self.random, set)
    }

    fn filter(&mut self, set: Set, depth: usize) -> Json {
        Phrase::of(self.world, self.rights).filter(self.random, set, depth)
    }

    /// A key, most of the time one that is there.
    fn id(&mut self, set: Set) -> Json {
        let ids: Vec<Json> = self.world.rows(set).map(|row| row["id"].clone()).collect();
        match set {
            _ if !ids.is_empty() && !self.random.chance(8) => self.random.one(&ids).clone(),
            Set::Permissions => json!(2_000_000_000),
            _ => json!("01890000-0000-7000-8000-000000000000"),
        }
    }

    /// Users to change, most of the time such as may be changed. Those who administer are out of
    /// reach for reasons of their own.
    fn users(&mut self, action: &str, count: usize) -> Vec<String> {
        let is_free = self.rights.is_admin && action == "update";
        let is_out = |row: &Row| !is_free && self.world.administers(row);
        let rows: Vec<&Row> = self
            .world
            .rows(Set::Users)
            .filter(|row| !is_out(row))
            .collect();
        let applies = |row: &&&Row| {
            let by = (Set::Users, action);
            self.rights.covers(self.world, by, row, |_| true)
        };
        let open: Vec<&Row> = rows.iter().filter(applies).copied().collect();
        let mut ids: Vec<String> = Vec::new();
        for _ in 0..count {
            let from = if open.is_empty() || self.random.chance(25) {
                &rows
            } else {
                &open
            };
            if from.is_empty() {
                continue;
            }
            let id = self.random.one(from)["id"].as_str().unwrap_or_default();
            if !ids.iter().any(|known| known == id) {
                ids.push(id.to_owned());
            }
        }
        if ids.is_empty() {
            ids.push("01890000-0000-7000-8000-000000000000".to_owned());
        }
        ids
    }

    /// Values for a user, most of the time such as may be written.
    fn body(&mut self, action: &str) -> Row {
        let may = |name: &&&str| self.rights.may_name(Set::Users, action, name);
        let open: Vec<&str> = WRITTEN.iter().filter(may).copied().collect();
        let mut body = Map::new();
        for _ in 0..=self.random.below(3) {
            let name = if open.is_empty() || self.random.chance(6) {
                *self.random.one(&WRITTEN)
            } else {
                *self.random.one(&open)
            };
            let mut known = values(name);
            if name == "x_boss" {
                known = self
                    .world
                    .rows(Set::Users)
                    .map(|row| row["id"].clone())
                    .collect();
            }
            known.push(Json::Null);
            body.insert(name.to_owned(), self.random.one(&known).clone());
        }
        body
    }

    /// Which fields are asked for.
    fn fields(&mut self, set: Set) -> Query {
        if self.random.chance(30) {
            return Query::default();
        }
        let mut fields: Vec<String> = Vec::new();
        for _ in 0..=self.random.below(4) {
            let name = self.name(set);
            fields.push(match self.random.below(100) {
                0..8 => "*".to_owned(),
                8..55 => match set.kind(name) {
                    Some(Kind::One(to) | Kind::Many(to, _)) => {
                        let below = match self.random.below(4) {
                            0 => "*".to_owned(),
                            1 => self.deeper(to),
                            _ => self.name(to).to_owned(),
                        };
                        format!("{name}.{below}")
                    }
                    _ => name.to_owned(),
                },
                _ => name.to_owned(),
            });
        }
        if self.random.chance(40) {
            fields.push("id".to_owned());
        }
        if !self.random.chance(10) {
            fields.retain(|field| self.may_ask(set, field));
        }
        fields.sort();
        fields.dedup();
        let fields = Some(fields).filter(|fields| !fields.is_empty());
        Query {
            fields,
            ..Query::default()
        }
    }

    fn may_ask(&self, set: Set, path: &str) -> bool {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        match set.kind(name) {
            None => name == "*",
            Some(_) if !self.rights.may_name(set, "read", name) => false,
            Some(Kind::One(to) | Kind::Many(to, _)) if !rest.is_empty() => {
                !self.rights.may(to, "read") || self.may_ask(to, rest)
            }
            _ => true,
        }
    }

    fn deeper(&mut self, set: Set) -> String {
        let name = self.name(set);
        match set.kind(name) {
            Some(Kind::One(to) | Kind::Many(to, _)) => format!("{name}.{}", self.name(to)),
            _ => name.to_owned(),
        }
    }

    fn query(&mut self, set: Set) -> Query {
        let mut query = self.fields(set);
        if self.random.chance(65) {
            query.filter = Some(self.filter(set, 2));
        }
        if self.random.chance(18) {
            let texts = [
                "a", "ADA", "bern", "cto", "7", "ünï", "%", "_b", "active", "e", "directus",
                " red ",
            ];
            query.search = Some((*self.random.one(&texts)).to_owned());
            if self.random.chance(20) {
                query.search = self.id(set).as_str().map(ToOwned::to_owned);
            }
        }
        if self.random.chance(45) {
            for _ in 0..=self.random.below(2) {
                if let Some(key) = self.sort_key(set) {
                    query.sort.push(key);
                }
            }
        }
        if self.random.chance(25) {
            query.limit = Some(1 + self.random.below(5));
            query.offset = self.random.below(4);
        }
        query.has_meta = self.random.chance(25);
        query
    }

    fn sort_key(&mut self, set: Set) -> Option<String> {
        let name = self.name(set);
        let path = match set.kind(name)? {
            Kind::One(to) if self.random.chance(60) && self.rights.may(to, "read") => {
                let next = self.name(to);
                is_ordered(to, next).then(|| format!("{name}.{next}"))?
            }
            _ => is_ordered(set, name).then(|| name.to_owned())?,
        };
        Some(if self.random.chance(40) {
            format!("-{path}")
        } else {
            path
        })
    }

    fn groups(&mut self, set: Set) -> Query {
        let mut query = Query::default();
        if self.random.chance(50) {
            query.filter = Some(self.filter(set, 1));
        }
        if self.random.chance(10) {
            query.search = Some("a".to_owned());
        }
        for _ in 0..self.random.below(3) {
            let name = self.name(set);
            if is_ordered(set, name) && !query.group.iter().any(|known| known == name) {
                query.group.push(name.to_owned());
            }
        }
        if self.random.chance(40) {
            query.aggregate.push(("count", "*".to_owned()));
        }
        if self.random.chance(70) {
            for _ in 0..=self.random.below(2) {
                let name = self.name(set);
                let number = set.kind(name) == Some(Kind::Number);
                let operation = match self.random.below(6) {
                    0..2 if query.aggregate.is_empty() => "count",
                    2 => "countDistinct",
                    _ if number => *self
                        .random
                        .one(&["sum", "avg", "min", "max", "sumDistinct"]),
                    3 => "min",
                    _ => "max",
                };
                let is_fit = match set.kind(name) {
                    Some(Kind::Flag | Kind::Id | Kind::One(_)) => operation.starts_with("count"),
                    _ => is_ordered(set, name),
                };
                let entry = (operation, name.to_owned());
                if is_fit && !query.aggregate.contains(&entry) {
                    query.aggregate.push(entry);
                }
            }
        }
        if query.aggregate.is_empty() && query.group.is_empty() {
            query.aggregate.push(("count", "*".to_owned()));
        }
        query
    }
}

/// Whether values of a field follow one another.
fn is_ordered(set: Set, field: &str) -> bool {
    !matches!(
        set.kind(field),
        None | Some(Kind::Json | Kind::List | Kind::Secret | Kind::Many(..))
    )
}
