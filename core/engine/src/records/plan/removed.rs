//! What follows from a removal for the records that point at the removed one.

use futures_util::future::BoxFuture;
use roster_domain::error::field as problem;
use roster_domain::schema::{OnDelete, Stage};
use roster_domain::{Action, Collection, Draft, Filter, Grant, Key, Query, Reason, Record, Result};
use roster_storage::records;
use serde_json::{Value as Json, json};

use super::super::read::{load, schema};
use super::{Plan, What, check_depth};

impl Plan<'_> {
    pub(super) fn remove<'p>(
        &'p mut self,
        grant: Grant,
        key: Key,
        stored: Record,
        path: &'p [String],
    ) -> BoxFuture<'p, Result<()>> {
        Box::pin(async move {
            let collection = grant.collection();
            if !self.removed.insert((collection, key)) {
                return Ok(());
            }
            check_depth(path)?;
            for (field, change) in self.built_in_consequences(collection) {
                let from = if field == "parent" {
                    Collection::Roles
                } else {
                    Collection::Users
                };
                self.consequence(from, field, key, &change, path).await?;
            }
            for relation in self.cx.model.relations().to_vec() {
                if relation.to != collection {
                    continue;
                }
                let pointing = self
                    .related(Collection::Users, &relation.field, key)
                    .await?;
                match relation.on_delete {
                    OnDelete::Refuse => {
                        let staying = self.staying(Collection::Users, pointing, path).await?;
                        if !staying.is_empty() {
                            let name = collection.as_str();
                            let json = Some(key.value().to_json());
                            return Err(problem::foreign_key(name, "id", json).into());
                        }
                    }
                    OnDelete::SetNull => {
                        let change = json!({ relation.field.clone(): null });
                        self.consequence(Collection::Users, &relation.field, key, &change, path)
                            .await?;
                    }
                    OnDelete::Cascade => {
                        let delete =
                            Grant::system(Reason::Consequence, Action::Delete, Collection::Users);
                        let stored = load(self.inner, self.cx, &delete, &pointing).await?;
                        for (key, stored) in pointing.into_iter().zip(stored) {
                            self.remove(delete.clone(), key, stored, path).await?;
                        }
                    }
                }
            }
            self.push(grant, Some(key), What::Delete(Box::new(stored)), path)
        })
    }

    /// What becomes of the records that point at a removed one by a built-in field.
    pub(super) fn built_in_consequences(
        &self,
        collection: Collection,
    ) -> Vec<(&'static str, Json)> {
        match collection {
            Collection::Roles => {
                let users = if self.inner.settings.roles.suspends {
                    json!({"role": null, "status": "suspended"})
                } else {
                    json!({"role": null})
                };
                vec![("role", users), ("parent", json!({"parent": null}))]
            }
            Collection::Files => vec![("avatar", json!({"avatar": null}))],
            _ => Vec::new(),
        }
    }

    /// A change that follows from a removal, whoever the caller is.
    pub(super) async fn consequence(
        &mut self,
        collection: Collection,
        field: &str,
        key: Key,
        change: &Json,
        path: &[String],
    ) -> Result<()> {
        let pointing = self.related(collection, field, key).await?;
        let staying = self.staying(collection, pointing, path).await?;
        let grant = Grant::system(Reason::Consequence, Action::Update, collection);
        let stored = load(self.inner, self.cx, &grant, &staying).await?;
        let schema = std::sync::Arc::clone(schema(self.cx, collection)?);
        for (key, stored) in staying.into_iter().zip(stored) {
            let draft = Draft::parse(&schema, Stage::Update, change)?;
            let what = What::Update(Box::new(stored), draft);
            self.push(grant.clone(), Some(key), what, path)?;
        }
        Ok(())
    }

    /// Those of the records that are not removed as well. Those that are go first, so that nothing
    /// is changed that goes anyway.
    async fn staying(
        &mut self,
        collection: Collection,
        mut keys: Vec<Key>,
        path: &[String],
    ) -> Result<Vec<Key>> {
        for key in &keys {
            if let Some((grant, stored)) = self.doomed.remove(&(collection, *key)) {
                self.remove(grant, *key, stored, path).await?;
            }
        }
        keys.retain(|key| !self.removed.contains(&(collection, *key)));
        Ok(keys)
    }

    /// The records whose field holds a key.
    pub(super) async fn related(
        &self,
        collection: Collection,
        field: &str,
        key: Key,
    ) -> Result<Vec<Key>> {
        let grant = Grant::system(Reason::Consequence, Action::Read, collection);
        let filter = Filter::equals(field, key.value());
        let query = Query::keys(schema(self.cx, collection)?, &grant, filter);
        records::find(&self.inner.store, &self.cx.model, &query).await
    }
}
