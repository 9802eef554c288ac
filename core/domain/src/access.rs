//! May you: the only maker of a [`Grant`].

mod rights;

pub use rights::{Names, Rights, Rule};

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value as Json};

use crate::{Collection, Error, Filter, Principal, Reason, Result, Schema};

/// What is done to records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Action {
    Create,
    Read,
    Update,
    Delete,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Create, Self::Read, Self::Update, Self::Delete];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// The action of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

static EVERYTHING: LazyLock<Arc<Rights>> = LazyLock::new(|| {
    Arc::new(Rights {
        admin_access: true,
        app_access: true,
        ..Rights::default()
    })
});

/// Proof that an action on a collection is permitted, and its limits.
///
/// Storage takes nothing else: its filter and the visibility of its fields go into every
/// statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    rights: Arc<Rights>,
    collection: Collection,
    action: Action,
    rows: Arc<Filter>,
    limits: Option<Arc<[Rule]>>,
}

/// On which records a field may be seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Visibility {
    /// On every one that may be seen at all.
    Always,
    /// On those that pass; on the others it is null.
    When(Filter),
    /// On none.
    Never,
}

/// Whether this principal may do this at all, and how far.
///
/// # Errors
/// `FORBIDDEN`, with the same text whether the collection exists or not.
pub fn authorize(
    principal: &Principal,
    rights: &Arc<Rights>,
    action: Action,
    collection: Collection,
) -> Result<Grant> {
    let forbidden = || Error::forbidden_collection(collection.as_str());
    let grant = match principal {
        Principal::System(reason) => return Ok(Grant::system(*reason, action, collection)),
        _ if rights.is_locked => return Err(forbidden()),
        Principal::User { .. } => Grant::of(rights, action, collection),
        Principal::Public => Grant::ruled(rights, action, collection),
    };
    grant.ok_or_else(|| match rights.refusals.get(&(collection, action)) {
        Some(problem) => problem.clone().into(),
        None => forbidden(),
    })
}

impl Grant {
    fn unlimited(rights: Arc<Rights>, action: Action, collection: Collection) -> Self {
        Self {
            rights,
            collection,
            action,
            rows: Arc::new(Filter::Everything),
            limits: None,
        }
    }

    /// What rights come to; administrators have no limits but those of plugins.
    fn of(rights: &Arc<Rights>, action: Action, collection: Collection) -> Option<Self> {
        let is_limited = rights.rules.contains_key(&(collection, action));
        if rights.admin_access && !is_limited {
            return Some(Self::unlimited(Arc::clone(rights), action, collection));
        }
        Self::ruled(rights, action, collection)
    }

    fn ruled(rights: &Arc<Rights>, action: Action, collection: Collection) -> Option<Self> {
        let rules = rights.rules.get(&(collection, action))?;
        if rules.is_empty() {
            return None;
        }
        let rows = Filter::any(rules.iter().map(|rule| rule.filter.clone()));
        Some(Self {
            rights: Arc::clone(rights),
            collection,
            action,
            rows: Arc::new(rows),
            limits: Some(Arc::clone(rules)),
        })
    }

    /// A grant without limits, for the server itself. Its uses are listed by a test.
    pub fn system(_reason: Reason, action: Action, collection: Collection) -> Self {
        Self::unlimited(Arc::clone(&EVERYTHING), action, collection)
    }

    /// The collection.
    pub const fn collection(&self) -> Collection {
        self.collection
    }

    /// The action.
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Which records it reaches.
    pub fn filter(&self) -> &Filter {
        &self.rows
    }

    /// The rules behind it; nothing where it has no limits.
    pub fn rules(&self) -> Option<&[Rule]> {
        self.limits.as_deref()
    }

    /// Whether it reaches a field, if only on some records.
    pub fn allows(&self, field: &str) -> bool {
        let listed = |rules: &[Rule]| rules.iter().any(|rule| rule.fields.contains(field));
        self.limits.as_deref().is_none_or(listed)
    }

