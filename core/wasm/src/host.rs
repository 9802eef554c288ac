use std::sync::Arc;
use std::time::{Duration, Instant};

use roster_sdk::Host;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::bindings::base::Base;
use crate::limits::{Allowance, Exceeded, HANDLES, HOSTCALL_BYTES, Limits, RANDOM_BYTES};

/// What one call of a component can reach.
pub(crate) struct State {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) config: Arc<str>,
    pub(crate) lines: usize,
    budget: Duration,
    deadline: Instant,
    allowance: Allowance,
    wasi: WasiCtx,
    resources: ResourceTable,
}

/// Everything a component may import.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    Base::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// A store for one call, with this host behind its imports. A guest in it yields at every tick, and
/// is stopped at the first one after its budget.
pub(crate) fn store(
    engine: &Engine,
    limits: &Limits,
    budget: Duration,
    config: Arc<str>,
    host: Arc<dyn Host>,
) -> Store<State> {
    let mut resources = ResourceTable::new();
    resources.set_max_capacity(HANDLES);
    let state = State {
        host,
        config,
        lines: 0,
        budget,
        deadline: Instant::now() + budget,
        allowance: Allowance::new(limits),
        wasi: isolated(),
        resources,
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.allowance);
    store.set_max_component_handles(HANDLES);
    store.epoch_deadline_callback(|store| tick(store.data()));
    renew(&mut store);
    store
}

fn tick(state: &State) -> wasmtime::Result<UpdateDeadline> {
    if Instant::now() >= state.deadline {
        return Err(wasmtime::Error::new(Exceeded::Deadline(state.budget)));
    }
    Ok(UpdateDeadline::Yield(1))
}

/// The limits of one call, from its beginning.
fn renew(store: &mut Store<State>) {
    store.set_hostcall_fuel(HOSTCALL_BYTES);
    store.set_epoch_deadline(1);
}

/// Makes a store that has served a call ready for the next one.
pub(crate) fn reuse(store: &mut Store<State>, host: Arc<dyn Host>, budget: Duration) {
    let state = store.data_mut();
    state.host = host;
    state.lines = 0;
    state.budget = budget;
    state.deadline = Instant::now() + budget;
    renew(store);
}

/// A WASI of clocks and randomness: no files, environment, arguments, input or network.
fn isolated() -> WasiCtx {
    let mut wasi = WasiCtx::builder();
    wasi.allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    wasi.max_random_size(RANDOM_BYTES);
    wasi.build()
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.resources,
        }
    }
}

impl State {
    /// The bytes of memory the call has taken so far.
    pub(crate) const fn memory_bytes(&self) -> u64 {
        self.allowance.used_bytes()
    }
}
