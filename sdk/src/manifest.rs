use serde::{Deserialize, Serialize};

use crate::AuthStyle;

/// A moment in the life of a record, named `<action>.before` or `<action>.after` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Event {
    /// Before a record is made.
    #[serde(rename = "create.before")]
    BeforeCreate,
    /// Before a record is changed.
    #[serde(rename = "update.before")]
    BeforeUpdate,
    /// Before a record is removed.
    #[serde(rename = "delete.before")]
    BeforeDelete,
    /// Before a session begins, the credentials having been proved.
    #[serde(rename = "login.before")]
    BeforeLogin,
    /// After a record was made and committed.
    #[serde(rename = "create.after")]
    AfterCreate,
    /// After a record was changed and committed.
    #[serde(rename = "update.after")]
    AfterUpdate,
    /// After a record was removed and committed.
    #[serde(rename = "delete.after")]
    AfterDelete,
    /// After a session began.
    #[serde(rename = "login.after")]
    AfterLogin,
    /// While an access token is made.
    #[serde(rename = "login.claims")]
    Claims,
    /// After a login was refused.
    #[serde(rename = "login_failed.after")]
    AfterLoginFailed,
    /// After a user was locked out.
    #[serde(rename = "locked.after")]
    AfterLocked,
    /// A policy is asked. Nobody subscribes to it.
    #[serde(rename = "narrow")]
    Narrow,
    /// An auth provider is asked. Nobody subscribes to it.
    #[serde(rename = "authenticate")]
    Authenticate,
}

impl Event {
    /// Every event there is to subscribe to.
    pub const ALL: [Self; 11] = [
        Self::BeforeCreate,
        Self::BeforeUpdate,
        Self::BeforeDelete,
        Self::BeforeLogin,
        Self::AfterCreate,
        Self::AfterUpdate,
        Self::AfterDelete,
        Self::AfterLogin,
        Self::Claims,
        Self::AfterLoginFailed,
        Self::AfterLocked,
    ];

    /// The name on the wire, such as `create.before`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BeforeCreate => "create.before",
            Self::BeforeUpdate => "update.before",
            Self::BeforeDelete => "delete.before",
            Self::BeforeLogin => "login.before",
            Self::AfterCreate => "create.after",
            Self::AfterUpdate => "update.after",
            Self::AfterDelete => "delete.after",
            Self::AfterLogin => "login.after",
            Self::Claims => "login.claims",
            Self::AfterLoginFailed => "login_failed.after",
            Self::AfterLocked => "locked.after",
            Self::Narrow => "narrow",
            Self::Authenticate => "authenticate",
        }
    }

    /// The event of that name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        let others = [Self::Narrow, Self::Authenticate];
        let mut all = Self::ALL.into_iter().chain(others);
        all.find(|event| event.as_str() == name)
    }

    /// Whether the event is delivered after the commit, from the outbox.
    pub const fn is_after(self) -> bool {
        matches!(
            self,
            Self::AfterCreate
                | Self::AfterUpdate
                | Self::AfterDelete
                | Self::AfterLogin
                | Self::AfterLoginFailed
                | Self::AfterLocked
        )
    }
}

/// One event of one collection that a plugin wants to be called for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subscription {
    /// The collection, such as `users`.
    pub collection: String,
    /// The event.
    pub event: Event,
}

/// An action on a collection that a policy narrows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// `create`, `read`, `update` or `delete`; `*` is any.
    pub action: String,
    /// The collection, such as `users`; `*` is any.
    pub collection: String,
}

/// What a plugin is and what it asks for.
///
/// What it gets is the intersection with the operator's `[plugins.<name>.capabilities]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The plugin's own name, such as `slug`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The events it wants.
    #[serde(default)]
    pub subscriptions: Vec<Subscription>,
    /// The fields it wants to read. `*` stands for all that are not concealed.
    #[serde(default)]
    pub reads: Vec<String>,
    /// The fields it wants to write.
    #[serde(default)]
    pub writes: Vec<String>,
    /// How it is used as an auth provider.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authenticates: Vec<AuthStyle>,
    /// What it narrows as a policy, and is asked about; everything if it does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub narrows: Vec<Scope>,
}

impl Manifest {
    /// A manifest without any wish.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            ..Self::default()
        }
    }

    /// Asks to be called for an event of the users collection.
    #[must_use]
    pub fn on(self, event: Event) -> Self {
        self.on_collection("users", event)
    }

    /// Asks to be called for an event of some collection: `users`, `roles`, `policies`, `access`,
    /// `permissions`, `settings`, `fields` or `relations`.
    #[must_use]
    pub fn on_collection(mut self, collection: impl Into<String>, event: Event) -> Self {
        self.subscriptions.push(Subscription {
            collection: collection.into(),
            event,
        });
        self
    }

    /// Says how it is used as an auth provider.
    #[must_use]
    pub fn authenticates(mut self, style: AuthStyle) -> Self {
        self.authenticates.push(style);
        self
    }

    /// Says what it narrows as a policy: an action on a collection, `*` for any. Without a word it
    /// is asked about everything, and a request opens up to four actions on every collection.
    #[must_use]
    pub fn narrows(mut self, action: impl Into<String>, collection: impl Into<String>) -> Self {
        self.narrows.push(Scope {
            action: action.into(),
            collection: collection.into(),
        });
        self
    }

    /// Whether a policy with this manifest is asked about an action on a collection.
    pub fn is_asked_about(&self, action: &str, collection: &str) -> bool {
        let is = |said: &str, meant: &str| said == "*" || said == meant;
        let covers = |s: &Scope| is(&s.action, action) && is(&s.collection, collection);
        self.narrows.is_empty() || self.narrows.iter().any(covers)
    }

    /// Asks to read these fields.
    #[must_use]
    pub fn reads<S: Into<String>>(mut self, fields: impl IntoIterator<Item = S>) -> Self {
        self.reads.extend(fields.into_iter().map(Into::into));
        self
    }

    /// Asks to write these fields.
    #[must_use]
    pub fn writes<S: Into<String>>(mut self, fields: impl IntoIterator<Item = S>) -> Self {
        self.writes.extend(fields.into_iter().map(Into::into));
        self
    }
}
