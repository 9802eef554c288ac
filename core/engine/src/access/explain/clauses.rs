//! Which parts of a rule a record passes.

use roster_domain::Result;
use roster_domain::variables::Variables;
use serde_json::{Value as Json, json};

use super::ask::Ask;
use super::{passes, understand};
use crate::Inner;
use crate::context::Context;

/// How many clauses are looked at in one explanation: each is a statement.
const MOST: usize = 100;
/// How deep.
const DEEPEST: usize = 10;

pub(super) struct Clauses<'a> {
    inner: &'a Inner,
    cx: &'a Context,
    ask: &'a Ask,
    values: Variables,
    left: usize,
}

impl<'a> Clauses<'a> {
    pub(super) const fn new(
        inner: &'a Inner,
        cx: &'a Context,
        ask: &'a Ask,
        values: Variables,
    ) -> Self {
        Self {
            inner,
            cx,
            ask,
            values,
            left: MOST,
        }
    }

    /// Whether the record passes the rule, and each of its clauses; nothing where no record is
    /// asked about.
    pub(super) async fn of(&mut self, rule: Option<&Json>) -> Result<(Option<bool>, Json)> {
        let is_open = |rule: &Json| rule.as_object().is_some_and(serde_json::Map::is_empty);
        let Some(rule) = rule.filter(|rule| !rule.is_null() && !is_open(rule)) else {
            return Ok((self.ask.key.map(|_| true), json!([])));
        };
        let mut leaves = Vec::new();
        collect(rule, "", &mut leaves);
        let mut told = Vec::with_capacity(leaves.len());
        for (path, clause) in leaves {
            let holds = self.holds(&clause).await?;
            let mut said = json!({ "path": path, "clause": clause, "holds": holds });
            let filled = self.values.fill(&clause);
            if filled != clause {
                said["means"] = filled;
            }
            told.push(said);
        }
        Ok((self.holds(rule).await?, Json::Array(told)))
    }

    async fn holds(&mut self, clause: &Json) -> Result<Option<bool>> {
        let Some(key) = self.ask.key.filter(|_| self.left > 0) else {
            return Ok(None);
        };
        self.left -= 1;
        let collection = self.ask.collection;
        // What cannot be read gives nothing.
        let Ok(filter) = understand(self.cx, &self.values, collection, clause) else {
            return Ok(Some(false));
        };
        passes(self.inner, self.cx, collection, &filter, key)
            .await
            .map(Some)
    }
}

/// The conditions on fields, with their places in the rule.
fn collect(rule: &Json, path: &str, leaves: &mut Vec<(String, Json)>) {
    let Json::Object(map) = rule else { return };
    for (name, value) in map {
        let place = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        match (name.as_str(), value) {
            ("_and" | "_or", Json::Array(parts)) if place.matches('.').count() < DEEPEST => {
                for (index, part) in parts.iter().enumerate() {
                    collect(part, &format!("{place}[{index}]"), leaves);
                }
            }
            _ => leaves.push((place, json!({ name: value }))),
        }
    }
}
