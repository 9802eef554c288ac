//! A component built against `roster:plugin@1.0.0` as it was, without the SDK. For tests.

#![forbid(unsafe_code)]
#![cfg(target_family = "wasm")]

use roster_abi_1_0::bindings::exports::roster::plugin::{hooks, lifecycle, mailer};
use roster_abi_1_0::bindings::roster::plugin::host;
use roster_abi_1_0::bindings::roster::plugin::records::{Call, Failure, Outcome};

struct Old;

impl lifecycle::Guest for Old {
    fn describe(_config: String) -> Result<String, String> {
        Ok(
            r#"{"name": "old", "version": "1.0.0", "writes": ["title"], "reads": ["title"],
            "subscriptions": [{"collection": "users", "event": "create.before"}]}"#
                .to_owned(),
        )
    }
}

impl hooks::Guest for Old {
    fn on_event(call: Call, payload: String) -> Result<Outcome, Failure> {
        host::log(host::Level::Info, &format!("{} {payload}", call.event));
        let config = host::config();
        Ok(Outcome::Patch(format!(
            r#"{{"title": "old {}"}}"#,
            config.len()
        )))
    }
}

impl mailer::Guest for Old {
    fn send(_call: Call, message: String) -> Result<(), Failure> {
        host::log(host::Level::Info, &message);
        Ok(())
    }
}

roster_abi_1_0::bindings::export!(Old with_types_in roster_abi_1_0::bindings);
