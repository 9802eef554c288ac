//! What changes of roles, policies, rules and users would change for whom: they are made as they
//! would be, looked at, and undone.

use std::collections::{BTreeMap, BTreeSet};

use roster_domain::{Collection, Error, Key, Result};
use roster_storage::unguarded::{KeptRule, Standing};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::explain;
use crate::Inner;
use crate::context::Context;
use crate::records::read::schema;
use crate::records::write::{self, Trial};

/// How many changes are tried together.
const MOST: usize = 100;
/// How many users of a role are named.
const NAMED: usize = 20;

/// Says who would gain or lose what.
pub(crate) async fn simulate(inner: &Inner, cx: &Context, body: &Json) -> Result<Json> {
    explain::permit(cx, None)?;
    let trials = trials(cx, body)?;
    let users: Vec<Uuid> = trials.iter().filter_map(Trial::user).collect();
    let (before, after) = write::attempt(inner, cx, &trials, &users).await?;
    let (before, after) = (World::of(&before), World::of(&after));
    let mut told = Vec::new();
    for who in World::subjects(&before, &after) {
        let (was, is) = (before.access(who), after.access(who));
        if was == is {
            continue;
        }
        let mut said = json!({
            "gains": difference(&is, &was),
            "loses": difference(&was, &is),
        });
        for flag in ["admin_access", "app_access", "enforce_tfa"] {
            let (was, is) = (was.flag(flag), is.flag(flag));
            if was != is {
                said[flag] = json!({ "before": was, "after": is });
            }
        }
        after.name(&before, who, &mut said);
        if let Who::Role(Some(role)) = who {
            said["sample"] = sample(inner, cx, role).await?;
        }
        told.push(said);
    }
    Ok(json!({ "changes": trials.len(), "affected": told }))
}

/// Some active users of a role, as the caller may see them.
async fn sample(inner: &Inner, cx: &Context, role: Uuid) -> Result<Json> {
    let filter = json!({ "role": { "_eq": role }, "status": { "_eq": "active" } });
    let asked = roster_domain::query::Parameters::from_iter([
        ("fields".to_owned(), json!(["id"])),
        ("limit".to_owned(), json!(NAMED)),
        ("filter".to_owned(), filter),
    ]);
    let list = crate::records::read::list(inner, cx, Collection::Users, &asked).await?;
    let users = serde_json::to_value(&list.items).map_err(Error::internal)?;
    let ids = users.as_array().into_iter().flatten();
    Ok(ids.map(|user| user["id"].clone()).collect())
}

/// Reads the changes.
fn trials(cx: &Context, body: &Json) -> Result<Vec<Trial>> {
    let changes = body.get("changes").and_then(Json::as_array);
    let changes = changes.filter(|changes| (1..=MOST).contains(&changes.len()));
    let changes = changes.ok_or_else(|| {
        Error::invalid_payload(format!("\"changes\" must be an array of 1 to {MOST}"))
    })?;
    changes
        .iter()
        .enumerate()
        .map(|(index, change)| trial(cx, change).map_err(|error| error.at_item(index)))
        .collect()
}

fn trial(cx: &Context, change: &Json) -> Result<Trial> {
    use Collection::{Access, Permissions, Policies, Roles, Users};
    let text = |name: &str| change.get(name).and_then(Json::as_str);
    let collection = text("collection").and_then(Collection::parse);
    let collection = collection
        .filter(|collection| [Users, Roles, Policies, Access, Permissions].contains(collection))
        .ok_or_else(|| {
            Error::invalid_payload("\"collection\" must be one of [directus_users, directus_roles, directus_policies, directus_access, directus_permissions]")
        })?;
    let data = || {
        let data = change.get("data").filter(|data| data.is_object()).cloned();
        data.ok_or_else(|| Error::invalid_payload("\"data\" must be an object"))
    };
    let key = || {
        let id = change.get("id").unwrap_or(&Json::Null);
        let key = schema(cx, collection)?.key(id);
        key.ok_or_else(|| Error::invalid_payload("\"id\" is no key of the collection"))
    };
    match text("action") {
        Some("create") => Ok(Trial::Create(collection, data()?)),
        Some("update") => Ok(Trial::Update(collection, key()?, data()?)),
        Some("delete") => Ok(Trial::Delete(collection, key()?)),
        _ => Err(Error::invalid_payload(
            "\"action\" must be one of [create, update, delete]",
        )),
    }
}

