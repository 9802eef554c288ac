//! Lets users reach only those users whose address has the same domain as their own.

#![forbid(unsafe_code)]

use roster_sdk::schemars::JsonSchema;
use roster_sdk::{
    AccessRequest, Context, Failure, Host, Manifest, Narrowing, Plugin, Policy, Principal,
    StartError, UserQuery, Value, async_trait, json, schema_of,
};
use serde::{Deserialize, Serialize};

/// The plugin, with its configuration.
#[derive(Debug)]
pub struct EmailDomainScope {
    config: Config,
}

/// `[plugins.<name>.config]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Serialize)]
#[schemars(crate = "roster_sdk::schemars")]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Domains whose users reach everybody.
    pub exempt: Vec<String>,
    /// Fields that nobody but the exempt sees of others.
    pub drop: Vec<String>,
}

#[async_trait]
impl Plugin for EmailDomainScope {
    type Config = Config;

    async fn start(config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        if let Some(bad) = config.exempt.iter().find(|domain| domain.contains('@')) {
            let text = format!("`exempt`: expected a domain, got `{bad}`");
            return Err(StartError::new(text));
        }
        Ok(Self { config })
    }

    fn manifest(&self) -> Manifest {
        let manifest = Manifest::new("email-domain-scope", env!("CARGO_PKG_VERSION"));
        let actions = ["read", "update", "delete"].into_iter();
        let manifest = actions.fold(manifest, |manifest, action| {
            manifest.narrows(action, "users")
        });
        manifest.reads(["email"])
    }

    fn schema() -> Option<Value> {
        Some(schema_of::<Config>())
    }
}

#[async_trait]
impl Policy for EmailDomainScope {
    async fn narrow(&self, cx: &Context, request: &AccessRequest) -> Result<Narrowing, Failure> {
        let Principal::User { id, .. } = &cx.principal else {
            return Ok(Narrowing::none());
        };
        // Nobody is there yet whom a filter could let through.
        if request.collection != "users" || request.action == "create" {
            return Ok(Narrowing::none());
        }
        let own = UserQuery::filter(json!({ "id": { "_eq": id } })).fields(["email"]);
        let found = cx.host.users(&own.limit(1)).await?;
        let address = found.first().and_then(|user| user.text("email"));
        let Some((_, domain)) = address.and_then(|address| address.rsplit_once('@')) else {
            return Ok(Narrowing::deny("Your user has no e-mail address."));
        };
        let is_exempt = |other: &String| other.eq_ignore_ascii_case(domain);
        if self.config.exempt.iter().any(is_exempt) {
            return Ok(Narrowing::none());
        }
        let same = json!({ "email": { "_iends_with": format!("@{domain}") } });
        Ok(Narrowing::filter(same).without(self.config.drop.iter().cloned()))
    }
}

roster_sdk::export_plugin!(EmailDomainScope: Policy);

#[cfg(test)]
mod tests {
    use roster_sdk::testing::{self, FakeHost};
    use roster_sdk::{Event, Value};

    use super::*;

    fn narrowed(config: Value, email: Option<&str>, action: &str) -> Narrowing {
        let host = FakeHost::new();
        let user = testing::record(json!({ "email": email }));
        host.find(move |_| vec![user.clone()]);
        let policy: EmailDomainScope = testing::start(config, &host).unwrap();
        let mut cx = testing::context(Event::Narrow, &host);
        cx.principal = Principal::User {
            id: "u1".to_owned(),
            role: None,
        };
        let request = AccessRequest {
            action: action.to_owned(),
            collection: "users".to_owned(),
        };
        testing::ready(policy.narrow(&cx, &request)).unwrap()
    }

    #[test]
    fn users_reach_those_of_their_own_domain() {
        let narrowing = narrowed(
            json!({ "drop": ["location"] }),
            Some("a@one.example"),
            "read",
        );

        let filter = json!({ "email": { "_iends_with": "@one.example" } });
        assert_eq!(narrowing, Narrowing::filter(filter).without(["location"]));
    }

    #[test]
    fn the_exempt_and_those_who_make_users_are_not_narrowed() {
        let exempt = json!({ "exempt": ["ONE.example"] });

        assert_eq!(
            narrowed(exempt, Some("a@one.example"), "read"),
            Narrowing::none()
        );
        assert_eq!(
            narrowed(json!({}), Some("a@one.example"), "create"),
            Narrowing::none()
        );
    }

    #[test]
    fn whoever_has_no_address_reaches_nobody() {
        assert!(narrowed(json!({}), None, "read").deny.is_some());
    }
}
