//! What has to hold once all of a request is written, before it is committed.

use roster_domain::{Collection, Error, Key, Result, Valid, Value};
use roster_storage::{Tx, tree, users};
use uuid::Uuid;

use super::users::touches;

/// What the operations of one request touched.
#[derive(Default)]
pub(super) struct Touched {
    /// Who administers may be another.
    administration: bool,
    /// Rights may be others.
    rules: bool,
    /// Roles whose parent changed, children that were made included.
    moved: Vec<Uuid>,
}

impl Touched {
    pub(super) fn create(&mut self, collection: Collection, key: Key, valid: &Valid) {
        self.rules |= collection.is_decisive();
        self.administration |= collection == Collection::Access;
        if collection == Collection::Roles {
            self.move_role(key, valid);
        }
    }

    pub(super) fn update(&mut self, collection: Collection, key: Key, valid: &Valid) {
        self.rules |= collection.is_decisive();
        self.administration |= match collection {
            Collection::Users => touches(valid, &["status", "role"]),
            Collection::Roles => touches(valid, &["parent"]),
            Collection::Policies => touches(valid, &["admin_access", "ip_access"]),
            collection => collection == Collection::Access,
        };
        if collection == Collection::Roles {
            self.move_role(key, valid);
        }
    }

    pub(super) fn delete(&mut self, collection: Collection) {
        self.rules |= collection.is_decisive();
        self.administration |= collection.is_decisive() || collection == Collection::Users;
    }

    fn move_role(&mut self, key: Key, valid: &Valid) {
        let parent = valid.get("parent").and_then(Value::as_uuid);
        if let (Some(_), Some(role)) = (parent, key.uuid()) {
            self.moved.push(role);
        }
    }

    pub(super) async fn settle(self, tx: &mut Tx) -> Result<()> {
        for role in &self.moved {
            match tree::circle(tx, *role).await? {
                None => {}
                Some(1) => {
                    return Err(Error::invalid_payload(
                        "A role cannot be a parent of itself",
                    ));
                }
                Some(_) => {
                    return Err(Error::invalid_payload(
                        "A role cannot have a parent that is already a descendant of itself",
                    ));
                }
            }
        }
        if self.administration {
            users::keep_an_administrator(tx).await?;
        }
        if self.rules {
            roster_storage::bootstrap::raise_rules_epoch(tx).await?;
        }
        Ok(())
    }
}
