//! What hooks cost: an update of a user in the process, over an SQLite file, without a hook and
//! with one, native and as a component.
//!
//! The variants take turns, update by update, so that a slow moment of the disk or of the machine
//! meets all of them; Criterion sees the share of its own variant. The differences at the end are
//! between updates of the same turn.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use criterion::Criterion;
use roster_bench_touch::Touch;
use roster_domain::query::{PageLimits, Parameters};
use roster_engine::{
    Capabilities, Client, Context, Engine, FieldNames, OnFailure, OutboxSettings, PasswordSettings,
    PluginHost, PluginSlot, Registry, Secret, Settings, Source, SystemClock,
};
use roster_sdk::{Event, Host, Instance, Linked, Map, Principal, Record, Value, json};
use roster_storage::{Location, Store, migrate};
use roster_wasm::{Limits, Runtime, RuntimeSettings};
use tokio::runtime::Builder;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const EMAIL: &str = "admin@bench.example";
const PASSWORD: &str = "a long enough password";
const READS: [&str; 2] = ["first_name", "last_name"];
const WRITES: [&str; 1] = ["title"];

/// The variants: the name, the most it may cost in percent, and where it stands in a turn.
const PLAIN: usize = 0;
const VARIANTS: [(&str, f64); 4] = [
    ("no plugin", 0.0),
    ("an event nobody subscribes to", 0.1),
    ("native hook", 2.0),
    ("fresh WASM hook", 15.0),
];
/// Turns that are left out of the report: statements get prepared, caches fill.
const WARM_UP: usize = 200;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nowhere else to say it.
            let _ = writeln!(io::stderr(), "pipeline: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("out");
    std::fs::create_dir_all(&out)?;
    let component = component()?;
    let folder = tempfile::tempdir_in(&out)?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let hooks = runtime.block_on(Hooks::start(&component))?;
    let updates = runtime.block_on(Updates::start(folder.path(), &hooks))?;
    let mut criterion = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .configure_from_args();

    let mut group = criterion.benchmark_group("update");
    for (variant, (name, _)) in VARIANTS.iter().enumerate() {
        group.bench_function(*name, |bencher| {
            bencher.to_async(&runtime).iter_custom(|turns| updates.measure(variant, turns));
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("hook alone");
    let mut alone = Vec::new();
    for (name, instance) in [("native", &hooks.native), ("fresh WASM", &hooks.component)] {
        let samples = Mutex::new(Vec::new());
        group.bench_function(name, |bencher| {
            bencher.to_async(&runtime).iter_custom(|calls| call(instance, calls, &samples));
        });
        alone.push((name, samples.into_inner().unwrap_or_else(PoisonError::into_inner)));
    }
    group.finish();
    criterion.final_summary();
    runtime.block_on(updates.store.close());
    let report = updates.report() + &report_alone(alone);
    std::fs::write(out.join("pipeline.tsv"), &report)?;
    io::stderr().write_all(report.as_bytes())?;
    Ok(())
}

/// The hook of `touch`, linked and as a component.
struct Hooks {
    native: Instance,
    component: Instance,
}

impl Hooks {
    async fn start(file: &Path) -> Outcome<Self> {
        let native = Linked::hooks::<Touch>("touch").start(json!({}), host()).await?;
        let runtime = Runtime::new(RuntimeSettings::default())?;
        let component =
            runtime.load("touch", file, json!({}), Limits::default(), host()).await?;
        Ok(Self { native, component })
    }
}

fn host() -> Arc<dyn Host> {
    Arc::new(PluginHost::new("touch"))
}

fn slot(instance: Instance) -> PluginSlot {
    PluginSlot {
        name: "touch".to_owned(),
        instance,
        capabilities: Capabilities {
            fields_read: FieldNames::new(READS),
            fields_write: FieldNames::new(WRITES),
        },
        priority: 100,
        on_failure: OnFailure::Reject,
        timeout: Duration::from_millis(250),
        host: host(),
    }
}

/// Engines over one store, one a variant, and what their updates took.
struct Updates {
    store: Store,
    engines: Vec<Engine>,
    context: Context,
    id: String,
    /// Microseconds, one row a turn.
    turns: Mutex<Vec<[f64; VARIANTS.len()]>>,
}

impl Updates {
    async fn start(folder: &Path, hooks: &Hooks) -> Outcome<Self> {
        let location = Location::Sqlite(folder.join("pipeline.db"));
        let store = Store::open(&roster_storage::Settings::new(location)).await?;
        migrate::up(&store).await?;
        let mut elsewhere = hooks.native.clone();
        for subscription in &mut elsewhere.manifest.subscriptions {
            subscription.event = Event::BeforeDelete;
        }
        let registries = [
            Vec::new(),
            vec![slot(elsewhere)],
            vec![slot(hooks.native.clone())],
            vec![slot(hooks.component.clone())],
        ];
        let engine = |slots| {
            let clock = Arc::new(SystemClock);
            Engine::new(store.clone(), settings(), clock, Registry::new(slots))
        };
        let engines = registries.into_iter().map(engine).collect::<Result<Vec<_>, _>>()?;
        engines[PLAIN].bootstrap(Some((EMAIL.to_owned(), Secret::new(PASSWORD)))).await?;
        let public = engines[PLAIN].authenticate(None, client()).await?;
        let credentials = json!({ "email": EMAIL, "password": PASSWORD });
        let tokens = engines[PLAIN].login(&public, &credentials).await?;
        let context = engines[PLAIN].authenticate(Some(&tokens.access_token), client()).await?;
        let id = context.principal.user().ok_or("the caller is no user")?.to_string();
        Ok(Self { store, engines, context, id, turns: Mutex::default() })
    }

    /// Runs so many turns; gives the time of this variant.
    async fn measure(&self, wanted: usize, turns: u64) -> Duration {
        let mut total = Duration::ZERO;
        for _ in 0..turns {
            let turn = self.turns().len();
            let mut took = [Duration::ZERO; VARIANTS.len()];
            for step in 0..took.len() {
                // Every other turn runs backwards, so that nobody always follows the same one.
                let step = if turn % 2 == 0 { step } else { took.len() - 1 - step };
                let variant = (turn / 2 + step) % took.len();
                took[variant] = self.update(variant, turn).await;
            }
            total += took[wanted];
            self.turns().push(took.map(|took| took.as_secs_f64() * 1e6));
        }
        total
    }

    /// One update. Every variant writes the same columns: the hook replaces a title that is there.
    async fn update(&self, variant: usize, turn: usize) -> Duration {
        let body = json!({ "first_name": format!("First {}", turn % 7), "title": "Administrator" });
        let parameters = Parameters::new();
        let started = Instant::now();
        let updated =
            self.engines[variant].update_user(&self.context, &self.id, &body, &parameters).await;
        let took = started.elapsed();
        assert!(updated.is_ok_and(|item| item.is_some()), "the update was refused");
        took
    }

    fn turns(&self) -> std::sync::MutexGuard<'_, Vec<[f64; VARIANTS.len()]>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lines for the table: what, database, with, without, difference, target, whether it was met.
    fn report(&self) -> String {
        let turns = self.turns();
        let turns = turns.get(WARM_UP..).filter(|turns| turns.len() >= WARM_UP);
        // A run that only tests that everything works has no numbers.
        let Some(turns) = turns else { return String::new() };
        let of = |variant: usize| turns.iter().map(|turn| turn[variant]).collect::<Vec<_>>();
        let plain = Spread::of(of(PLAIN)).median;
        let mut report = format!("update in process\tsqlite\t{plain:.1} us\t-\t-\t-\t-\n");
        for (variant, (name, most)) in VARIANTS.iter().enumerate().skip(1) {
            let with = Spread::of(of(variant)).median;
            let costs = turns.iter().map(|turn| turn[variant] - turn[PLAIN]).collect();
            let Spread { median, error } = Spread::of(costs);
            let (share, doubt) = (median / plain * 100.0, error / plain * 100.0);
            let met = if share - doubt <= *most { "met" } else { "MISSED" };
            report += &format!(
                "update in process, {name}\tsqlite\t{with:.1} us\t{plain:.1} us\t\
                 {median:+.2} us = {share:+.2} +- {doubt:.2} %\t<= {most} %\t{met}\n"
            );
        }
        report
    }
}

fn report_alone(hooks: Vec<(&str, Vec<f64>)>) -> String {
    let measured = hooks.into_iter().filter(|(_, samples)| samples.len() > 10);
    let line = |(name, samples)| {
        let Spread { median, error } = Spread::of(samples);
        format!("hook alone, {name}\t-\t{median:.2} +- {error:.2} us\t-\t-\t-\t-\n")
    };
    measured.map(line).collect()
}

/// A median and how far it can be trusted: 1.58 interquartile ranges over the root of the number,
/// the notch of a box plot.
struct Spread {
    median: f64,
    error: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let number = values.len();
        let at = |quarter: usize| values.get(number * quarter / 4).copied().unwrap_or(f64::NAN);
        let root = u32::try_from(number).map_or(f64::INFINITY, f64::from).sqrt();
        Self { median: at(2), error: 1.58 * (at(3) - at(1)) / root }
    }
}

/// Calls the hook alone, without the engine around it.
async fn call(instance: &Instance, calls: u64, samples: &Mutex<Vec<f64>>) -> Duration {
    let Some(hooks) = &instance.hooks else { return Duration::ZERO };
    let cx = roster_sdk::Context {
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
    };
    let stored = Record(object(json!({ "first_name": "Admin", "last_name": "User" })));
    let given = object(json!({ "first_name": "First", "title": "Administrator" }));
    let started = Instant::now();
    for _ in 0..calls {
        let mut draft = roster_sdk::Draft::new(given.clone());
        let answer = hooks.before_update(&cx, &stored, &mut draft).await;
        assert!(answer.is_ok() && draft.text("title") == Some("User, First"), "the hook failed");
    }
    let took = started.elapsed();
    let each = took.as_secs_f64() * 1e6 / u32::try_from(calls).map_or(f64::INFINITY, f64::from);
    samples.lock().unwrap_or_else(PoisonError::into_inner).push(each);
    took
}

fn object(json: Value) -> Map<String, Value> {
    match json {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn client() -> Client {
    Client {
        request_id: "bench".to_owned(),
        source: Source::Rest,
        ip: None,
        user_agent: None,
        origin: None,
    }
}

fn settings() -> Settings {
    const DAY: Duration = Duration::from_secs(86_400);
    Settings {
        secrets: vec![Secret::new("0f8b6f1d5a0e4c7c9a3e2d1b7c6f5e4d-benchmark")],
        access_token_ttl: DAY,
        refresh_token_ttl: DAY,
        session_max_age: DAY,
        refresh_grace: Duration::from_secs(10),
        login_stall: Duration::ZERO,
        password: PasswordSettings {
            memory_kib: 64,
            iterations: 1,
            parallelism: 1,
            max_concurrent: 1,
            min_length: 8,
            require_current: true,
        },
        pages: PageLimits { default: Some(100), max: None },
        mail_from: "no-reply@bench.example".to_owned(),
        mailer: "log".to_owned(),
        outbox: OutboxSettings::default(),
    }
}

/// Builds the component, in the target folder that guests share: a nested cargo in the outer one's
/// folder would wait for its lock.
fn component() -> Outcome<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guests = workspace.join("target/guests");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(&workspace).args(["build", "--profile", "guest"]);
    cargo.args(["--target", "wasm32-wasip2", "--package", "roster-bench-touch", "--target-dir"]);
    cargo.arg(&guests);
    // Flags for the outer build are not for the guest.
    for flags in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER"] {
        cargo.env_remove(flags);
    }
    if !cargo.status()?.success() {
        return Err("the component does not build: is the target wasm32-wasip2 installed?".into());
    }
    Ok(guests.join("wasm32-wasip2/guest/roster_bench_touch.wasm"))
}
