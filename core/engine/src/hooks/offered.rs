//! What is put before a hook, and what it may change of that.

use roster_domain::{Draft, Record, Result};
use roster_sdk::{Map, Value as Json};

use crate::convert::{visible, visible_draft};
use crate::registry::Placed;

/// Values that hooks are shown, each as far as it may see them.
pub(crate) trait Offered: Sync {
    /// What the plugin may see.
    fn visible(&self, slot: &Placed) -> Map<String, Json>;
}

/// Values that a hook may change before they are checked.
pub(crate) trait Changeable: Offered + Send {
    /// Whether the plugin may change the value of that name.
    fn may_change(&self, slot: &Placed, name: &str) -> bool;

    /// Takes changes over, all or none.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD` where a value cannot stand there.
    fn change(&mut self, patch: &Map<String, Json>) -> Result<()>;
}

impl Offered for Record {
    fn visible(&self, slot: &Placed) -> Map<String, Json> {
        visible(slot, &self.item)
    }
}

impl Offered for Draft {
    fn visible(&self, slot: &Placed) -> Map<String, Json> {
        visible_draft(slot, self)
    }
}

impl Changeable for Draft {
    fn may_change(&self, slot: &Placed, name: &str) -> bool {
        let field = self.schema().field(name);
        field.is_some_and(|field| slot.writes(field))
    }

    fn change(&mut self, patch: &Map<String, Json>) -> Result<()> {
        self.patch(patch)
    }
}
