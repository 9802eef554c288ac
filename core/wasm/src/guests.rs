use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use roster_sdk::{Failure, Host};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit as Place;
use wasmtime::Store;
use wasmtime::component::{Instance as Made, InstancePre};

use crate::bindings::auth_provider::{AuthProviderKind, AuthProviderKindIndices};
use crate::bindings::hooks::{HooksKind, HooksKindIndices};
use crate::bindings::mailer::{MailerKind, MailerKindIndices};
use crate::bindings::policy::{PolicyKind, PolicyKindIndices};
use crate::bindings::preparation::PreparationKindIndices;
use crate::component::Component;
use crate::host::{self, State};
use crate::limits::{Instances, LOG_LINE_BYTES};

/// How many idle instances a component keeps of one kind.
const IDLE: usize = 16;
/// So many instances that are used up are replaced together, and fewer after so long: what it takes
/// to make one is in nobody's cache after a call, and in everybody's way while one is made.
const TOGETHER: usize = 4;
const PAUSE: Duration = Duration::from_millis(20);
/// For how long none are made ahead after one that could not be, or did not start: its calls make
/// their own meanwhile, under their own deadline and breaker.
const REST: Duration = Duration::from_mins(1);
/// How many calls an instance serves.
const USES: u32 = 1_000;

/// A running call.
pub(crate) type Calling<'a, T> = Pin<Box<dyn Future<Output = wasmtime::Result<T>> + Send + 'a>>;

/// Where an instance exports one of the kinds.
pub(crate) trait Kind: Send + Sync {
    /// An instance, seen as the kind.
    type Guest: Send + Sync;

    /// Sees an instance so.
    fn load(&self, store: &mut Store<State>, instance: &Made) -> wasmtime::Result<Self::Guest>;
}

impl Kind for HooksKindIndices {
    type Guest = HooksKind;

    fn load(&self, store: &mut Store<State>, instance: &Made) -> wasmtime::Result<HooksKind> {
        self.load(store, instance)
    }
}

impl Kind for MailerKindIndices {
    type Guest = MailerKind;

    fn load(&self, store: &mut Store<State>, instance: &Made) -> wasmtime::Result<MailerKind> {
        self.load(store, instance)
    }
}

impl Kind for PolicyKindIndices {
    type Guest = PolicyKind;

    fn load(&self, store: &mut Store<State>, instance: &Made) -> wasmtime::Result<PolicyKind> {
        self.load(store, instance)
    }
}

impl Kind for AuthProviderKindIndices {
    type Guest = AuthProviderKind;

    fn load(
        &self,
        store: &mut Store<State>,
        instance: &Made,
    ) -> wasmtime::Result<AuthProviderKind> {
        self.load(store, instance)
    }
}

/// The instances of a component as one of its kinds.
///
/// Fresh instances are made, and their plugin started, when others are used up, not when a call
/// begins: a write waits for what the guest does with it and not for its memory to be laid out. One
/// is made for each call that has ended, so only the first calls wait, and those that are more within
/// a moment than ever before.
pub(crate) struct Guests<K: Kind>(Arc<Stock<K>>);

struct Stock<K: Kind> {
    component: Arc<Component>,
    linked: InstancePre<State>,
    kind: K,
    /// How an instance is asked to start before its call, if it can.
    preparation: Option<PreparationKindIndices>,
    idle: Mutex<Vec<Warm<K::Guest>>>,
    used: Mutex<Used<K::Guest>>,
    /// Until when none are made ahead.
    rests: Mutex<Option<Instant>>,
}

/// Instances that are used up.
struct Used<G> {
    list: Vec<Warm<G>>,
    /// Whether somebody is at it.
    are_replaced: bool,
}

/// An instance with its store.
struct Warm<G> {
    store: Store<State>,
    guest: G,
    uses: u32,
    /// What it holds of the engine's pool: the place of its call, or one of those for idle instances.
    /// Given back when the store is gone.
    place: Place,
}

impl<K: Kind + 'static> Guests<K> {
    /// No instance yet.
    pub(crate) fn new(
        component: Arc<Component>,
        linked: InstancePre<State>,
        kind: K,
        preparation: Option<PreparationKindIndices>,
    ) -> Self {
        Self(Arc::new(Stock {
            component,
            linked,
            kind,
            preparation,
            idle: Mutex::default(),
            used: Mutex::new(Used {
                list: Vec::new(),
                are_replaced: false,
            }),
            rests: Mutex::default(),
        }))
    }

    /// Runs one call in an instance, with this host behind its imports. An instance whose call did
    /// not end by itself is never used again.
    pub(crate) async fn call<T: Send>(
        &self,
        host: &Arc<dyn Host>,
        call: impl for<'a> FnOnce(&'a mut Store<State>, &'a K::Guest) -> Calling<'a, T> + Send,
    ) -> Result<T, Failure> {
        let component = &self.0.component;
        let calling = async {
            let place = component.shared.place().await?;
            let mut warm = self.0.take(host, place).await?;
            let answer = call(&mut warm.store, &warm.guest).await;
            component.used(warm.store.data().memory_bytes());
            if answer.is_ok() {
                self.0.served(warm);
            }
            answer
        };
        component.run(calling).await
    }
}

