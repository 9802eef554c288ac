//! Rules that are recommended together, for a policy that is to have them.

use roster_domain::query::Parameters;
use roster_domain::{Action, Collection, Error, Result};
use serde_json::{Value as Json, json};

use crate::context::Context;
use crate::records::{List, read, write};
use crate::{Inner, Items, access};

/// The names of the presets.
const PRESETS: [&str; 1] = ["self-service"];

/// What users do with their own record.
const OWN: [&str; 15] = [
    "first_name",
    "last_name",
    "email",
    "password",
    "location",
    "title",
    "description",
    "tags",
    "avatar",
    "language",
    "appearance",
    "theme_light",
    "theme_dark",
    "theme_light_overrides",
    "theme_dark_overrides",
];

/// The rules of a preset, as permissions without their policy.
fn rules(preset: &str) -> Option<Vec<Json>> {
    let own = json!({ "id": { "_eq": "$CURRENT_USER" } });
    match preset {
        // Users read and change what the app shows of them, set up a second factor, and bring in
        // their picture; they see the role they have.
        "self-service" => {
            let with = |further: &[&str]| -> Vec<String> {
                let names = further.iter().chain(&OWN);
                names.map(ToString::to_string).collect()
            };
            let shown = with(&[
                "id",
                "status",
                "role",
                "provider",
                "last_page",
                "tfa_secret",
                "email_notifications",
                "text_direction",
            ]);
            let changed = with(&["email_notifications", "text_direction"]);
            let shown_of_role = ["id", "name", "icon", "description", "parent"];
            let rule = |collection: &str, action: &str, permissions: Json, fields: Json| {
                json!({
                    "collection": collection,
                    "action": action,
                    "permissions": permissions,
                    "fields": fields,
                })
            };
            let held = json!({ "id": { "_in": "$CURRENT_ROLES" } });
            let uploaded = json!({ "uploaded_by": { "_eq": "$CURRENT_USER" } });
            Some(vec![
                rule("directus_users", "read", own.clone(), json!(shown)),
                rule("directus_users", "update", own, json!(changed)),
                rule("directus_roles", "read", held, json!(shown_of_role)),
                rule("directus_files", "create", json!({}), json!(["*"])),
                rule("directus_files", "read", uploaded, json!(["*"])),
            ])
        }
        _ => None,
    }
}

/// Gives a policy the rules of a preset, as far as it does not have them; gives the new ones.
pub(crate) async fn apply(inner: &Inner, cx: &Context, policy: &str, body: &Json) -> Result<List> {
    access::grant(cx, Action::Create, Collection::Permissions)?;
    let preset = match body.get("preset") {
        None | Some(Json::Null) => PRESETS[0],
        Some(json) => json.as_str().unwrap_or_default(),
    };
    let wanted = rules(preset).ok_or_else(|| {
        let known = PRESETS.join(", ");
        Error::invalid_payload(format!("\"preset\" must be one of [{known}]"))
    })?;
    // The caller has to see the policy, and what is in it.
    let id = Parameters::from_iter([("fields".to_owned(), json!(["id"]))]);
    let policy = read::one(inner, cx, Collection::Policies, policy, &id).await?;
    let policy = policy.get("id").cloned().ok_or_else(Error::forbidden)?;
    let within = Parameters::from_iter([
        ("limit".to_owned(), json!(-1)),
        ("filter".to_owned(), json!({ "policy": { "_eq": policy } })),
    ]);
    let found = read::list(inner, cx, Collection::Permissions, &within).await?;
    let have: Vec<Json> = match found.items {
        Items::Records(items) => items.iter().map(|item| json!(item)).collect(),
        Items::Groups(_) => Vec::new(),
    };
    let is_there = |rule: &Json| {
        let same = |one: &Json| {
            ["collection", "action", "permissions", "fields"]
                .iter()
                .all(|name| one[name] == rule[name])
        };
        have.iter().any(same)
    };
    let mut bodies: Vec<Json> = wanted.into_iter().filter(|rule| !is_there(rule)).collect();
    for body in &mut bodies {
        body["policy"] = json!(policy);
    }
    let whole = Parameters::new();
    let made = write::create_many(inner, cx, Collection::Permissions, &bodies, &whole).await?;
    Ok(made.unwrap_or_else(|| List::of(Vec::new())))
}
