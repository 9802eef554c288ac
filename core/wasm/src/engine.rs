use std::fs::DirBuilder;
use std::path::Path;

use wasmtime::{
    Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy,
    PoolingAllocationConfig, Strategy,
};

use crate::LoadError;
use crate::limits::{INSTANCES, MEMORIES, TABLES};

/// How many instances of all components together may wait for their calls.
pub(crate) const IDLE_PLACES: u32 = 64;

/// What a memory reserves where addresses are scarce; it moves when it grows beyond.
const SCARCE: u64 = 8 << 20;

/// The engine all components share. The instances of up to `calls` running calls, and those that
/// wait for theirs, come from a pool; where the system does not let us reserve one, as under a limit of addresses, each call maps its
/// own memory.
pub(crate) fn engine(cache_dir: Option<&Path>, calls: u32) -> Result<Engine, LoadError> {
    let cache = cache_dir.map(cache).transpose()?;
    let mut config = config(cache);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(calls)));
    Engine::new(&config).or_else(|error| {
        let reason = format!("{error:#}");
        tracing::warn!(
            reason,
            "no pool for plugin instances, plugin calls will be slower"
        );
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        config
            .memory_reservation(SCARCE)
            .memory_reservation_for_growth(SCARCE);
        Engine::new(&config).map_err(|error| LoadError::engine(format!("{error:#}")))
    })
}

fn config(cache: Option<Cache>) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .cache(cache);
    config
}

fn pool(calls: u32) -> PoolingAllocationConfig {
    let has_pagemap_scan = PoolingAllocationConfig::is_pagemap_scan_available();
    let instances = calls.saturating_add(IDLE_PLACES);
    // Without the kernel's help everything kept has to be cleared, used or not.
    let kept = if has_pagemap_scan {
        256 << 10
    } else {
        64 << 10
    };
    let mut pool = PoolingAllocationConfig::new();
    pool.pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(kept)
        .table_keep_resident(64 << 10)
        .max_core_instances_per_component(INSTANCES)
        .max_tables_per_component(TABLES)
        .max_memories_per_component(MEMORIES)
        .total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(INSTANCES))
        .total_tables(instances.saturating_mul(TABLES))
        .total_memories(instances.saturating_mul(MEMORIES))
        .total_stacks(instances);
    pool
}

/// Compiled components, kept on disk. Whoever can write there can run code in the server, so a
/// directory we make is for its owner alone.
fn cache(dir: &Path) -> Result<Cache, LoadError> {
    let refuse = |reason: String| {
        LoadError::engine(format!("cache directory `{}`: {reason}", dir.display()))
    };
    let absolute = std::path::absolute(dir).map_err(|error| refuse(error.to_string()))?;
    make_private(&absolute).map_err(|error| refuse(error.to_string()))?;
    let mut config = CacheConfig::new();
    config.with_directory(absolute);
    Cache::new(config).map_err(|error| refuse(format!("{error:#}")))
}

fn make_private(dir: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}
