//! What becomes of a write (contract/access-control.md §5 and §6).

use serde_json::{Map, Value as Json, json};

use super::filter::Eyes;
use super::query::{Outcome, Query};
use super::read::Reader;
use super::rights::{Rights, Rule};
use super::shape::{Kind, Set};
use super::world::{Row, World};

/// What ends a write before anything is written.
#[derive(Debug)]
pub(super) enum Stop {
    /// An answer to the client.
    Refused(Outcome),
    /// The contract leaves the order of presets open.
    Open,
}

/// What a new user holds where nothing is said.
const DEFAULTS: [(&str, &str); 4] = [
    ("status", "\"active\""),
    ("provider", "\"default\""),
    ("email_notifications", "true"),
    ("text_direction", "\"auto\""),
];

/// Somebody who writes users.
pub(super) struct Writer<'w> {
    pub(super) world: &'w World,
    pub(super) rights: &'w Rights,
}

impl Writer<'_> {
    /// What is stored of a new user.
    pub(super) fn create(&self, body: &Row) -> Result<Row, Stop> {
        let sent = self.sent("create", body)?;
        let default = |(name, text): (&str, &str)| {
            let json = serde_json::from_str(text).expect("JSON");
            (name.to_owned(), json)
        };
        let mut row: Row = Set::Users
            .fields()
            .iter()
            .filter(|(_, kind)| !matches!(kind, Kind::Many(..)))
            .map(|(name, _)| ((*name).to_owned(), Json::Null))
            .collect();
        let mut judged: Row = DEFAULTS.into_iter().map(default).collect();
        judged.extend(sent);
        self.validate("create", &judged)?;
        row.extend(judged);
        Ok(row)
    }

    /// What is stored of these users.
    pub(super) fn update(&self, ids: &[String], body: &Row) -> Result<Row, Stop> {
        let sent = self.sent("update", body)?;
        for id in ids {
            let Some(row) = self.world.user(id) else {
                return Err(refuse());
            };
            let covers = |name: &String| {
                let by = |rule: &Rule| rule.names(name);
                self.rights
                    .covers(self.world, (Set::Users, "update"), row, by)
            };
            let is_target = self
                .rights
                .covers(self.world, (Set::Users, "update"), row, |_| true);
            if !is_target || !body.keys().all(covers) {
                return Err(refuse());
            }
        }
        self.validate("update", &sent)?;
        Ok(sent)
    }

    /// Whether all of these users are removed.
    pub(super) fn delete(&self, ids: &[String]) -> Result<(), Stop> {
        let removes = |id: &String| {
            let row = self.world.user(id)?;
            let action = (Set::Users, "delete");
            Some(self.rights.covers(self.world, action, row, |_| true))
        };
        if ids.iter().all(|id| removes(id) == Some(true)) {
            Ok(())
        } else {
            Err(refuse())
        }
    }

    /// The values that were sent, and the presets where nothing was.
    fn sent(&self, action: &str, body: &Row) -> Result<Row, Stop> {
        let may_name = |name: &String| self.rights.may_name(Set::Users, action, name);
        if !self.rights.may(Set::Users, action) || !body.keys().all(may_name) {
            return Err(refuse());
        }
        if self.rights.is_admin {
            return Ok(body.clone());
        }
        let presets: Vec<Row> = self
            .rights
            .rules(Set::Users, action)
            .filter_map(|rule| rule.presets.as_object().cloned())
            .collect();
        let merged =
            |rows: &mut dyn Iterator<Item = &Row>| -> Row { rows.flat_map(Clone::clone).collect() };
        let mut row = merged(&mut presets.iter());
        let is_open = self.rights.has_rivals && row != merged(&mut presets.iter().rev());
        let is_decided = |name: &String| body.contains_key(name);
        if is_open && !row.keys().all(is_decided) {
            return Err(Stop::Open);
        }
        let eyes = Eyes::wide(self.world, self.rights);
        for value in row.values_mut() {
            if let Some(known) = value.as_str().and_then(|text| eyes.variable(text)) {
                *value = known;
            }
        }
        row.extend(body.clone());
        Ok(row)
    }

    fn validate(&self, action: &str, sent: &Row) -> Result<(), Stop> {
        let mut rules = self.rights.rules(Set::Users, action);
        let is_valid = |rule: &Rule| self.agrees(&rule.validation, sent);
        if self.rights.is_admin || rules.all(is_valid) {
            return Ok(());
        }
        let refused = Outcome::refused(400, "FAILED_VALIDATION");
        Err(Stop::Refused(refused))
    }

    /// Whether what is sent agrees with a rule; what is not sent is not judged.
    fn agrees(&self, rule: &Json, sent: &Row) -> bool {
        let Json::Object(map) = rule else {
            return true;
        };
        map.iter().all(|(name, json)| match (name.as_str(), json) {
            ("_and", Json::Array(parts)) => parts.iter().all(|part| self.agrees(part, sent)),
            ("_or", Json::Array(parts)) => {
                parts.is_empty() || parts.iter().any(|part| self.agrees(part, sent))
            }
            (name, json) => {
                let none = Map::new();
                let tests = json.as_object().unwrap_or(&none);
                tests.iter().all(
                    |(operator, operand)| match (operator.as_str(), sent.get(name)) {
                        ("_submitted", value) => value.is_some() == (operand == true),
                        (_, None) => true,
                        (operator, Some(value)) => {
                            let kind = Set::Users.kind(name).expect("a field");
                            let eyes = Eyes::wide(self.world, self.rights);
                            eyes.test(kind, value, operator, operand)
                        }
                    },
                )
            }
        })
    }
}

fn refuse() -> Stop {
    Stop::Refused(Outcome::forbidden())
}

/// What `/permissions/me/:collection/:id` says of an item.
pub(super) fn rights_of_item(world: &World, rights: &Rights, set: Set, id: &Json) -> Outcome {
    if rights.user.is_none() {
        return Outcome::forbidden();
    }
    let may = |action| {
        let row = world.row(set, id);
        let covered = row.is_some_and(|row| rights.covers(world, (set, action), row, |_| true));
        json!({ "access": rights.is_admin || covered })
    };
    // There is nothing to share; who administers may do all there will ever be.
    let share = json!({ "access": rights.is_admin });
    Outcome::data(json!({"update": may("update"), "delete": may("delete"), "share": share}))
}

/// What `/policies/me/globals` says.
pub(super) fn globals(rights: &Rights) -> Outcome {
    Outcome::data(match rights.user {
        None => json!({"app_access": false}),
        Some(_) => json!({
            "app_access": rights.has_app, "admin_access": rights.is_admin, "enforce_tfa": false,
        }),
    })
}

/// What `/roles/me` says.
pub(super) fn my_roles(reader: &Reader<'_>) -> Outcome {
    let rights = reader.rights;
    if rights.user.is_none() {
        return Outcome::forbidden();
    }
    let roles = rights.roles.iter();
    let query = Query::default();
    Outcome::data(if rights.may(Set::Roles, "read") {
        roles
            .map(|id| reader.item(Set::Roles, &json!(id), &query))
            .filter(|read| read.status == 200)
            .map(|read| read.data)
            .collect()
    } else {
        roles.map(|id| json!({ "id": id })).collect()
    })
}
