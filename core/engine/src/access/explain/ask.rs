use std::net::IpAddr;

use roster_domain::{Action, Collection, Error, Key, Result, RoleId, Timestamp, UserId, clock};
use serde_json::{Map, Value as Json};

use crate::context::Context;

/// Who is asked about.
pub(super) enum Subject {
    User(UserId),
    Role(RoleId),
    Public,
}

/// What is asked.
pub(super) struct Ask {
    pub(super) subject: Subject,
    pub(super) action: Action,
    pub(super) collection: Collection,
    /// Which record.
    pub(super) key: Option<Key>,
    /// Which of its fields; all where none is named.
    pub(super) fields: Vec<String>,
    /// From where.
    pub(super) ip: Option<IpAddr>,
    /// When.
    pub(super) at: Option<Timestamp>,
}

const KNOWN: [&str; 9] = [
    "user",
    "role",
    "public",
    "action",
    "collection",
    "id",
    "fields",
    "ip",
    "at",
];

impl Ask {
    /// Reads a body; all that is wrong is said at once.
    pub(super) fn parse(cx: &Context, body: &Json) -> Result<Self> {
        let map = body.as_object();
        let map = map.ok_or_else(|| Error::invalid_payload("\"value\" must be of type object"))?;
        let mut reasons = Vec::new();
        for name in map.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
            reasons.push(format!("\"{name}\" is not allowed"));
        }
        let subject = subject(map);
        if subject.is_none() {
            reasons.push(
                "expected one of \"user\": an id, \"role\": an id, \"public\": true".to_owned(),
            );
        }
        let text = |name: &str| map.get(name).and_then(Json::as_str);
        let action = text("action").and_then(Action::parse);
        if action.is_none() {
            reasons.push("\"action\" must be one of [create, read, update, delete]".to_owned());
        }
        let collection = text("collection").and_then(Collection::parse);
        if collection.is_none() {
            let known: Vec<&str> = Collection::ALL.map(Collection::as_str).to_vec();
            reasons.push(format!(
                "\"collection\" must be one of [{}]",
                known.join(", ")
            ));
        }
        let given = |name: &str| map.get(name).filter(|json| !json.is_null());
        let ip = given("ip").map(|json| json.as_str().and_then(|text| text.parse().ok()));
        if ip == Some(None) {
            reasons.push("\"ip\" must be an IP address".to_owned());
        }
        let at = given("at").map(|json| json.as_str().and_then(clock::parse));
        if at == Some(None) {
            reasons.push("\"at\" must be a timestamp such as 2026-01-31T10:11:12Z".to_owned());
        }
        let fields = given("fields").map_or(Some(Vec::new()), |json| {
            let names = json.as_array()?.iter();
            names
                .map(|name| name.as_str().map(ToOwned::to_owned))
                .collect()
        });
        if fields.is_none() {
            reasons.push("\"fields\" must be an array of names".to_owned());
        }
        let (Some(subject), Some(action), Some(collection), Some(fields), true) =
            (subject, action, collection, fields, reasons.is_empty())
        else {
            return Err(Error::invalid_payload(reasons.join(". ")));
        };
        // Fields, relations and collections are no records: they have neither fields nor keys.
        let schema = cx.model.schema(collection);
        let is_known = |name: &str| schema.is_some_and(|schema| schema.field(name).is_some());
        if let Some(unknown) = fields.iter().find(|name| !is_known(name)) {
            let collection = collection.as_str();
            return Err(roster_domain::error::field::unknown(collection, unknown).into());
        }
        let no_key = || Error::invalid_payload("\"id\" is no key of the collection");
        let key = match given("id") {
            None => None,
            Some(id) => {
                let key = schema.and_then(|schema| schema.key(id));
                Some(key.ok_or_else(no_key)?)
            }
        };
        Ok(Self {
            subject,
            action,
            collection,
            key,
            fields,
            ip: ip.flatten(),
            at: at.flatten(),
        })
    }
}

fn subject(map: &Map<String, Json>) -> Option<Subject> {
    let given = |name: &str| map.get(name).filter(|json| !json.is_null());
    match (given("user"), given("role"), given("public")) {
        (Some(Json::String(id)), None, None) => UserId::parse(id).map(Subject::User),
        (None, Some(Json::String(id)), None) => RoleId::parse(id).map(Subject::Role),
        (None, None, Some(Json::Bool(true))) => Some(Subject::Public),
        _ => None,
    }
}
