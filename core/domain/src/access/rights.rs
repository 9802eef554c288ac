//! What the policies of a principal come to.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::Action;
use crate::{Collection, Filter, Problem};

/// Names of fields, or all there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// All there are.
    All,
    /// These.
    Some(BTreeSet<String>),
    /// All but these.
    AllBut(BTreeSet<String>),
}

impl Names {
    /// Reads a rule's list: names, or `*` among them.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let names: BTreeSet<String> = names.into_iter().map(ToOwned::to_owned).collect();
        if names.contains("*") {
            Self::All
        } else {
            Self::Some(names)
        }
    }

    /// Whether the name is among them.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(names) => names.contains(name),
            Self::AllBut(names) => !names.contains(name),
        }
    }

    /// The same without these.
    fn without(&self, dropped: &BTreeSet<String>) -> Self {
        match self {
            Self::All if dropped.is_empty() => Self::All,
            Self::All => Self::AllBut(dropped.clone()),
            Self::Some(names) => Self::Some(names - dropped),
            Self::AllBut(names) => Self::AllBut(names | dropped),
        }
    }
}

/// One permission, its variables replaced by what they stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its number; nothing for one that is built in.
    pub id: Option<i64>,
    /// The policy it belongs to.
    pub policy: Option<Uuid>,
    /// Which records. Of those that are made, what they have to be: plugins alone say that.
    pub filter: Filter,
    /// Which of their fields.
    pub fields: Names,
    /// What written values have to pass.
    pub validation: Filter,
    /// What is written unless the caller says otherwise.
    pub presets: Map<String, Json>,
}

impl Rule {
    /// One that limits nothing.
    fn everything() -> Self {
        Self {
            id: None,
            policy: None,
            filter: Filter::Everything,
            fields: Names::All,
            validation: Filter::Everything,
            presets: Map::new(),
        }
    }
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the wire or of a session"
)]
/// What the policies of a principal come to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rights {
    /// Everything is allowed.
    pub admin_access: bool,
    /// The app may be used.
    pub app_access: bool,
    /// A second factor is needed.
    pub enforce_tfa: bool,
    /// It is needed and not set up: nothing is allowed until it is.
    pub is_locked: bool,
    /// Whether values of records decided too, such as that of `$CURRENT_USER.location`.
    pub is_derived: bool,
    /// The role and its ancestors, the root first.
    pub roles: Vec<Uuid>,
    /// The policies that hold, in their order.
    pub policies: Vec<Uuid>,
    /// The rules, by what they are about. Administrators have some only where plugins limit them.
    pub rules: HashMap<(Collection, Action), Arc<[Rule]>>,
    /// What plugins refuse, and how they say so.
    pub refusals: HashMap<(Collection, Action), Problem>,
}

impl Rights {
    /// Whether something is permitted before any record is looked at.
    pub fn is_open(&self, action: Action, collection: Collection) -> bool {
        let rules = self.rules.get(&(collection, action));
        rules.map_or(self.admin_access, |rules| !rules.is_empty())
    }

    /// Permits an action no further than to records that pass a filter, and without some fields. It
    /// never widens. New records have to pass the filter as they will be.
    pub fn narrow(
        &mut self,
        action: Action,
        collection: Collection,
        filter: &Filter,
        dropped: &BTreeSet<String>,
    ) {
        if !self.is_open(action, collection) {
            return;
        }
        let everything = [Rule::everything()];
        let rules = self.rules.get(&(collection, action));
        let rules = rules.map_or(&everything[..], |rules| rules.as_ref());
        let narrowed = rules.iter().map(|rule| Rule {
            filter: rule.filter.clone().and(filter.clone()),
            fields: rule.fields.without(dropped),
            ..rule.clone()
        });
        let narrowed = narrowed.collect();
        self.rules.insert((collection, action), narrowed);
    }

    /// Permits an action no more, and says why.
    pub fn refuse(&mut self, action: Action, collection: Collection, problem: Problem) {
        self.rules.insert((collection, action), Arc::new([]));
        self.refusals.insert((collection, action), problem);
    }
}
