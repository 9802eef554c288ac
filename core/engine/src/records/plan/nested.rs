//! Records inside of records: those that stand for a key, and those of a list.

use std::collections::BTreeSet;

use roster_domain::error::field as problem;
use roster_domain::field::{Link, OnDeselect, describe};
use roster_domain::{Action, Collection, Error, Field, Key, Result, Schema};
use serde_json::{Value as Json, json};

use super::super::read::{load, schema};
use super::{Body, Plan, below};
use crate::access;

impl Plan<'_> {
    /// Records that stand where a key is expected: they are made or changed first.
    pub(super) async fn ones(
        &mut self,
        schema: &Schema,
        own: &mut Body,
        path: &[String],
    ) -> Result<()> {
        for field in schema.fields() {
            let (Some(to), Some(Json::Object(map))) = (field.leads_to(), own.get(&field.name))
            else {
                continue;
            };
            let nested = Json::Object(map.clone());
            let below = below(path, &field.name);
            let given = map.get("id").filter(|id| !id.is_null()).cloned();
            let key = match given {
                Some(id) => {
                    let related = super::super::read::schema(self.cx, to)?;
                    let key = related.key(&id).ok_or_else(Error::forbidden)?;
                    if map.len() > 1 {
                        self.update(to, key, &nested, None, &below).await?;
                    }
                    Some(key)
                }
                None => self.create(to, &nested, None, &below).await?,
            };
            let key = key.ok_or_else(|| wrong(field, &nested))?;
            own.insert(field.name.clone(), key.value().to_json());
        }
        Ok(())
    }

    /// Records that are listed in a body: they are made, changed or taken out afterwards.
    pub(super) async fn lists(
        &mut self,
        schema: &Schema,
        owner: Key,
        lists: Vec<(String, Json)>,
        is_new: bool,
        path: &[String],
    ) -> Result<()> {
        for (name, json) in lists {
            let Some(field) = schema.field(&name) else {
                continue;
            };
            let below = below(path, &name);
            match &json {
                Json::Array(items) => {
                    self.replace(field, owner, items, is_new, &below).await?;
                }
                Json::Object(map) => self.apply(field, owner, map, &below).await?,
                other => return Err(wrong(field, other)),
            }
        }
        Ok(())
    }

    /// `[…]`: the whole list; what is not in it is taken out.
    pub(super) async fn replace(
        &mut self,
        field: &Field,
        owner: Key,
        items: &[Json],
        is_new: bool,
        path: &[String],
    ) -> Result<()> {
        let (from, back, on_deselect) = many(field)?;
        let present = if is_new {
            Vec::new()
        } else {
            self.related(from, back, owner).await?
        };
        let mut kept = BTreeSet::new();
        for item in items {
            let id = if item.is_object() {
                item.get("id")
            } else {
                Some(item)
            };
            let key = match id.filter(|id| !id.is_null()) {
                None => None,
                Some(id) => {
                    let key = schema(self.cx, from)?.key(id);
                    Some(key.ok_or_else(Error::forbidden)?)
                }
            };
            let Some(key) = key else {
                self.create(from, item, Some((back, owner)), path).await?;
                continue;
            };
            kept.insert(key);
            let empty = json!({});
            let body = if item.is_object() { item } else { &empty };
            let is_listed = present.contains(&key);
            if is_listed && !item.is_object() {
                continue;
            }
            self.update(from, key, body, Some((back, owner)), path)
                .await?;
        }
        for key in present.into_iter().filter(|key| !kept.contains(key)) {
            self.deselect(from, back, on_deselect, key, path).await?;
        }
        Ok(())
    }

    /// `{create, update, delete}`: only what is said.
    pub(super) async fn apply(
        &mut self,
        field: &Field,
        owner: Key,
        map: &Body,
        path: &[String],
    ) -> Result<()> {
        let (from, back, on_deselect) = many(field)?;
        if let Some(stranger) = map
            .keys()
            .find(|key| !matches!(key.as_str(), "create" | "update" | "delete"))
        {
            return Err(Error::invalid_payload(format!(
                "Invalid one-to-many update structure: \"{stranger}\" is not allowed"
            )));
        }
        let list = |name: &str| match map.get(name) {
            None | Some(Json::Null) => Ok(Vec::new()),
            Some(Json::Array(items)) => Ok(items.clone()),
            Some(_) => Err(Error::invalid_payload(format!(
                "Invalid one-to-many update structure: \"{name}\" must be an array"
            ))),
        };
        let (creates, updates, deletes) = (list("create")?, list("update")?, list("delete")?);
        for item in &creates {
            self.create(from, item, Some((back, owner)), path).await?;
        }
        for item in &updates {
            let id = item.get("id").ok_or_else(|| {
                Error::invalid_payload("Invalid one-to-many update structure: \"id\" is required")
            })?;
            let key = schema(self.cx, from)?.key(id);
            let key = key.ok_or_else(Error::forbidden)?;
            self.update(from, key, item, Some((back, owner)), path)
                .await?;
        }
        let present = if deletes.is_empty() {
            Vec::new()
        } else {
            self.related(from, back, owner).await?
        };
        for id in &deletes {
            let key = schema(self.cx, from)?.key(id);
            let key = key.ok_or_else(Error::forbidden)?;
            if !present.contains(&key) {
                return Err(Error::forbidden());
            }
            self.deselect(from, back, on_deselect, key, path).await?;
        }
        Ok(())
    }

    pub(super) async fn deselect(
        &mut self,
        from: Collection,
        back: &str,
        on_deselect: OnDeselect,
        key: Key,
        path: &[String],
    ) -> Result<()> {
        match on_deselect {
            OnDeselect::Nullify => {
                let body = json!({ back: null });
                self.update(from, key, &body, None, path).await
            }
            OnDeselect::Delete => {
                let grant = access::grant(self.cx, Action::Delete, from)?;
                let stored = load(self.inner, self.cx, &grant, &[key]).await?;
                for stored in stored {
                    self.remove(grant.clone(), key, stored, path).await?;
                }
                Ok(())
            }
        }
    }
}

fn many(field: &Field) -> Result<(Collection, &str, OnDeselect)> {
    match &field.link {
        Some(Link::Many {
            from,
            field,
            on_deselect,
            ..
        }) => Ok((*from, field, *on_deselect)),
        _ => Err(Error::internal(format!(
            "field `{}` is no list",
            field.name
        ))),
    }
}

fn wrong(field: &Field, json: &Json) -> Error {
    problem::wrong_type(
        &field.name,
        "records of the related collection",
        describe(json),
    )
    .into()
}