impl Trial {
    /// The user that it changes.
    fn user(&self) -> Option<Uuid> {
        match self {
            Self::Update(Collection::Users, key, _) | Self::Delete(Collection::Users, key) => {
                Key::uuid(*key)
            }
            _ => None,
        }
    }
}

/// Those whose access is compared: all users of a role alike, those who have more one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// Everybody without credentials, and users without a role.
    Role(Option<Uuid>),
    User(Uuid),
}

/// A standing, by what it is looked up by.
struct World<'s> {
    standing: &'s Standing,
    parents: BTreeMap<Uuid, Option<Uuid>>,
    users: BTreeMap<Uuid, (Option<Uuid>, &'s str)>,
}

/// What somebody may do.
#[derive(Debug, Default, PartialEq)]
struct Access {
    admin: bool,
    app: bool,
    tfa: bool,
    rules: BTreeMap<(String, String), Reach>,
}

/// How far.
#[derive(Debug, Default, PartialEq, Clone)]
struct Reach {
    fields: BTreeSet<String>,
    /// The conditions on records, as text; an empty one is all records.
    rows: BTreeSet<String>,
}

impl<'s> World<'s> {
    fn of(standing: &'s Standing) -> Self {
        let roles = standing.roles.iter();
        let users = standing.users.iter();
        Self {
            standing,
            parents: roles.map(|(id, parent, _)| (*id, *parent)).collect(),
            users: users
                .map(|(id, role, status)| (*id, (*role, status.as_str())))
                .collect(),
        }
    }

    fn subjects(before: &Self, after: &Self) -> BTreeSet<Who> {
        let of = |world: &Self| {
            let roles = world.parents.keys().map(|role| Who::Role(Some(*role)));
            let users = world.users.keys().map(|user| Who::User(*user));
            roles.chain(users).collect::<Vec<Who>>()
        };
        let nobody = std::iter::once(Who::Role(None));
        of(before)
            .into_iter()
            .chain(of(after))
            .chain(nobody)
            .collect()
    }

    fn access(&self, who: Who) -> Access {
        let (user, mut role) = match who {
            Who::Role(role) => (None, role),
            Who::User(user) => match self.users.get(&user) {
                Some((role, "active")) => (Some(user), *role),
                // Who cannot log in may do nothing.
                _ => return Access::default(),
            },
        };
        let mut roles = BTreeSet::new();
        while let Some(id) = role {
            // A role that is gone gives nothing, and a circle ends where it began.
            let Some(parent) = self.parents.get(&id).filter(|_| roles.insert(id)) else {
                break;
            };
            role = *parent;
        }
        let held = |(_, role, owner): &&(Uuid, Option<Uuid>, Option<Uuid>)| {
            role.is_some_and(|role| roles.contains(&role))
                || (owner.is_some() && *owner == user)
                || (roles.is_empty() && role.is_none() && owner.is_none())
        };
        let mut access = Access::default();
        let mut held_policies = BTreeSet::new();
        for (policy, role, owner) in self.standing.attachments.iter().filter(held) {
            held_policies.insert(*policy);
            // What everybody without a role has never makes an administrator.
            let counts = role.is_some() || owner.is_some();
            let found = self.standing.policies.iter().find(|one| one.id == *policy);
            if let Some(flags) = found.filter(|_| counts) {
                access.admin |= flags.admin_access;
                access.app |= flags.admin_access | flags.app_access;
                access.tfa |= flags.enforce_tfa;
            }
        }
        let permissions = self.standing.rules.iter();
        for rule in permissions.filter(|rule| held_policies.contains(&rule.policy)) {
            access.add(rule);
        }
        access
    }

