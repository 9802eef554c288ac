//! What somebody counts and adds up (contract/query.md §6).

use serde_json::{Map, Value as Json, json};

use super::filter::{order, text};
use super::query::{Outcome, Query};
use super::read::{Forbidden, Reader};
use super::shape::{Kind, Set};
use super::world::Row;

impl Reader<'_> {
    /// Groups, or one for everything.
    pub(super) fn groups(&self, set: Set, query: &Query) -> Outcome {
        match self.check_groups(set, query) {
            Ok(()) => {}
            Err(Forbidden) => return Outcome::forbidden(),
        }
        let named = query.aggregate.iter().map(|(_, field)| field);
        let asked = named.chain(&query.group).filter(|field| *field != "*");
        let asked: Vec<&String> = asked.collect();
        let rows = self.world.rows(set).filter(|row| {
            let shows = |field: &&String| self.rights.shows(self.world, set, row, field);
            if asked.is_empty() {
                self.rights.sees(self.world, set, row)
            } else {
                asked.iter().any(shows)
            }
        });
        let rows: Vec<&Row> = rows.filter(|row| self.finds(set, row, query)).collect();

        let mut groups: Vec<(Vec<Json>, Vec<&Row>)> = Vec::new();
        if query.group.is_empty() {
            groups.push((Vec::new(), rows));
        } else {
            for row in rows {
                let value = |field: &String| self.eyes().value(set, Some(row), field);
                let keys: Vec<Json> = query.group.iter().map(value).collect();
                match groups.iter_mut().find(|(known, _)| *known == keys) {
                    Some((_, rows)) => rows.push(row),
                    None => groups.push((keys, vec![row])),
                }
            }
        }
        Outcome::data(
            groups
                .iter()
                .map(|(keys, rows)| self.group(set, query, keys, rows))
                .collect(),
        )
    }

    fn check_groups(&self, set: Set, query: &Query) -> Result<(), Forbidden> {
        if !self.rights.may(set, "read") {
            return Err(Forbidden);
        }
        self.may_filter(set, query.filter.as_ref().unwrap_or(&Json::Null))?;
        let named = query.aggregate.iter().map(|(_, field)| field);
        for field in named.chain(&query.group).filter(|field| *field != "*") {
            self.may_follow(set, field)?;
        }
        Ok(())
    }

    fn group(&self, set: Set, query: &Query, keys: &[Json], rows: &[&Row]) -> Json {
        let mut shown: Map<String, Json> = query
            .group
            .iter()
            .cloned()
            .zip(keys.iter().cloned())
            .collect();
        for (operation, field) in &query.aggregate {
            if field == "*" {
                shown.insert((*operation).to_owned(), json!(rows.len()));
                continue;
            }
            let kind = set.kind(field).unwrap_or(Kind::Text);
            let values = rows
                .iter()
                .map(|row| self.eyes().value(set, Some(row), field));
            let values: Vec<Json> = values.filter(|value| !value.is_null()).collect();
            let of = shown
                .entry(*operation)
                .or_insert_with(|| json!({}))
                .as_object_mut()
                .expect("an object");
            of.insert(field.clone(), operate(operation, kind, values));
        }
        Json::Object(shown)
    }
}

fn operate(operation: &str, kind: Kind, mut values: Vec<Json>) -> Json {
    values.sort_by(|one, other| order(kind, one, other));
    if operation.ends_with("Distinct") {
        values.dedup_by_key(|value| text(value));
    }
    let numbers = values.iter().filter_map(Json::as_i64);
    let (count, sum) = (values.len(), numbers.sum::<i64>());
    match operation {
        "count" | "countDistinct" => json!(count),
        "min" => values.first().cloned().unwrap_or_default(),
        "max" => values.last().cloned().unwrap_or_default(),
        _ if values.is_empty() => Json::Null,
        "sum" | "sumDistinct" => json!(sum),
        #[expect(
            clippy::cast_precision_loss,
            reason = "the numbers of worlds are small"
        )]
        _ => json!(sum as f64 / count as f64),
    }
}
