//! What is said of a field or a relation: what bodies carry, hooks see, and revisions keep.

use roster_domain::field::describe;
use roster_domain::schema::{Definition, Relation};
use roster_domain::{Collection, Error, Result};
use roster_sdk::Event;
use roster_storage::Tx;
use serde_json::{Map, Value as Json, json};

use super::META;
use crate::Inner;
use crate::context::Context;
use crate::convert::Occasion;
use crate::hooks::{AfterPayload, Changeable, Offered};
use crate::registry::Placed;
use crate::write::{Change, Outcome, Subject, record, tell};

const USERS: &str = Collection::Users.as_str();

const FIELD: [&str; 5] = ["collection", "field", "type", "schema", "meta"];
const RELATION: [&str; 5] = [
    "collection",
    "field",
    "related_collection",
    "schema",
    "meta",
];
/// What makes up the key: it stays as the caller has it.
const KEY: [&str; 2] = ["collection", "field"];

/// What is said of a field of users, or of the relation it holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    collection: Collection,
    values: Map<String, Json>,
}

impl Said {
    /// What it is made of; nothing for a collection of records.
    pub(crate) const fn names(collection: Collection) -> Option<&'static [&'static str]> {
        match collection {
            Collection::Fields => Some(&FIELD),
            Collection::Relations => Some(&RELATION),
            _ => None,
        }
    }

    /// What the body of a new one says.
    pub(super) fn created(collection: Collection, field: &str, body: &Map<String, Json>) -> Self {
        let mut said = Self::changed(collection, body);
        said.put("collection", USERS);
        said.put("field", field);
        said
    }

    /// What the body of a change says.
    pub(super) fn changed(collection: Collection, body: &Map<String, Json>) -> Self {
        let names = Self::names(collection).unwrap_or_default();
        let given = names.iter().filter(|name| !KEY.contains(name));
        let given = given.filter_map(|name| Some(((*name).to_owned(), body.get(*name)?.clone())));
        Self {
            collection,
            values: given.collect(),
        }
    }

    /// What is said of a field that is there.
    pub(super) fn field(definition: &Definition) -> Self {
        let meta = definition.meta.as_ref().map(|meta| {
            let names = META.into_iter().filter(|name| *name != "system");
            let value = |name: &str| meta.get(name).cloned().unwrap_or_default();
            let all = names.map(|name| (name.to_owned(), value(name)));
            all.collect::<Map<_, _>>()
        });
        let values = [
            ("collection", json!(USERS)),
            ("field", json!(definition.field)),
            ("type", json!(definition.kind.as_str())),
            ("schema", json!(definition.schema)),
            ("meta", json!(meta)),
        ];
        Self::of(Collection::Fields, values)
    }

    /// What is said of a relation that is there.
    pub(super) fn relation(relation: &Relation) -> Self {
        let on_deselect = if relation.deletes {
            "delete"
        } else {
            "nullify"
        };
        let meta = json!({
            "one_field": relation.one_field,
            "sort_field": relation.sort_field,
            "one_deselect_action": on_deselect,
        });
        let values = [
            ("collection", json!(USERS)),
            ("field", json!(relation.field)),
            ("related_collection", json!(relation.to.as_str())),
            ("schema", json!({"on_delete": relation.on_delete.as_str()})),
            ("meta", meta),
        ];
        Self::of(Collection::Relations, values)
    }

    fn of(collection: Collection, values: [(&str, Json); 5]) -> Self {
        let values = values.map(|(name, json)| (name.to_owned(), json));
        Self {
            collection,
            values: values.into_iter().collect(),
        }
    }

    fn put(&mut self, name: &str, text: &str) {
        self.values.insert(name.to_owned(), text.into());
    }

    /// Whether it is of a field or of a relation.
    pub(super) const fn collection(&self) -> Collection {
        self.collection
    }

    /// Its values.
    pub(super) const fn values(&self) -> &Map<String, Json> {
        &self.values
    }

    /// What it names: what a change carries.
    pub(super) fn carried(&self) -> Vec<String> {
        self.values.keys().cloned().collect()
    }

    /// Notes that it was made, changed or removed, and tells whoever subscribes, in the transaction
    /// of that. Whether there is something to deliver.
    pub(super) async fn note(
        self,
        inner: &Inner,
        tx: &mut Tx,
        cx: &Context,
        event: Event,
        changed: Vec<String>,
    ) -> Result<bool> {
        let collection = self.collection;
        let field = self.values.get("field").and_then(Json::as_str);
        let item = item(field.unwrap_or_default());
        let (action, is_there) = match event {
            Event::AfterCreate => ("create", true),
            Event::AfterDelete => ("delete", false),
            _ => ("update", true),
        };
        let change = Change {
            collection,
            action,
            item: item.clone(),
            actor: None,
            revision: is_there.then(|| (&self.values, self.values.clone())),
            outcome: Outcome::Success,
            detail: None,
        };
        record(tx, cx, change).await?;
        let subject = Subject::Named(item);
        tell(inner, tx, cx, collection, event, subject, |occasion| {
            self.payload(occasion, changed)
        })
        .await
    }

    fn payload(self, occasion: Occasion, changed: Vec<String>) -> AfterPayload {
        AfterPayload {
            changed,
            ..AfterPayload::of(occasion, self.values)
        }
    }
}

/// The id of a field of users, and of the relation it holds: `directus_users.<field>`.
pub(super) fn item(field: &str) -> String {
    format!("{USERS}.{field}")
}

impl Offered for Said {
    fn visible(&self, slot: &Placed) -> Map<String, Json> {
        let seen = self
            .values
            .iter()
            .filter(|(name, _)| slot.reads_named(name));
        seen.map(|(name, json)| (name.clone(), json.clone()))
            .collect()
    }
}

impl Changeable for Said {
    fn may_change(&self, slot: &Placed, name: &str) -> bool {
        let names = Self::names(self.collection).unwrap_or_default();
        names.contains(&name) && !KEY.contains(&name) && slot.writes_named(name)
    }

    fn change(&mut self, patch: &Map<String, Json>) -> Result<()> {
        for (name, json) in patch {
            let (fits, expected) = match name.as_str() {
                "schema" | "meta" => (json.is_object() || json.is_null(), "an object"),
                _ => (json.is_string() || json.is_null(), "a string"),
            };
            if !fits {
                let got = describe(json);
                return Err(Error::invalid_payload(format!(
                    "field `{name}`: expected {expected}, got {got}"
                )));
            }
        }
        self.values.extend(patch.clone());
        Ok(())
    }
}
