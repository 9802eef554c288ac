use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use roster_sdk::{Failure, Host};
use wasmtime::Store;

use crate::bindings::auth_provider::{AuthProviderKind, AuthProviderKindPre};
use crate::bindings::hooks::{HooksKind, HooksKindPre};
use crate::bindings::mailer::{MailerKind, MailerKindPre};
use crate::bindings::policy::{PolicyKind, PolicyKindPre};
use crate::component::Component;
use crate::host::{self, State};
use crate::limits::Instances;

/// How many idle instances a component keeps of one kind.
const IDLE: usize = 16;
/// How many calls an instance serves.
const USES: u32 = 1_000;

/// A running call.
pub(crate) type Calling<'a, T> = Pin<Box<dyn Future<Output = wasmtime::Result<T>> + Send + 'a>>;

/// A component as one of its kinds, ready to be instantiated.
pub(crate) trait Kind: Send + Sync {
    /// An instance of it.
    type Guest: Send + Sync;

    /// Makes an instance.
    fn instantiate<'a>(&'a self, store: &'a mut Store<State>) -> Calling<'a, Self::Guest>;
}

impl Kind for HooksKindPre<State> {
    type Guest = HooksKind;

    fn instantiate<'a>(&'a self, store: &'a mut Store<State>) -> Calling<'a, HooksKind> {
        Box::pin(self.instantiate_async(store))
    }
}

impl Kind for MailerKindPre<State> {
    type Guest = MailerKind;

    fn instantiate<'a>(&'a self, store: &'a mut Store<State>) -> Calling<'a, MailerKind> {
        Box::pin(self.instantiate_async(store))
    }
}

impl Kind for PolicyKindPre<State> {
    type Guest = PolicyKind;

    fn instantiate<'a>(&'a self, store: &'a mut Store<State>) -> Calling<'a, PolicyKind> {
        Box::pin(self.instantiate_async(store))
    }
}

impl Kind for AuthProviderKindPre<State> {
    type Guest = AuthProviderKind;

    fn instantiate<'a>(&'a self, store: &'a mut Store<State>) -> Calling<'a, AuthProviderKind> {
        Box::pin(self.instantiate_async(store))
    }
}

/// The instances of a component as one of its kinds.
pub(crate) struct Guests<K: Kind> {
    component: Arc<Component>,
    kind: K,
    idle: Mutex<Vec<Warm<K::Guest>>>,
}

/// An instance with its store.
struct Warm<G> {
    store: Store<State>,
    guest: G,
    uses: u32,
}

impl<K: Kind> Guests<K> {
    /// No instance yet.
    pub(crate) const fn new(component: Arc<Component>, kind: K) -> Self {
        Self {
            component,
            kind,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Runs one call in an instance, with this host behind its imports. An instance whose call did
    /// not end by itself is never used again.
    pub(crate) async fn call<T: Send>(
        &self,
        host: &Arc<dyn Host>,
        call: impl for<'a> FnOnce(&'a mut Store<State>, &'a K::Guest) -> Calling<'a, T> + Send,
    ) -> Result<T, Failure> {
        let calling = async {
            let mut warm = self.instance(host).await?;
            let answer = call(&mut warm.store, &warm.guest).await;
            self.component.used(warm.store.data().memory_bytes());
            if answer.is_ok() {
                self.keep(warm);
            }
            answer
        };
        self.component.run(calling).await
    }

    async fn instance(&self, host: &Arc<dyn Host>) -> wasmtime::Result<Warm<K::Guest>> {
        let idle = self.is_pooled().then(|| self.locked().pop()).flatten();
        if let Some(mut warm) = idle {
            host::reuse(
                &mut warm.store,
                Arc::clone(host),
                self.component.limits.timeout,
            );
            return Ok(warm);
        }
        let mut store = self.component.store(host, self.component.limits.timeout);
        let guest = self.kind.instantiate(&mut store).await?;
        Ok(Warm {
            store,
            guest,
            uses: 0,
        })
    }

    fn keep(&self, mut warm: Warm<K::Guest>) {
        warm.uses += 1;
        if !self.is_pooled() || warm.uses >= USES {
            return;
        }
        let mut idle = self.locked();
        if idle.len() < IDLE {
            idle.push(warm);
        }
    }

    fn is_pooled(&self) -> bool {
        self.component.limits.instances == Instances::Pooled
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Warm<K::Guest>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
