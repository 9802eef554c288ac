//! The hook of `touch`, linked and as a component.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use roster_bench_touch::Touch;
use roster_engine::{Capabilities, FieldNames, LoginSettings, OnFailure, PluginHost, PluginSlot};
use roster_password::Password;
use roster_sdk::{Context, Draft, Event, Instance, Linked, Map, Principal, Record, Value, json};
use roster_wasm::{Limits, Runtime, RuntimeSettings};

use crate::Outcome;

const READS: [&str; 2] = ["first_name", "last_name"];
const WRITES: [&str; 1] = ["title"];

/// Both builds.
pub(crate) struct Hooks {
    pub(crate) native: Instance,
    pub(crate) component: Instance,
}

impl Hooks {
    /// Starts both.
    pub(crate) async fn start(file: &Path) -> Outcome<Self> {
        let native = Linked::builder::<Touch>("touch")
            .with_hooks()
            .with_policy()
            .with_auth_provider()
            .with_mailer()
            .build()
            .start(json!({}), host())
            .await?;
        let runtime = Runtime::new(RuntimeSettings::default())?;
        let limits = Limits::default();
        let component = runtime
            .load("touch", file, json!({}), limits, host())
            .await?;
        Ok(Self { native, component })
    }
}

pub(crate) fn host() -> Arc<PluginHost> {
    PluginHost::new("touch", Capabilities::default())
}

/// An instance with the rights it needs.
pub(crate) fn slot(instance: Instance) -> PluginSlot {
    PluginSlot {
        name: "touch".to_owned(),
        instance,
        capabilities: Capabilities {
            fields_read: FieldNames::new(READS),
            fields_write: FieldNames::new(WRITES),
            ..Capabilities::default()
        },
        priority: 100,
        on_failure: OnFailure::Reject,
        timeout: Duration::from_millis(250),
        host: host(),
        source: "builtin".to_owned(),
        sha256: None,
        login: LoginSettings::default(),
    }
}

/// The local password, which logs somebody in.
pub(crate) async fn password() -> Outcome<PluginSlot> {
    let capabilities = Capabilities {
        credentials: true,
        ..Capabilities::default()
    };
    let host = PluginHost::new("password", capabilities.clone());
    let linked = Linked::builder::<Password>("password").with_auth_provider();
    let linked = linked.build();
    let instance = linked.start(json!({}), Arc::clone(&host) as _);
    Ok(PluginSlot {
        name: "password".to_owned(),
        capabilities,
        host,
        ..slot(instance.await?)
    })
}

/// A call of the hook alone, without the engine around it.
pub(crate) struct Call {
    instance: Instance,
    context: Context,
    stored: Record,
    given: Map<String, Value>,
}

impl Call {
    /// A call of this instance.
    pub(crate) fn of(instance: Instance) -> Self {
        Self {
            instance,
            context: context(),
            stored: Record(object(
                json!({ "first_name": "Admin", "last_name": "User", "title": null }),
            )),
            given: object(json!({ "first_name": "First", "title": "Administrator" })),
        }
    }

    /// Calls the hook so many times.
    pub(crate) async fn time(&self, calls: u64) -> Duration {
        let Some(hooks) = &self.instance.hooks else {
            return Duration::ZERO;
        };
        let started = Instant::now();
        for _ in 0..calls {
            let mut draft = Draft::new(self.given.clone());
            let answer = hooks
                .before_update(&self.context, &self.stored, &mut draft)
                .await;
            assert!(
                answer.is_ok() && draft.text("title") == Some("User, First"),
                "the hook failed"
            );
        }
        started.elapsed()
    }
}

pub(crate) fn context() -> Context {
    Context {
        id: "0197a2b0-0000-7000-8000-00000000e001".to_owned(),
        event: Event::BeforeUpdate,
        collection: "users".to_owned(),
        item: Some("0197a2b0-0000-7000-8000-000000000001".to_owned()),
        source: "rest".to_owned(),
        principal: Principal::User {
            id: "0197a2b0-0000-7000-8000-000000000001".to_owned(),
            role: Some("0197a2b0-0000-7000-8000-000000000002".to_owned()),
        },
        ip: Some("127.0.0.1".to_owned()),
        user_agent: None,
        time: "2026-01-02T03:04:05.678Z".to_owned(),
        depth: 0,
        host: host(),
    }
}

fn object(json: Value) -> Map<String, Value> {
    match json {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Builds a component, in the target folder that guests share: a nested cargo in the outer one's
/// folder would wait for its lock.
pub(crate) fn component(package: &str) -> Outcome<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guests = workspace.join("target/guests");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(&workspace)
        .args(["build", "--profile", "guest"]);
    cargo.args([
        "--target",
        "wasm32-wasip2",
        "--package",
        package,
        "--target-dir",
    ]);
    cargo.arg(&guests);
    // Flags for the outer build are not for the guest.
    for flags in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER"] {
        cargo.env_remove(flags);
    }
    if !cargo.status()?.success() {
        return Err("the component does not build: is the target wasm32-wasip2 installed?".into());
    }
    let file = format!("wasm32-wasip2/guest/{}.wasm", package.replace('-', "_"));
    Ok(guests.join(file))
}
