use std::fmt;
use std::time::Duration;

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

/// How much of the server one call of a component may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The time a call may take from its beginning to its end, the wait for a free place included.
    pub timeout: Duration,
    /// The bytes of all its memories together.
    pub memory_bytes: u64,
    /// The elements of each of its tables.
    pub table_elements: usize,
    /// What a call runs in.
    pub instances: Instances,
}

/// What a call of a component runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Instances {
    /// An instance of its own, with an empty memory: nothing is left of the call before.
    #[default]
    Fresh,
    /// One that has served other calls, for guests that are slow to start. What the guest keeps in
    /// its memory is seen by the calls that come after.
    Pooled,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_millis(250),
            memory_bytes: 64 << 20,
            table_elements: 20_000,
            instances: Instances::Fresh,
        }
    }
}

/// The bytes of an answer.
pub(crate) const RESULT_BYTES: usize = 256 << 10;
/// The bytes a guest may hand over with one call of the host.
pub(crate) const HOSTCALL_BYTES: usize = 4 << 20;
/// The bytes of one read from the random source.
pub(crate) const RANDOM_BYTES: u64 = 64 << 10;
/// The log lines of one call, and the bytes of each.
pub(crate) const LOG_LINES: usize = 64;
pub(crate) const LOG_LINE_BYTES: usize = 4 << 10;
/// The host's resources a guest may hold at once.
pub(crate) const HANDLES: usize = 1_000;

/// How many core instances, tables and memories one component may be made of.
pub(crate) const INSTANCES: u32 = 32;
pub(crate) const TABLES: u32 = 8;
pub(crate) const MEMORIES: u32 = 2;

/// What is left of a call's limits.
pub(crate) struct Allowance {
    limits: StoreLimits,
    memory_bytes: u64,
    used_bytes: u64,
    table_elements: usize,
}

impl Allowance {
    pub(crate) fn new(limits: &Limits) -> Self {
        let builder = StoreLimitsBuilder::new();
        Self {
            limits: builder
                .instances(INSTANCES as usize)
                .tables(TABLES as usize)
                .memories(MEMORIES as usize)
                .build(),
            memory_bytes: limits.memory_bytes,
            used_bytes: 0,
            table_elements: limits.table_elements,
        }
    }

    /// The bytes taken so far; memories never shrink.
    pub(crate) const fn used_bytes(&self) -> u64 {
        self.used_bytes
    }
}

impl ResourceLimiter for Allowance {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current) as u64;
        let used = self.used_bytes.saturating_add(growth);
        if used > self.memory_bytes {
            return Err(wasmtime::Error::new(Exceeded::Memory(self.memory_bytes)));
        }
        self.used_bytes = used;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.table_elements {
            return Err(wasmtime::Error::new(Exceeded::Table(self.table_elements)));
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.instances()
    }

    fn tables(&self) -> usize {
        self.limits.tables()
    }

    fn memories(&self) -> usize {
        self.limits.memories()
    }
}

/// The guest took more than it may have. It is not asked again: a guest that is out of memory
/// rarely ends well, and the operator should read why.
#[derive(Debug)]
pub(crate) enum Exceeded {
    /// The time of the call.
    Deadline(Duration),
    /// The bytes of its memories.
    Memory(u64),
    /// The elements of a table.
    Table(usize),
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self {
            Self::Deadline(budget) => return write!(f, "deadline of {budget:?} exceeded"),
            Self::Table(elements) => {
                return write!(f, "table limit of {elements} elements exceeded");
            }
            Self::Memory(bytes) if bytes.is_multiple_of(1 << 20) => (bytes >> 20, "MiB"),
            Self::Memory(bytes) if bytes.is_multiple_of(1 << 10) => (bytes >> 10, "KiB"),
            Self::Memory(bytes) => (*bytes, "bytes"),
        };
        write!(f, "memory limit of {count} {unit} exceeded")
    }
}

impl std::error::Error for Exceeded {}
