//! What the server says it would decide, beside what it decides.

use serde_json::{Value as Json, json};

use super::decision::Decision;
use super::judge::Asker;
use super::play::Stage;
use super::query::Outcome;
use super::shape::{Kind, Set};

/// An explanation that was asked for before the decision.
pub(super) struct Explained {
    ask: Json,
    said: Json,
}

impl Stage {
    /// Asks why, where the decision is about one record and rules alone.
    pub(super) async fn explained(&self, asker: &Asker, decision: &Decision) -> Option<Explained> {
        let (action, set, id, fields) = match decision {
            Decision::Item(set, id, query) if query.filter.is_none() => {
                let fields = query.fields.clone().unwrap_or_default();
                let is_own = |name: &String| {
                    let kind = set.kind(name);
                    kind.is_some_and(|kind| !matches!(kind, Kind::Many(..)))
                };
                // Patterns, paths and functions are questions of their own.
                let plain = fields.iter().all(is_own).then_some(fields)?;
                ("read", *set, id.clone(), plain)
            }
            Decision::Update(ids, row) => {
                let [id] = ids.as_slice() else { return None };
                let fields = row.keys().cloned().collect();
                ("update", Set::Users, json!(id), fields)
            }
            Decision::Delete(ids) => {
                let [id] = ids.as_slice() else { return None };
                ("delete", Set::Users, json!(id), Vec::new())
            }
            _ => return None,
        };
        let mut ask = json!({
            "action": action,
            "collection": set.wire(),
            "id": id,
            "fields": fields,
            "ip": asker.address,
        });
        match &asker.id {
            Some(id) => ask["user"] = json!(id),
            None => ask["public"] = json!(true),
        }
        let said = self.admin.post("/permissions/explain", ask.clone()).await;
        Some(Explained {
            ask,
            said: said.data(),
        })
    }
}

impl Explained {
    /// What is wrong with it, now that the decision is known.
    pub(super) fn belies(&self, got: &Outcome) -> Option<String> {
        let reason = self.said["reason"].as_str().unwrap_or_default();
        // Programs, which the askers are, need no second factor; sessions do.
        if reason.contains("second factor") {
            return None;
        }
        // Values may be refused after the rules have let the write through.
        let enforced = if got.status == 403 { "deny" } else { "allow" };
        let Self { ask, said } = self;
        (said["decision"] != enforced)
            .then(|| format!("explained otherwise than decided ({enforced}): {ask}\n{said}"))
    }
}
