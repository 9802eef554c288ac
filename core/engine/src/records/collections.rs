//! What single collections demand of a write beyond their fields.

use roster_domain::filter::Uses;
use roster_domain::variables::Variables;
use roster_domain::{Action, Collection, Draft, Error, Principal, Record, Result, Value, address};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::access;
use crate::context::Context;

/// Judges a draft of a new record.
pub(super) fn guard_create(cx: &Context, collection: Collection, draft: &Draft) -> Result<()> {
    match collection {
        Collection::Policies => guard_policy(draft),
        Collection::Permissions => guard_permission(cx, None, draft),
        // Files come in by their content, log entries by what happens.
        Collection::Files | Collection::Activity | Collection::Revisions | Collection::Settings => {
            Err(Error::forbidden_collection(collection.as_str()))
        }
        _ => Ok(()),
    }
}

/// Judges a draft of a change.
pub(super) fn guard_update(cx: &Context, stored: &Record, draft: &mut Draft) -> Result<()> {
    let collection = draft.schema().collection();
    match collection {
        Collection::Users => guard_user(cx, draft),
        Collection::Policies => guard_policy(draft),
        Collection::Permissions => guard_permission(cx, Some(stored), draft),
        Collection::Settings => guard_settings(draft),
        Collection::Files => {
            if let Some(name) = fixed(draft.names()) {
                return Err(Error::invalid_payload(format!(
                    "You can't change the \"{name}\" value manually"
                )));
            }
            if draft.names().next().is_some() {
                let user = cx.principal.user();
                draft.set(
                    "modified_by",
                    user.map_or(Value::Null, |user| Value::Uuid(user.0)),
                );
                draft.set("modified_on", Value::Timestamp(cx.now));
            }
            Ok(())
        }
        Collection::Activity | Collection::Revisions => {
            Err(Error::forbidden_collection(collection.as_str()))
        }
        _ => Ok(()),
    }
}

/// The first of these names that says of a file what its content or its history says.
pub(crate) fn fixed<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Option<&'static str> {
    const FIXED: [&str; 11] = [
        "storage",
        "filename_disk",
        "type",
        "filesize",
        "width",
        "height",
        "uploaded_by",
        "uploaded_on",
        "created_on",
        "modified_by",
        "modified_on",
    ];
    let mut names = names.into_iter();
    names.find_map(|name| FIXED.into_iter().find(|fixed| *fixed == name.as_ref()))
}

/// Values that nobody writes by hand, and those that go with others (contract/users.md §1.2).
fn guard_user(cx: &Context, draft: &mut Draft) -> Result<()> {
    let manual = |name: &str| {
        Error::invalid_payload(format!("You can't change the \"{name}\" value manually"))
    };
    if draft.get("tfa_secret").is_some() {
        return Err(manual("tfa_secret"));
    }
    let is_limited = match cx.principal {
        Principal::System(_) => false,
        Principal::User { .. } => !cx.rights.admin_access,
        Principal::Public => true,
    };
    for name in ["provider", "external_identifier"] {
        if draft.get(name).is_none() {
            continue;
        }
        if is_limited {
            return Err(manual(name));
        }
        draft.set("auth_data", Value::Null);
    }
    Ok(())
}

fn guard_policy(draft: &Draft) -> Result<()> {
    let list = draft.get("ip_access").and_then(Value::as_text);
    let mut parts = list
        .unwrap_or_default()
        .split(',')
        .filter(|part| !part.is_empty());
    if parts.all(|part| address::Addresses::parse(part).is_some()) {
        return Ok(());
    }
    Err(Error::invalid_payload(
        "IP Access contains an incorrect value. Valid values are: IP addresses, IP ranges and CIDR blocks",
    ))
}

/// A rule that cannot be read would deny in silence: it is refused where it is written.
/// Looks again at a change that follows another one of the same record.
pub(super) fn guard_following(cx: &Context, stored: &Record, draft: &Draft) -> Result<()> {
    match draft.schema().collection() {
        Collection::Permissions => guard_permission(cx, Some(stored), draft),
        _ => Ok(()),
    }
}

fn guard_permission(cx: &Context, stored: Option<&Record>, draft: &Draft) -> Result<()> {
    let value = |name: &str| super::plan::final_value(draft.get(name), stored, name);
    let action = value("action").and_then(Value::as_text).unwrap_or_default();
    if draft.get("action").is_some() && action != "share" && Action::parse(action).is_none() {
        return Err(Error::invalid_payload(format!(
            "field `action`: expected one of \"create\", \"read\", \"update\", \"delete\", \"share\", got \"{action}\""
        )));
    }
    for name in ["permissions", "validation", "presets"] {
        match draft.get(name) {
            Some(Value::Json(json)) if !json.is_object() => {
                return Err(Error::invalid_payload(format!(
                    "field `{name}`: expected an object"
                )));
            }
            _ => {}
        }
    }
    let collection = value("collection").and_then(Value::as_text);
    let Some(collection) = collection.and_then(Collection::parse) else {
        return Ok(());
    };
    if cx.model.schema(collection).is_none() {
        return Ok(());
    }
    let example = Uuid::nil();
    let values = Variables {
        now: cx.now,
        user: Some(example),
        role: Some(example),
        roles: vec![example],
        policies: vec![example],
        ..Variables::default()
    };
    for (name, uses) in [
        ("permissions", Uses::Selection),
        ("validation", Uses::Validation),
    ] {
        if let Some(Value::Json(json)) = draft.get(name) {
            let read = access::read_rule(&cx.model, &values, collection, json, uses);
            read.map_err(|error| {
                Error::invalid_payload(format!("field `{name}`: {}", said(&error)))
            })?;
        }
    }
    Ok(())
}

/// What an error says, without its code.
fn said(error: &Error) -> String {
    let messages = error.problems().iter().map(|problem| {
        let reason = problem.extensions.get("reason").and_then(Json::as_str);
        reason.unwrap_or(&problem.message).to_owned()
    });
    messages.collect::<Vec<_>>().join("; ")
}

/// A policy that cannot be tried would refuse every password.
fn guard_settings(draft: &Draft) -> Result<()> {
    let policy = draft.get("auth_password_policy").and_then(Value::as_text);
    match policy.map(crate::secrets::Policy::parse) {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(reason)) => {
            let clause = format!("Value has to be a regular expression: {reason}.");
            Err(
                roster_domain::error::field::failed("auth_password_policy", "regex", &clause)
                    .into(),
            )
        }
    }
}
