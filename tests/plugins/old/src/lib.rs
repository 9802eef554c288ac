//! A component built against `roster:plugin@1.0.0` as it was, without the SDK. For tests.
//!
//! It counts the calls of an instance, and says so from the second one on. What follows a `!` in its configuration is its answer, whatever it is: no SDK puts it into order.

#![forbid(unsafe_code)]
#![cfg(target_family = "wasm")]

use std::sync::atomic::{AtomicU32, Ordering};

use roster_abi_1_0::bindings::exports::roster::plugin::{hooks, lifecycle, mailer};
use roster_abi_1_0::bindings::roster::plugin::host;
use roster_abi_1_0::bindings::roster::plugin::records::{Call, Failure, Outcome};

/// What is left of the calls before, in an instance that served some.
static CALLS: AtomicU32 = AtomicU32::new(0);

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
        if let Some((_, answer)) = config.split_once('!') {
            return Ok(Outcome::Patch(answer.to_owned()));
        }
        let before = CALLS.fetch_add(1, Ordering::Relaxed);
        let again = if before == 0 { "" } else { " again" };
        Ok(Outcome::Patch(format!(
            r#"{{"title": "old {}{again}"}}"#,
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
