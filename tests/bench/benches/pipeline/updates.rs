//! Engines over one store, one a variant, that take turns.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use roster_domain::Collection;
use roster_domain::query::{PageLimits, Parameters};
use roster_engine::{
    AccountSettings, Client, Context, Engine, FileSettings, OutboxSettings, PasswordSettings,
    Registry, RoleSettings, Secret, Settings, Source, SystemClock, UserSettings,
};
use roster_sdk::{Event, json};
use roster_storage::{Location, Store, migrate};

use crate::Outcome;
use crate::decisions::Decisions;
use crate::hooks::{Call, Hooks, password, slot};

const EMAIL: &str = "admin@bench.example";
const PASSWORD: &str = "a long enough password";

/// What the other variants are compared with.
pub(crate) const PLAIN: usize = 0;
/// The variants, and the most that each may cost in percent.
pub(crate) const VARIANTS: [(&str, f64); 4] = [
    ("no plugin", 0.0),
    ("an event nobody subscribes to", 0.1),
    ("native hook", 2.0),
    ("fresh WASM hook", 15.0),
];

/// Hooks that are called without an engine, in the same turns: after an update nothing of theirs is
/// left in the caches of the processor.
pub(crate) const ALONE: [&str; 2] = ["native", "fresh WASM"];
/// How many updates in a row count, after the first one: with that one as many as use up the
/// instances that are replaced together, so that each run pays for its own.
const RUN: u32 = 7;
/// How long a variant is waited for before the next begins, until it has done what it put off.
const REST: Duration = Duration::from_millis(3);

/// Microseconds of one turn.
#[derive(Clone, Copy, Default)]
pub(crate) struct Turn {
    /// An update of each variant that comes after those of another.
    pub(crate) first: [f64; VARIANTS.len()],
    /// One of those that follow, as on a server whose plugins stay the same.
    pub(crate) then: [f64; VARIANTS.len()],
    /// Each hook alone.
    pub(crate) alone: [f64; ALONE.len()],
}

/// The engines, and what their updates took.
pub(crate) struct Updates {
    store: Store,
    engines: Vec<Engine>,
    /// The one by which people log in.
    door: Engine,
    alone: [Call; ALONE.len()],
    context: Context,
    token: String,
    id: String,
    turns: Mutex<Vec<Turn>>,
}

impl Updates {
    /// Makes the database, its administrator, and the engines.
    pub(crate) async fn start(folder: &Path, hooks: &Hooks) -> Outcome<Self> {
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
        let engines = registries
            .into_iter()
            .map(engine)
            .collect::<Result<Vec<_>, _>>()?;
        let plain = &engines[PLAIN];
        plain
            .bootstrap(Some((EMAIL.to_owned(), Secret::new(PASSWORD))))
            .await?;
        let public = plain.authenticate(None, client()).await?;
        let credentials = json!({ "email": EMAIL, "password": PASSWORD });
        let door = engine(vec![password().await?])?;
        let tokens = door.login(&public, &credentials).await?;
        let context = plain
            .authenticate(Some(&tokens.access_token), client())
            .await?;
        let id = context
            .principal
            .user()
            .ok_or("the caller is no user")?
            .to_string();
        let alone = [&hooks.native, &hooks.component].map(|instance| Call::of(instance.clone()));
        Ok(Self {
            store,
            engines,
            door,
            alone,
            context,
            token: tokens.access_token,
            id,
            turns: Mutex::default(),
        })
    }

    /// Runs so many turns; gives the time of an update of this variant for each.
    #[expect(
        clippy::disallowed_methods,
        reason = "what a variant puts off tells nobody when it is done"
    )]
    pub(crate) async fn measure(&self, wanted: usize, turns: u64) -> Duration {
        let mut total = Duration::ZERO;
        for _ in 0..turns {
            let number = self.turns().len();
            let mut turn = Turn::default();
            for step in 0..VARIANTS.len() {
                let variant = (number + step) % VARIANTS.len();
                tokio::time::sleep(REST).await;
                turn.first[variant] = micros(self.update(variant, number).await);
                let mut run = Duration::ZERO;
                for _ in 0..RUN {
                    run += self.update(variant, number).await;
                }
                turn.then[variant] = micros(run / RUN);
                if variant == wanted {
                    total += run / RUN;
                }
            }
            for (hook, alone) in self.alone.iter().enumerate() {
                self.update(PLAIN, number).await;
                turn.alone[hook] = micros(alone.time(1).await);
            }
            self.turns().push(turn);
        }
        total
    }

    /// One update. Every variant writes the same columns: the hook replaces a title that is there.
    async fn update(&self, variant: usize, turn: usize) -> Duration {
        let body = json!({ "first_name": format!("First {}", turn % 7), "title": "Administrator" });
        let parameters = Parameters::new();
        let engine = &self.engines[variant];
        let started = Instant::now();
        let updated = engine
            .update(
                &self.context,
                Collection::Users,
                &self.id,
                &body,
                &parameters,
            )
            .await;
        let took = started.elapsed();
        assert!(
            updated.is_ok_and(|item| item.is_some()),
            "the update was refused"
        );
        took
    }

    /// Who lists what, over the engine without plugins.
    pub(crate) async fn decisions(&self) -> Outcome<Decisions> {
        let engine = self.engines[PLAIN].clone();
        Decisions::start(engine, &self.door, &self.context, &self.token).await
    }

    /// The turns so far.
    pub(crate) fn turns(&self) -> MutexGuard<'_, Vec<Turn>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the database.
    pub(crate) async fn close(&self) {
        self.store.close().await;
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

pub(crate) fn client() -> Client {
    Client {
        request_id: "bench".to_owned(),
        source: Source::Rest,
        ip: None,
        user_agent: None,
        origin: None,
        only_reads: false,
    }
}

fn settings() -> Settings {
    const DAY: Duration = Duration::from_hours(24);
    Settings {
        secrets: vec![Secret::new("0f8b6f1d5a0e4c7c9a3e2d1b7c6f5e4d-benchmark")],
        access_token_ttl: DAY,
        refresh_token_ttl: DAY,
        session_max_age: DAY,
        refresh_grace: Duration::from_secs(10),
        login_stall: Duration::ZERO,
        accounts: AccountSettings::default(),
        password: PasswordSettings {
            memory_kib: 64,
            iterations: 1,
            parallelism: 1,
            max_concurrent: 1,
            min_length: 8,
            reject_common: true,
            require_current: true,
        },
        pages: PageLimits {
            default: Some(100),
            max: None,
        },
        mail_from: "no-reply@bench.example".to_owned(),
        mailer: "log".to_owned(),
        outbox: OutboxSettings::default(),
        files: FileSettings::default(),
        users: UserSettings::default(),
        roles: RoleSettings::default(),
    }
}