    /// On which records it reaches a field.
    pub fn visibility(&self, field: &str) -> Visibility {
        let Some(rules) = self.limits.as_deref() else {
            return Visibility::Always;
        };
        let listing = rules.iter().filter(|rule| rule.fields.contains(field));
        match Filter::any(listing.map(|rule| rule.filter.clone())) {
            Filter::Everything => Visibility::Always,
            Filter::Nothing => Visibility::Never,
            // Every record that is reached passes already.
            filter if filter == *self.rows => Visibility::Always,
            filter => Visibility::When(filter),
        }
    }

    /// The positions of the fields it reaches.
    pub fn visible(&self, schema: &Schema) -> Vec<usize> {
        let fields = schema.fields().iter().enumerate();
        fields
            .filter(|(_, field)| self.allows(&field.name))
            .map(|(index, _)| index)
            .collect()
    }

    /// The same for records of which one of these fields may be seen: who asks for other fields
    /// does not learn that a record is there.
    #[must_use]
    pub fn showing<'n>(&self, fields: impl IntoIterator<Item = &'n str>) -> Self {
        let Some(rules) = self.limits.as_deref() else {
            return self.clone();
        };
        let fields: Vec<&str> = fields.into_iter().collect();
        if fields.is_empty() {
            return self.clone();
        }
        let listing = rules
            .iter()
            .filter(|rule| fields.iter().any(|field| rule.fields.contains(field)));
        let rows = Filter::any(listing.map(|rule| rule.filter.clone()));
        Self {
            rows: Arc::new(rows),
            ..self.clone()
        }
    }

    /// The same for records on which every one of these fields may be written.
    ///
    /// # Errors
    /// `FORBIDDEN`, naming the fields that may be written on no record.
    pub fn writing<'n>(&self, fields: impl IntoIterator<Item = &'n str>) -> Result<Self> {
        let Some(rules) = self.limits.as_deref() else {
            return Ok(self.clone());
        };
        let mut rows = Filter::Everything;
        let mut bad = Vec::new();
        for field in fields {
            let listing = rules.iter().filter(|rule| rule.fields.contains(field));
            match Filter::any(listing.map(|rule| rule.filter.clone())) {
                Filter::Nothing if !self.allows(field) => bad.push(field.to_owned()),
                filter => rows = rows.and(filter),
            }
        }
        if !bad.is_empty() {
            return Err(Error::forbidden_fields(self.collection.as_str(), &bad));
        }
        // Nothing named still has to be a record that some rule reaches.
        let rows = rows.and(self.rows.as_ref().clone());
        Ok(Self {
            rows: Arc::new(rows),
            ..self.clone()
        })
    }

    /// The grant to read the records of another collection, for the same principal.
    pub fn related(&self, collection: Collection) -> Option<Self> {
        Self::of(&self.rights, Action::Read, collection)
    }

    /// What is written unless the caller says otherwise; of two rules the later wins.
    pub fn presets(&self) -> Cow<'_, Map<String, Json>> {
        let none = || Cow::Owned(Map::new());
        let Some(rules) = self.limits.as_deref() else {
            return none();
        };
        let mut presets = Map::new();
        for rule in rules {
            presets.extend(rule.presets.clone());
        }
        Cow::Owned(presets)
    }

    /// What written values have to pass: all of these.
    pub fn validations(&self) -> impl Iterator<Item = &Filter> {
        let rules = self.limits.as_deref().unwrap_or_default();
        let filters = rules.iter().map(|rule| &rule.validation);
        filters.filter(|filter| **filter != Filter::Everything)
    }

    /// Refuses unless this is a grant for that action: a read grant does not write.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn permits(&self, action: Action, collection: Collection) -> Result<()> {
        if self.action == action && self.collection == collection {
            Ok(())
        } else {
            Err(Error::forbidden_collection(collection.as_str()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use uuid::Uuid;

    use super::*;
    use crate::{Problem, UserId};

    fn user() -> Principal {
        Principal::User {
            id: UserId(Uuid::from_u128(1)),
            role: None,
            session: None,
        }
    }

    fn admin() -> Arc<Rights> {
        Arc::clone(&EVERYTHING)
    }

    fn rule(fields: &[&str], filter: Filter) -> Rule {
        Rule {
            id: None,
            policy: None,
            filter,
            fields: Names::of(fields.iter().copied()),
            validation: Filter::Everything,
            presets: Map::new(),
        }
    }

    fn reading(rules: Vec<Rule>) -> Grant {
        let rules = HashMap::from([((Collection::Users, Action::Read), rules.into())]);
        let rights = Arc::new(Rights {
            rules,
            ..Rights::default()
        });
        authorize(&user(), &rights, Action::Read, Collection::Users).expect("a grant")
    }

    #[test]
    fn nothing_is_granted_by_default() {
        let app = Arc::new(Rights {
            app_access: true,
            ..Rights::default()
        });
        let none = Arc::new(Rights::default());

        for action in Action::ALL {
            for collection in Collection::ALL {
                assert!(authorize(&Principal::Public, &none, action, collection).is_err());
                assert!(authorize(&user(), &none, action, collection).is_err());
                assert!(authorize(&user(), &app, action, collection).is_err());
            }
        }
    }

    #[test]
    fn admin_access_never_helps_the_public() {
        let read = |principal| authorize(principal, &admin(), Action::Read, Collection::Users);
        assert!(read(&Principal::Public).is_err());
        assert!(read(&user()).is_ok());
    }

    #[test]
    fn a_grant_is_good_for_its_own_action_only() {
        let grant = Grant::system(Reason::CommandLine, Action::Read, Collection::Users);
        assert!(grant.permits(Action::Read, Collection::Users).is_ok());
        assert!(grant.permits(Action::Update, Collection::Users).is_err());
    }

    #[test]
    fn narrowing_limits_everybody_and_widens_nothing() {
        let grant = |rights: &Arc<Rights>, action| {
            authorize(&user(), rights, action, Collection::Users).ok()
        };
        let own = || Filter::equals("title", "own");
        let dropped = BTreeSet::from(["email".to_owned()]);
        let mut rights = admin().as_ref().clone();
        rights.narrow(Action::Read, Collection::Users, &own(), &dropped);
        rights.narrow(Action::Create, Collection::Users, &own(), &BTreeSet::new());
        let problem = Problem::new(crate::Code::Forbidden).saying("Not now.");
        rights.refuse(Action::Delete, Collection::Users, problem.clone());
        let mut none = Rights::default();
        none.narrow(Action::Read, Collection::Users, &own(), &dropped);

        let rights = Arc::new(rights);
        let read = grant(&rights, Action::Read).expect("a grant");
        assert_eq!(read.filter(), &own());
        assert!(read.allows("id") && !read.allows("email"));
        let create = grant(&rights, Action::Create).expect("a grant");
        assert_eq!(create.filter(), &own());
        assert!(
            grant(&rights, Action::Update)
                .expect("a grant")
                .rules()
                .is_none()
        );
        let refused = authorize(&user(), &rights, Action::Delete, Collection::Users);
        assert_eq!(refused.expect_err("refused").problems(), [problem]);
        let roles = Grant::of(&rights, Action::Read, Collection::Roles).expect("a grant");
        assert_eq!(
            roles.related(Collection::Users).expect("a grant").filter(),
            &own()
        );
        assert!(grant(&Arc::new(none), Action::Read).is_none());
    }

    #[test]
    fn a_field_is_seen_where_a_rule_that_lists_it_reaches() {
        let mine = || Filter::equals("title", "mine");
        let grant = reading(vec![
            rule(&["id", "title"], Filter::Everything),
            rule(&["email"], mine()),
        ]);

        assert_eq!(grant.visibility("id"), Visibility::Always);
        assert_eq!(grant.visibility("email"), Visibility::When(mine()));
        assert_eq!(grant.visibility("password"), Visibility::Never);
        assert_eq!(grant.showing(["email"]).filter(), &mine());
        assert_eq!(
            grant.showing(["email"]).visibility("email"),
            Visibility::Always
        );
        assert!(grant.related(Collection::Roles).is_none());
    }
}
