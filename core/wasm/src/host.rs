use std::sync::Arc;

use roster_sdk::{Host, Level};
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::bindings::base::Base;
use crate::bindings::base::roster::plugin::{host as imported, records};
use crate::limits::{
    Allowance, HANDLES, HOSTCALL_BYTES, LOG_LINE_BYTES, LOG_LINES, Limits, RANDOM_BYTES,
};

/// What one call of a component can reach.
pub(crate) struct State {
    host: Arc<dyn Host>,
    config: Arc<str>,
    lines: usize,
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

/// A store for one call, with this host behind its imports. A guest in it yields at every tick.
pub(crate) fn store(
    engine: &Engine,
    limits: &Limits,
    config: Arc<str>,
    host: Arc<dyn Host>,
) -> Store<State> {
    let mut resources = ResourceTable::new();
    resources.set_max_capacity(HANDLES);
    let state = State {
        host,
        config,
        lines: 0,
        allowance: Allowance::new(limits),
        wasi: isolated(),
        resources,
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.allowance);
    store.set_hostcall_fuel(HOSTCALL_BYTES);
    store.set_max_component_handles(HANDLES);
    store.epoch_deadline_async_yield_and_update(1);
    store.set_epoch_deadline(1);
    store
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

// The interface has types only.
impl records::Host for State {}

impl imported::Host for State {
    fn log(&mut self, level: imported::Level, message: String) {
        let level = match level {
            imported::Level::Debug => Level::Debug,
            imported::Level::Info => Level::Info,
            imported::Level::Warn => Level::Warn,
            imported::Level::Error => Level::Error,
        };
        self.lines = self.lines.saturating_add(1);
        if self.lines <= LOG_LINES {
            let end = message.floor_char_boundary(LOG_LINE_BYTES);
            self.host.log(level, &message[..end]);
        } else if self.lines == LOG_LINES + 1 {
            self.host
                .log(Level::Warn, "further lines of this call are left out");
        }
    }

    fn config(&mut self) -> String {
        self.config.as_ref().to_owned()
    }
}
