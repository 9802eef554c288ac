//! The local password: the provider `default`. The server has the hashes; this asks it.

#![forbid(unsafe_code)]

use roster_sdk::schemars::JsonSchema;
use roster_sdk::{
    AuthProvider, AuthStyle, Context, Credentials, HookError, Host, Identity, Manifest, Plugin,
    Rejection, StartError, Value, async_trait, schema_of,
};
use serde::Deserialize;

/// The provider.
#[derive(Debug)]
pub struct Password;

/// `[plugins.<name>.config]`: nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(crate = "roster_sdk::schemars")]
#[serde(deny_unknown_fields)]
pub struct Config {}

#[async_trait]
impl Plugin for Password {
    type Config = Config;

    async fn start(_config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        Ok(Self)
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("password", env!("CARGO_PKG_VERSION")).authenticates(AuthStyle::Credentials)
    }

    fn schema() -> Option<Value> {
        Some(schema_of::<Config>())
    }
}

#[async_trait]
impl AuthProvider for Password {
    async fn authenticate(
        &self,
        cx: &Context,
        credentials: &Credentials,
    ) -> Result<Identity, HookError> {
        let proved = cx.host.verify_credentials(credentials).await?;
        Ok(proved.ok_or_else(Rejection::invalid_credentials)?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use roster_sdk::testing::{self, FakeHost};
    use roster_sdk::{
        AuthProvider, Context, Credentials, Event, HookError, Host, HostError, Identity, Level,
        Rejection, async_trait, json,
    };

    use super::Password;

    /// Knows one password.
    struct Knowing;

    #[async_trait]
    impl Host for Knowing {
        fn log(&self, _level: Level, _message: &str) {}

        fn now(&self) -> String {
            "2026-01-01T00:00:00.000Z".to_owned()
        }

        fn random(&self, _count: u32) -> Vec<u8> {
            Vec::new()
        }

        async fn verify_credentials(
            &self,
            credentials: &Credentials,
        ) -> Result<Option<Identity>, HostError> {
            let is_known = credentials.secret == "sesame";
            Ok(is_known.then(|| Identity {
                external_identifier: credentials.identifier.clone(),
                ..Identity::default()
            }))
        }
    }

    fn tried(cx: &Context, secret: &str) -> Result<Identity, HookError> {
        let plugin: Password = testing::start(json!({}), &FakeHost::new()).expect("it starts");
        let credentials = Credentials {
            identifier: "ada".to_owned(),
            secret: secret.to_owned(),
        };
        testing::ready(plugin.authenticate(cx, &credentials))
    }

    #[test]
    fn who_has_the_password_is_who_the_host_says() {
        let mut cx = testing::context(Event::Authenticate, &FakeHost::new());
        cx.host = Arc::new(Knowing);

        let ada = tried(&cx, "sesame").expect("ada");

        assert_eq!(ada.external_identifier, "ada");
        let refused = HookError::Rejected(Rejection::invalid_credentials());
        assert_eq!(tried(&cx, "other").expect_err("a refusal"), refused);
    }

    #[test]
    fn without_the_call_nobody_gets_in() {
        let cx = testing::context(Event::Authenticate, &FakeHost::new());

        assert!(matches!(tried(&cx, "sesame"), Err(HookError::Failed(_))));
    }
}