impl<K: Kind + 'static> Stock<K> {
    async fn take(&self, host: &Arc<dyn Host>, place: Place) -> wasmtime::Result<Warm<K::Guest>> {
        let idle = locked(&self.idle).pop();
        if let Some(mut warm) = idle {
            let budget = self.component.limits.timeout;
            host::reuse(&mut warm.store, Arc::clone(host), budget);
            warm.place = place;
            return Ok(warm);
        }
        let (warm, _) = self.make(host, place).await?;
        Ok(warm)
    }

    async fn make(
        &self,
        host: &Arc<dyn Host>,
        place: Place,
    ) -> wasmtime::Result<(Warm<K::Guest>, Made)> {
        let mut store = self.component.store(host, self.component.limits.timeout);
        let instance = self.linked.instantiate_async(&mut store).await?;
        let guest = self.kind.load(&mut store, &instance)?;
        let warm = Warm {
            store,
            guest,
            uses: 0,
            place,
        };
        Ok((warm, instance))
    }

    /// Makes an instance for a call to come, and has it start; else says why it does not.
    async fn make_ready(&self, place: Place) -> wasmtime::Result<Result<Warm<K::Guest>, String>> {
        let (mut warm, instance) = self.make(&self.component.host, place).await?;
        let Some(preparation) = &self.preparation else {
            return Ok(Ok(warm));
        };
        let guest = preparation.load(&mut warm.store, &instance)?;
        let preparing = guest.roster_plugin_preparation();
        let answer = preparing.call_prepare(&mut warm.store).await?;
        Ok(answer.map(|()| warm))
    }

    /// Keeps an instance that has served a call, or puts another one in its place.
    fn served(self: &Arc<Self>, mut warm: Warm<K::Guest>) {
        let Some(place) = self.component.shared.idle_place() else {
            return;
        };
        warm.place = place;
        warm.uses += 1;
        match self.component.limits.instances {
            Instances::Pooled if warm.uses < USES => self.keep(warm),
            Instances::Pooled => {}
            Instances::Fresh if self.is_resting() => {}
            Instances::Fresh => {
                let count = {
                    let mut used = locked(&self.used);
                    used.list.push(warm);
                    (!used.are_replaced).then_some(used.list.len())
                };
                match count {
                    Some(1) => self.restock(PAUSE),
                    Some(TOGETHER) => self.restock(Duration::ZERO),
                    _ => {}
                }
            }
        }
    }

    /// Makes an instance for a call to come in the place of each that is used up, after a pause: one
    /// after another, however many calls there are meanwhile.
    fn restock(self: &Arc<Self>, pause: Duration) {
        let (stock, runtime) = (Arc::clone(self), Handle::current());
        let replace = move || {
            let begins = {
                let mut used = locked(&stock.used);
                !std::mem::replace(&mut used.are_replaced, true)
            };
            if begins {
                runtime.spawn(async move {
                    while let Some(warm) = stock.next_used() {
                        stock.replace(warm).await;
                    }
                });
            }
        };
        self.component.shared.ticker.later(pause, replace);
    }

    /// One that is used up. When there is none, whoever asks is done.
    fn next_used(&self) -> Option<Warm<K::Guest>> {
        let mut used = locked(&self.used);
        let next = used.list.pop();
        used.are_replaced = next.is_some();
        next
    }

    async fn replace(&self, used: Warm<K::Guest>) {
        let Warm {
            store,
            guest,
            place,
            ..
        } = used;
        drop((guest, store));
        if locked(&self.idle).len() >= IDLE || self.is_resting() {
            return;
        }
        let made = self.component.run(self.make_ready(place)).await;
        let (outcome, reason) = match made {
            Ok(Ok(warm)) => return self.keep(warm),
            Ok(Err(reason)) => ("failed", reason),
            Err(failure) => ("crashed", failure.reason),
        };
        *locked(&self.rests) = Some(Instant::now() + REST);
        let plugin = self.component.name.as_str();
        metrics::counter!(
            "roster_plugin_calls_total",
            "plugin" => plugin.to_owned(), "call" => "prepare", "outcome" => outcome
        )
        .increment(1);
        let end = reason.floor_char_boundary(LOG_LINE_BYTES);
        let reason = &reason[..end];
        tracing::warn!(plugin, reason, "plugin does not start ahead of its calls");
    }

    fn is_resting(&self) -> bool {
        locked(&self.rests).is_some_and(|until| Instant::now() < until)
    }

    fn keep(&self, warm: Warm<K::Guest>) {
        let mut idle = locked(&self.idle);
        if idle.len() < IDLE {
            idle.push(warm);
        }
    }
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
