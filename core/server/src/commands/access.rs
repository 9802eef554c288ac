//! `roster access`: why somebody may do something, and recommended rules.

use std::io::{self, Write};

use roster_domain::query::Parameters;
use roster_domain::{Collection, Error, Result};
use roster_engine::{Engine, Items};
use roster_sdk::Linked;
use serde_json::{Value as Json, json};

use super::{failed, refuse};
use crate::cli::{Access, Exit, Explain};
use crate::config::Config;
use crate::server;

pub(crate) async fn run(
    config: &Config,
    command: Access,
    linked: Vec<Linked>,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let engine = match server::engine(config, linked).await {
        Ok((engine, _)) => engine,
        Err(error) => return refuse(err, &error),
    };
    let done = match &command {
        Access::Explain(args) => explain(&engine, args).await,
        Access::Preset { policy, preset } => apply(&engine, policy, preset).await,
    };
    engine.close(config.server.shutdown_timeout).await;
    match done {
        Ok(text) => {
            write!(out, "{text}")?;
            Ok(Exit::Ok)
        }
        Err(error) => failed(err, &error),
    }
}

async fn apply(engine: &Engine, policy: &str, preset: &str) -> Result<String> {
    let cx = engine.command_line().await?;
    let made = engine
        .apply_preset(&cx, policy, &json!({ "preset": preset }))
        .await?;
    Ok(format!("{} rules added\n", made.items.len()))
}

async fn explain(engine: &Engine, args: &Explain) -> Result<String> {
    let cx = engine.command_line().await?;
    let mut body = json!({
        "action": args.action,
        "collection": args.collection,
        "fields": args.fields,
        "ip": args.ip,
        "at": args.at,
        "role": args.role,
        "id": args.id.as_deref().map(|id| id.parse::<i64>().map_or(json!(id), Json::from)),
    });
    if args.public {
        body["public"] = true.into();
    }
    if let Some(user) = &args.user {
        body["user"] = if user.contains('@') {
            let filter = json!({ "email": { "_eq": user } });
            let asked = Parameters::from_iter([
                ("filter".to_owned(), filter),
                ("fields".to_owned(), json!(["id"])),
            ]);
            let found = engine.list(&cx, Collection::Users, &asked).await?;
            let id = match &found.items {
                Items::Records(items) => items.first().and_then(|item| item.get("id").cloned()),
                Items::Groups(_) => None,
            };
            let nobody = || Error::unprocessable(format!("no user has the address `{user}`"));
            json!(id.ok_or_else(nobody)?)
        } else {
            json!(user)
        };
    }
    let told = engine.explain(&cx, &body).await?;
    if args.json {
        let text = serde_json::to_string_pretty(&told).map_err(Error::internal)?;
        return Ok(text + "\n");
    }
    Ok(page(&told))
}

/// An explanation for people.
fn page(told: &Json) -> String {
    let text = |json: &Json| {
        json.as_str()
            .map_or_else(|| json.to_string(), ToOwned::to_owned)
    };
    let mut lines = vec![format!(
        "{}: {}",
        text(&told["decision"]).to_uppercase(),
        text(&told["reason"])
    )];
    let list = |json: &Json| json.as_array().cloned().unwrap_or_default();
    for policy in list(&told["policies"]) {
        let through = match &policy["through"] {
            Json::Object(map) => {
                let parts = map.iter().map(|(kind, id)| format!("{kind} {}", text(id)));
                parts.collect::<Vec<_>>().join(", ")
            }
            other => text(other),
        };
        let why_not = match &policy["why_not"] {
            Json::Null => String::new(),
            why => format!(", does not hold: {}", text(why)),
        };
        let admin = if policy["admin_access"] == true {
            ", admin_access"
        } else {
            ""
        };
        lines.push(format!(
            "policy {} ({}) through {through}{admin}{why_not}",
            text(&policy["name"]),
            text(&policy["policy"])
        ));
    }
    for rule in list(&told["rules"]) {
        let name = match &rule["permission"] {
            Json::Null => "built-in rule".to_owned(),
            id => format!("rule {id} of policy {}", text(&rule["policy"])),
        };
        let verdict = match (&rule["holds"], &rule["matches"]) {
            (Json::Bool(false), _) => "does not hold",
            (_, Json::Bool(true)) => "matches",
            (_, Json::Bool(false)) => "does not match",
            _ => "holds",
        };
        let fields: Vec<String> = list(&rule["fields"]).iter().map(text).collect();
        lines.push(format!(
            "{name}: {verdict}, {}, fields {}",
            match &rule["rule"] {
                Json::Null => "all records".to_owned(),
                rule => rule.to_string(),
            },
            fields.join(",")
        ));
        for clause in list(&rule["clauses"]) {
            let holds = match &clause["holds"] {
                Json::Null => continue,
                holds => text(holds),
            };
            lines.push(format!(
                "  {} {holds}: {}",
                text(&clause["path"]),
                clause["clause"]
            ));
        }
    }
    for plugin in list(&told["plugins"]) {
        lines.push(format!("plugin {}: {plugin}", text(&plugin["plugin"])));
    }
    let fields = told["fields"].as_object().cloned().unwrap_or_default();
    for access in ["allow", "partial", "deny"] {
        let names: Vec<&str> = fields
            .iter()
            .filter(|(_, said)| said["access"] == access)
            .map(|(name, _)| name.as_str())
            .collect();
        if !names.is_empty() {
            lines.push(format!("fields {access}: {}", names.join(", ")));
        }
    }
    lines.join("\n") + "\n"
}
