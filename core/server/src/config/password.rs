//! `[auth.password]`: how passwords are hashed, and which are taken.

use std::thread::available_parallelism;

use super::raw::{Bad, Raw, flag, whole};
use super::reader::Reader;
use super::units::{ByteSize, size};

/// `[auth.password]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password {
    /// argon2id: memory of one hash; at least 8 KiB for each lane.
    pub memory: ByteSize,
    /// argon2id: passes over the memory.
    pub iterations: u32,
    /// argon2id: lanes.
    pub parallelism: u32,
    /// Least characters of a new password.
    pub min_length: usize,
    /// Whether common passwords are refused.
    pub reject_common: bool,
    /// Whether changing one's own password needs the current one.
    pub require_current: bool,
    /// Hashes computed at once, already worked out from the cores; at least one.
    pub max_concurrent: usize,
}

impl Password {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let password = Self {
            memory: reader.read("auth.password.memory", argon2_memory),
            iterations: reader.read("auth.password.iterations", whole(1..=1_000)),
            parallelism: reader.read("auth.password.parallelism", whole(1..=256)),
            min_length: reader.read("auth.password.min_length", whole(1..=1_024)),
            reject_common: reader.read("auth.password.reject_common", flag),
            require_current: reader.read("auth.password.require_current", flag),
            max_concurrent: match reader.read("auth.password.max_concurrent", whole(0..=1_024)) {
                0 => available_parallelism().map_or(1, |cores| (cores.get() - 1).max(1)),
                given => given,
            },
        };
        if password.memory.bytes() < 8 * 1_024 * u64::from(password.parallelism) {
            let problem = format!(
                "expected at least 8KiB for each of {} lanes, got {} bytes",
                password.parallelism,
                password.memory.bytes()
            );
            reader.note("auth.password.memory", problem);
        }
        password
    }
}

fn argon2_memory(raw: &Raw<'_>) -> Result<ByteSize, Bad> {
    let found = size(raw)?;
    if found.bytes() % 1_024 == 0 && found.bytes() <= 4 << 30 {
        Ok(found)
    } else {
        Err(Bad::expected("whole KiB and no more than `4GiB`"))
    }
}
