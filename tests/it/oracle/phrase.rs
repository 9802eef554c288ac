//! Filters made of chance.

use roster_tests::Random;
use serde_json::{Value as Json, json};

use super::filter::intervals;
use super::make::{WRITTEN, values};
use super::rights::Rights;
use super::shape::{Kind, Set};
use super::world::World;

/// What filters are made of.
pub(super) struct Phrase<'w> {
    world: &'w World,
    /// Whose fields are named, most of the time.
    by: Option<&'w Rights>,
}

/// How many values an operator takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    One,
    List,
}

const PIECES: [&str; 10] = ["a", "A", "ä", "Ä", "b", "e", "_", "%", "Ber", "T"];

impl<'w> Phrase<'w> {
    /// Those of a rule, which may name anything.
    pub(super) const fn of_rule(world: &'w World) -> Self {
        Self { world, by: None }
    }

    /// Those of somebody who asks.
    pub(super) const fn of(world: &'w World, rights: &'w Rights) -> Self {
        Self {
            world,
            by: Some(rights),
        }
    }

    /// A field that may be named, now and then one that may not.
    pub(super) fn name(&self, random: &mut Random, set: Set) -> &'static str {
        let all = set.telling();
        let Some(rights) = self.by.filter(|_| !random.chance(3)) else {
            return random.one::<&'static str>(all);
        };
        let known = all.iter().copied();
        let named: Vec<&'static str> = known
            .filter(|name| rights.may_name(set, "read", name))
            .filter(|name| match set.kind(name) {
                Some(Kind::Many(from, _)) => rights.may(from, "read") || random.chance(3),
                _ => true,
            })
            .collect();
        if named.is_empty() {
            random.one::<&'static str>(all)
        } else {
            random.one::<&'static str>(&named)
        }
    }

    fn may_step(&self, random: &mut Random, to: Set) -> bool {
        self.by.is_none_or(|rights| rights.may(to, "read")) || random.chance(3)
    }

    /// A condition on the items of a collection.
    pub(super) fn filter(&self, random: &mut Random, set: Set, depth: usize) -> Json {
        if depth > 0 && random.chance(40) {
            let parts: Vec<Json> = (0..=random.below(3))
                .map(|_| self.filter(random, set, depth - 1))
                .collect();
            return json!({ *random.one(&["_and", "_or"]): parts });
        }
        let field = self.name(random, set);
        let kind = set.kind(field).expect("a field");
        match kind {
            Kind::One(to) if depth > 0 && random.chance(60) && self.may_step(random, to) => {
                json!({ field: self.filter(random, to, depth - 1) })
            }
            Kind::Many(from, _) => {
                if random.chance(30) {
                    let operator = *random.one(&["_eq", "_gt", "_lte", "_neq"]);
                    return json!({ format!("count({field})"): { operator: random.below(4) } });
                }
                let inner = match depth {
                    0 => json!({}),
                    depth => self.filter(random, from, depth - 1),
                };
                match random.below(5) {
                    0 if depth > 0 => json!({ field: inner }),
                    1..3 => json!({ field: {"_none": inner} }),
                    _ => json!({ field: {"_some": inner} }),
                }
            }
            Kind::Day | Kind::Moment if random.chance(20) => {
                let year = *random.one(&[1970, 1999, 2015, 2050]);
                json!({ format!("year({field})"): { *random.one(&["_eq", "_gte", "_neq"]): year } })
            }
            kind => {
                let operator = *random.one(operators(kind));
                json!({ field: { operator: self.operand(random, set, field, operator) } })
            }
        }
    }

    fn operand(&self, random: &mut Random, set: Set, field: &str, operator: &str) -> Json {
        match operator {
            "_null" | "_nnull" | "_empty" | "_nempty" => json!(random.chance(75)),
            "_in" | "_nin" => {
                if random.chance(25)
                    && let Some(variable) = variable(random, set, field, Wanted::List)
                {
                    return json!(variable);
                }
                let count = 1 + random.below(3);
                (0..count).map(|_| self.value(random, set, field)).collect()
            }
            "_between" | "_nbetween" => (0..2).map(|_| self.value(random, set, field)).collect(),
            "_eq" | "_neq" | "_lt" | "_lte" | "_gt" | "_gte" => self.value(random, set, field),
            _ => json!(*random.one(&PIECES)),
        }
    }

    /// What is compared with.
    fn value(&self, random: &mut Random, set: Set, field: &str) -> Json {
        if random.chance(25)
            && let Some(variable) = variable(random, set, field, Wanted::One)
        {
            return json!(variable);
        }
        if (set, field, self.by.is_none()) == (Set::Permissions, "id", true) {
            return json!(0);
        }
        let of = match set.kind(field) {
            Some(Kind::Id) => Some(set),
            Some(Kind::Number) if field == "id" => Some(set),
            Some(Kind::One(to)) => Some(to),
            _ => None,
        };
        let known: Vec<Json> = match of {
            Some(set) => self.world.rows(set).map(|row| row["id"].clone()).collect(),
            None => values(field),
        };
        let known: Vec<&Json> = known.iter().filter(|json| **json != json!("")).collect();
        if !known.is_empty() {
            (*random.one(&known)).clone()
        } else if of.is_some() {
            json!("01890000-0000-7000-8000-000000000000")
        } else {
            json!("Bern")
        }
    }

    /// A condition on what is written.
    pub(super) fn validation(&self, random: &mut Random) -> Json {
        if random.chance(30) {
            let parts: Vec<Json> = (0..2).map(|_| self.validation(random)).collect();
            return json!({ *random.one(&["_and", "_or"]): parts });
        }
        let field = *random.one(&WRITTEN);
        if random.chance(10) {
            return json!({ field: {"_submitted": random.chance(80)} });
        }
        let kind = Set::Users.kind(field).expect("a field");
        let operator = *random.one(operators(kind));
        let operand = match operator {
            "_null" | "_nnull" | "_empty" | "_nempty" => json!(true),
            _ => self.operand(random, Set::Users, field, operator),
        };
        json!({ field: { operator: operand } })
    }
}

