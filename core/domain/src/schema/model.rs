//! Every schema at one epoch, and how they hang together.

use std::collections::HashMap;
use std::sync::Arc;

use super::custom::{Definition, Relation};
use super::{Schema, access, log, settings, users};
use crate::field::{Link, OnDeselect};
use crate::{Collection, Field, FieldType};

/// Every schema at one epoch.
#[derive(Debug)]
pub struct Model {
    epoch: u64,
    schemas: HashMap<Collection, Arc<Schema>>,
    definitions: Vec<Definition>,
    relations: Vec<Relation>,
}

impl Model {
    /// The model of these custom fields and relations of users.
    pub fn new(
        epoch: u64,
        definitions: Vec<Definition>,
        relations: Vec<Relation>,
        statuses: &[String],
    ) -> Self {
        let mut users = users::fields();
        users.extend(definitions.iter().map(Definition::field));
        for relation in &relations {
            if let Some(field) = users.iter_mut().find(|field| field.name == relation.field) {
                field.link = Some(Link::One { to: relation.to });
            }
        }
        let mut roles = access::roles();
        for relation in &relations {
            let Some(name) = &relation.one_field else {
                continue;
            };
            // A field that is gone orders nothing.
            let is_there = |name: &&str| users.iter().any(|field| field.name == **name);
            let sort = relation.sort_field.as_deref().filter(is_there);
            let back = Field {
                is_custom: true,
                ..Field::many(
                    name,
                    Collection::Users,
                    &relation.field,
                    sort,
                    if relation.deletes {
                        OnDeselect::Delete
                    } else {
                        OnDeselect::Nullify
                    },
                )
            };
            let fields = match relation.to {
                Collection::Users => &mut users,
                Collection::Roles => &mut roles,
                _ => continue,
            };
            match fields.iter_mut().find(|field| field.name == *name) {
                // A field that was made for it beforehand, as the reference's app does.
                Some(field) if field.is_custom && field.kind == FieldType::Alias => {
                    field.link = back.link;
                }
                Some(_) => {}
                None => fields.push(back),
            }
        }
        // A list that nothing fills is not shown.
        users.retain(|field| field.kind != FieldType::Alias || field.link.is_some());
        let mut schemas = HashMap::new();
        for (collection, fields) in [
            (Collection::Users, users),
            (Collection::Roles, roles),
            (Collection::Policies, access::policies()),
            (Collection::Access, access::access()),
            (Collection::Permissions, access::permissions()),
            (Collection::Settings, settings::fields()),
            (Collection::Activity, log::activity()),
            (Collection::Revisions, log::revisions()),
            (Collection::Files, log::files()),
        ] {
            let mut schema = Schema::new(collection, epoch, fields);
            if collection == Collection::Users {
                schema.statuses = statuses.to_vec();
            }
            schemas.insert(collection, Arc::new(schema));
        }
        Self {
            epoch,
            schemas,
            definitions,
            relations,
        }
    }

    /// The built-in fields alone.
    pub fn built_in() -> Self {
        Self::new(1, Vec::new(), Vec::new(), &[])
    }

    /// Which state of the fields it shows.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The schema of a collection whose records are kept in a table; of fields, relations and
    /// collections there is none.
    pub fn schema(&self, collection: Collection) -> Option<&Arc<Schema>> {
        self.schemas.get(&collection)
    }

    /// The schema of the users collection.
    ///
    /// # Panics
    /// Never: every model has one.
    pub fn users(&self) -> &Arc<Schema> {
        &self.schemas[&Collection::Users]
    }

    /// The custom fields of users.
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// The custom relations of users.
    pub fn relations(&self) -> &[Relation] {
        &self.relations
    }
}
