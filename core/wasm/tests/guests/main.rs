//! Components as the server meets them: built from source, loaded, called.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod build;
mod hostile;
mod kinds;
mod parity;
mod places;
mod refused;

use std::sync::Arc;
use std::time::Duration;

use roster_sdk::testing::FakeHost;
use roster_sdk::{Instance, Value};
use roster_wasm::{Limits, LoadError, Runtime, RuntimeSettings};

/// Limits that leave a debug build time enough.
const PATIENT: Limits = Limits {
    timeout: Duration::from_secs(30),
    memory_bytes: 64 << 20,
    table_elements: 20_000,
    instances: roster_wasm::Instances::Fresh,
};

/// Loads a guest of this workspace.
async fn load(
    package: &str,
    config: Value,
    limits: Limits,
    host: &Arc<FakeHost>,
) -> Result<Instance, LoadError> {
    let file = build::component(package);
    runtime()
        .load("test", &file, config, limits, Arc::clone(host) as _)
        .await
}

/// A runtime that keeps compiled components between the tests.
fn runtime() -> Arc<Runtime> {
    let cache_dir = Some(build::guests().join("compiled"));
    Runtime::new(RuntimeSettings {
        cache_dir,
        ..RuntimeSettings::default()
    })
    .unwrap()
}