/// A variable that a field can be compared with.
fn variable(random: &mut Random, set: Set, field: &str, wanted: Wanted) -> Option<String> {
    let fixed: &[&str] = match (set.kind(field)?, set, field) {
        (Kind::Day | Kind::Moment, ..) if wanted == Wanted::One => {
            let all: Vec<&str> = intervals().collect();
            return Some(format!("$NOW{}", random.one(&all)));
        }
        (Kind::Id, Set::Users, _) | (Kind::One(Set::Users), ..) => match wanted {
            Wanted::One => &[
                "$CURRENT_USER",
                "$CURRENT_USER.x_boss",
                "$CURRENT_USER.x_boss.x_boss",
            ],
            Wanted::List => &["$CURRENT_USER"],
        },
        (Kind::Id, Set::Roles, _) | (Kind::One(Set::Roles), ..) => match wanted {
            Wanted::One => &[
                "$CURRENT_ROLE",
                "$CURRENT_USER.role",
                "$CURRENT_ROLE.parent",
            ],
            Wanted::List => &["$CURRENT_ROLES", "$CURRENT_ROLE"],
        },
        (Kind::Id, Set::Policies, _) | (Kind::One(Set::Policies), ..) if wanted == Wanted::List => {
            &["$CURRENT_POLICIES"]
        }
        (Kind::Text, ..) => match wanted {
            Wanted::One => &[
                "$CURRENT_USER.title",
                "$CURRENT_USER.location",
                "$CURRENT_USER.first_name",
                "$CURRENT_ROLE.name",
                "$CURRENT_USER.role.name",
                "$CURRENT_USER.x_boss.title",
            ],
            Wanted::List => &["$CURRENT_ROLES.name", "$CURRENT_POLICIES.name"],
        },
        (Kind::Number, ..) if field == "x_int" && wanted == Wanted::One => &["$CURRENT_USER.x_int"],
        _ => return None,
    };
    Some((*random.one(fixed)).to_owned())
}

/// What a kind of field can be asked.
fn operators(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Text => &[
            "_eq",
            "_neq",
            "_in",
            "_nin",
            "_null",
            "_nnull",
            "_empty",
            "_nempty",
            "_contains",
            "_ncontains",
            "_icontains",
            "_starts_with",
            "_nstarts_with",
            "_istarts_with",
            "_nistarts_with",
            "_ends_with",
            "_nends_with",
            "_iends_with",
        ],
        Kind::List => &[
            "_null",
            "_nnull",
            "_empty",
            "_nempty",
            "_contains",
            "_icontains",
        ],
        Kind::Number | Kind::Day | Kind::Moment => &[
            "_eq",
            "_neq",
            "_in",
            "_nin",
            "_null",
            "_nnull",
            "_lt",
            "_lte",
            "_gt",
            "_gte",
            "_between",
            "_nbetween",
        ],
        Kind::Flag => &["_eq", "_neq", "_null", "_nnull"],
        Kind::Json => &["_null", "_nnull"],
        Kind::Secret => &["_null", "_nnull", "_empty", "_nempty"],
        Kind::Id | Kind::One(_) | Kind::Many(..) => {
            &["_eq", "_eq", "_in", "_neq", "_nin", "_null", "_nnull"]
        }
    }
}