    /// Puts who it is into what is said of them.
    fn name(&self, before: &World<'_>, who: Who, said: &mut Json) {
        match who {
            Who::User(user) => {
                said["user"] = json!(user);
                said["users"] = json!(1);
            }
            Who::Role(role) => {
                let members = |world: &World<'_>| {
                    let members = world.standing.members.iter();
                    members
                        .filter(|(id, _)| *id == role)
                        .map(|(_, n)| n)
                        .sum::<i64>()
                };
                let named = |world: &World<'_>| {
                    let roles = world.standing.roles.iter();
                    let mut found = roles.filter(|(id, ..)| Some(*id) == role);
                    found.next().map(|(_, _, name)| name.clone())
                };
                said["role"] = json!(role);
                said["name"] = json!(named(self).or_else(|| named(before)));
                said["users"] = json!(members(self).max(members(before)));
                if role.is_none() {
                    said["public"] = json!(true);
                }
            }
        }
    }
}

impl Access {
    fn add(&mut self, rule: &KeptRule) {
        let about = (rule.collection.clone(), rule.action.clone());
        let reach = self.rules.entry(about).or_default();
        let fields = rule.fields.as_deref().unwrap_or_default();
        let fields = fields.split(',').map(str::trim);
        let named = fields.filter(|name| !name.is_empty());
        reach.fields.extend(named.map(ToOwned::to_owned));
        let rows = match &rule.permissions {
            None | Some(Json::Null) => String::new(),
            Some(Json::Object(map)) if map.is_empty() => String::new(),
            Some(json) => json.to_string(),
        };
        reach.rows.insert(rows);
    }

    fn flag(&self, flag: &str) -> bool {
        match flag {
            "admin_access" => self.admin,
            "app_access" => self.app,
            _ => self.tfa,
        }
    }
}

impl Reach {
    /// What this has that another has not.
    fn beyond(&self, other: &Self) -> Option<Self> {
        let is_all = |set: &BTreeSet<String>, all: &str| set.contains(all);
        let more = |own: &BTreeSet<String>, others: &BTreeSet<String>, all: &str| {
            if is_all(others, all) {
                BTreeSet::new()
            } else if is_all(own, all) {
                BTreeSet::from([all.to_owned()])
            } else {
                own - others
            }
        };
        let fields = more(&self.fields, &other.fields, "*");
        let rows = more(&self.rows, &other.rows, "");
        match (fields.is_empty(), rows.is_empty()) {
            (true, true) => None,
            // More of the same records, or the same of more records.
            (false, true) => Some(Self {
                fields,
                rows: self.rows.clone(),
            }),
            (true, false) => Some(Self {
                fields: self.fields.clone(),
                rows,
            }),
            (false, false) => Some(Self { fields, rows }),
        }
    }
}

/// What one has that another has not, by collection and action.
fn difference(one: &Access, other: &Access) -> Json {
    if other.admin {
        return json!([]);
    }
    if one.admin {
        return json!([{ "collection": "*", "action": "*", "fields": ["*"], "rows": "all" }]);
    }
    let none = Reach::default();
    let reached = one.rules.iter().filter_map(|(about, reach)| {
        let beyond = reach.beyond(other.rules.get(about).unwrap_or(&none))?;
        let rows = if beyond.rows.contains("") {
            json!("all")
        } else {
            let rules = beyond.rows.iter();
            rules
                .map(|text| serde_json::from_str::<Json>(text).unwrap_or_default())
                .collect()
        };
        Some(json!({
            "collection": about.0,
            "action": about.1,
            "fields": beyond.fields,
            "rows": rows,
        }))
    });
    reached.collect()
}
