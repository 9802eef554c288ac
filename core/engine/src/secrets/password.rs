//! Passwords: argon2id on threads of its own, never on the async ones.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use roster_domain::{Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::settings::PasswordSettings;

/// How long a request waits for its turn to hash before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);
/// After how long without work a thread gives its memory back.
const IDLE: Duration = Duration::from_secs(30);

/// What a hash that somebody sends may cost, unless ours cost more: KiB of memory and passes over it.
/// What other programs make by default is below.
const SENT: [u32; 2] = [64 << 10, 4];

/// What a thread is to compute, in memory that it has.
type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// Hashes and verifies passwords, so many at a time, on threads of their own: the next one begins
/// as soon as one ends, in memory that is there already. The threads end with the last of its clones.
#[derive(Clone)]
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    jobs: Sender<Job>,
    errands: Arc<Semaphore>,
    /// A hash that nothing has, verified where there is none: every path does the same work.
    decoy: Arc<str>,
}

/// What a verification said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verified {
    /// It is not the password.
    No,
    /// It is.
    Yes,
    /// It is, and the hash is weaker than hashes are made now; here is a new one.
    Outdated(String),
}

impl Hasher {
    pub(crate) fn new(settings: &PasswordSettings) -> Result<Self> {
        let params = Params::new(
            settings.memory_kib,
            settings.iterations,
            settings.parallelism,
            None,
        )
        .map_err(|error| Error::internal(format!("auth.password: {error}")))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let turns = match settings.max_concurrent {
            0 => cores.saturating_sub(1).max(1),
            some => some,
        };
        let decoy = phc(argon2.params(), Salt::generate(), &[0; LENGTH])?.into();
        let (jobs, queue) = crossbeam_channel::unbounded();
        for number in 0..turns {
            let queue = queue.clone();
            let thread = thread::Builder::new().name(format!("hasher-{number}"));
            thread
                .spawn(move || work(&queue))
                .map_err(Error::internal)?;
        }
        Ok(Self {
            argon2,
            jobs,
            errands: Arc::new(Semaphore::new(turns)),
            decoy,
        })
    }

    /// The PHC string of a password.
    pub(crate) async fn hash(&self, password: &str) -> Result<String> {
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        self.turn(move |memory| memory.hash(&argon2, &password))
            .await
    }

    /// Whether a password is the one behind a hash. Without a hash it takes as long and is not.
    pub(crate) async fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verified> {
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        let is_decoy = stored.is_none_or(str::is_empty);
        let stored: Arc<str> = match stored {
            Some(stored) if !is_decoy => stored.into(),
            _ => Arc::clone(&self.decoy),
        };
        self.turn(move |memory| {
            let Ok(parsed) = PasswordHash::new(&stored) else {
                return Ok(Verified::No);
            };
            let matches = memory.is_behind(&parsed, &password);
            if is_decoy || !matches {
                return Ok(Verified::No);
            }
            if is_weaker(&parsed, argon2.params()) {
                return memory.hash(&argon2, &password).map(Verified::Outdated);
            }
            Ok(Verified::Yes)
        })
        .await
    }

    /// A place for a hash that opens nothing, held until it is computed. No more of these are in the
    /// queue than are computed at once, however many are asked for, so that logins get through.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when there is none for long.
    pub(crate) async fn errand(&self) -> Result<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.errands).acquire_owned();
        let place = tokio::time::timeout(PATIENCE, place).await;
        place
            .map_err(|_| Error::unavailable("password hashing", "too many hashes at once"))?
            .map_err(Error::internal)
    }

    /// Refuses a hash that somebody sends where it is none, or where computing it takes more than
    /// hashes do: its costs are the sender's choice, the memory and the time are ours.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`.
    pub(crate) fn check_sent(&self, hash: &str) -> Result<()> {
        let malformed = || Error::invalid_payload("Invalid \"hash\" or \"string\"");
        let parsed = PasswordHash::new(hash).map_err(|_| malformed())?;
        Algorithm::try_from(parsed.algorithm.as_str()).map_err(|_| malformed())?;
        let params = Params::try_from(&parsed).map_err(|_| malformed())?;
        let ours = self.argon2.params();
        let most = [ours.m_cost().max(SENT[0]), ours.t_cost().max(SENT[1])];
        let costs = [params.m_cost(), params.t_cost()];
        if costs[0] <= most[0] && costs[1] <= most[1] {
            return Ok(());
        }
        Err(Error::invalid_payload(format!(
            "\"hash\" has the costs m={},t={}, expected at most m={},t={}",
            costs[0], costs[1], most[0], most[1]
        )))
    }

    async fn turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |memory: &mut Memory| {
            // Nobody waits any more.
            if !answer.is_closed() {
                drop(answer.send(work(memory)));
            }
        });
        let sent = self.jobs.send(job);
        sent.map_err(|_| Error::internal("no thread hashes"))?;
        tokio::time::timeout(PATIENCE, answered)
            .await
            .map_err(|_| Error::unavailable("password hashing", "too many logins at once"))?
            .map_err(Error::internal)?
    }
}

/// Does what is in the queue until there is nobody left to put something into it.
fn work(queue: &Receiver<Job>) {
    let mut memory = Memory::default();
    loop {
        match queue.recv_timeout(IDLE) {
            // Whoever waits learns of a panic by getting no answer.
            Ok(job) => drop(std::panic::catch_unwind(AssertUnwindSafe(|| {
                job(&mut memory);
            }))),
            Err(RecvTimeoutError::Timeout) => memory = Memory::default(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// How many bytes hashes are made of.
const LENGTH: usize = Params::DEFAULT_OUTPUT_LEN;

/// The blocks that argon2 fills, kept from one hash to the next. Every hash writes all that it reads.
#[derive(Default)]
struct Memory(Vec<Block>);

impl Memory {
    fn hash(&mut self, argon2: &Argon2<'_>, password: &str) -> Result<String> {
        let (salt, mut hash) = (Salt::generate(), [0; LENGTH]);
        self.compute(argon2, password, &salt, &mut hash)?;
        phc(argon2.params(), salt, &hash)
    }

    /// Whether a hash, with the parameters that it was made with, is one of this password.
    fn is_behind(&mut self, stored: &PasswordHash, password: &str) -> bool {
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
            return false;
        };
        let algorithm = Algorithm::try_from(stored.algorithm.as_str());
        let version = stored.version.map_or(Ok(Version::V0x13), Version::try_from);
        let (Ok(algorithm), Ok(version), Ok(params)) =
            (algorithm, version, Params::try_from(stored))
        else {
            return false;
        };
        let argon2 = Argon2::new(algorithm, version, params);
        let mut bytes = [0; Output::MAX_LENGTH];
        let Some(found) = bytes.get_mut(..expected.len()) else {
            return false;
        };
        let computed = self.compute(&argon2, password, salt, found);
        // Outputs are compared in constant time.
        computed.is_ok() && Output::new(found).is_ok_and(|found| found == *expected)
    }

    fn compute(
        &mut self,
        argon2: &Argon2<'_>,
        password: &str,
        salt: &[u8],
        hash: &mut [u8],
    ) -> Result<()> {
        let count = argon2.params().block_count();
        self.0.resize(count, Block::default());
        self.0.shrink_to(count);
        argon2
            .hash_password_into_with_memory(password.as_bytes(), salt, hash, &mut self.0)
            .map_err(Error::internal)
    }
}

/// What is stored of a hash.
fn phc(params: &Params, salt: Salt, hash: &[u8]) -> Result<String> {
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(Error::internal)?,
        salt: Some(salt),
        hash: Some(Output::new(hash).map_err(Error::internal)?),
    };
    Ok(hash.to_string())
}

fn is_weaker(hash: &PasswordHash, wanted: &Params) -> bool {
    let Ok(params) = Params::try_from(hash) else {
        return true;
    };
    hash.algorithm != Algorithm::Argon2id.ident()
        || params.m_cost() < wanted.m_cost()
        || params.t_cost() < wanted.t_cost()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use argon2::password_hash::{PasswordHasher, PasswordVerifier};

    use super::*;

    fn settings(memory_kib: u32) -> PasswordSettings {
        PasswordSettings {
            memory_kib,
            iterations: 1,
            parallelism: 1,
            max_concurrent: 1,
            min_length: 8,
            reject_common: true,
            require_current: true,
        }
    }

    #[tokio::test]
    async fn a_password_is_verified_exactly_as_sent() {
        let hasher = Hasher::new(&settings(64)).expect("a hasher");
        let long = "x".repeat(72);
        let stored = hasher.hash(&format!("{long}a")).await.expect("a hash");

        let verify = async |p: String| hasher.verify(&p, Some(&stored)).await.expect("an answer");
        assert_eq!(verify(format!("{long}a")).await, Verified::Yes);
        assert_eq!(verify(format!("{long}b")).await, Verified::No);
        assert_eq!(verify(format!("{long}a ")).await, Verified::No);
        assert_eq!(verify(format!("{long}A")).await, Verified::No);
    }

    #[tokio::test]
    async fn nothing_opens_a_user_without_a_password() {
        let hasher = Hasher::new(&settings(64)).expect("a hasher");

        for stored in [None, Some(""), Some("not a hash")] {
            assert_eq!(
                hasher.verify("", stored).await.expect("an answer"),
                Verified::No
            );
        }
    }

    #[tokio::test]
    async fn a_login_waits_for_few_of_the_hashes_that_open_nothing() {
        let hasher = Hasher::new(&settings(4_096)).expect("a hasher");
        let done = Arc::new(AtomicUsize::new(0));
        let begun = hasher.errand().await.expect("a place");
        for _ in 0..50 {
            let (hasher, done) = (hasher.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let _place = hasher.errand().await.expect("a place");
                hasher.hash("x").await.expect("a hash");
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        tokio::task::yield_now().await;
        drop(begun);
        tokio::task::yield_now().await;

        hasher.hash("a login").await.expect("a hash");

        assert!(done.load(Ordering::SeqCst) <= 2);
    }

    #[tokio::test]
    async fn a_weaker_hash_is_replaced_at_the_next_good_login() {
        let old = Hasher::new(&settings(64)).expect("a hasher");
        let new = Hasher::new(&settings(128)).expect("a hasher");
        let stored = old.hash("secret").await.expect("a hash");

        let Verified::Outdated(next) = new
            .verify("secret", Some(&stored))
            .await
            .expect("an answer")
        else {
            panic!("not replaced");
        };
        assert_eq!(
            new.verify("secret", Some(&next)).await.expect("an answer"),
            Verified::Yes
        );
        assert_eq!(
            new.verify("wrong", Some(&stored)).await.expect("an answer"),
            Verified::No
        );
    }

    #[tokio::test]
    async fn hashes_are_those_of_the_library_and_the_other_way_round() {
        let hasher = Hasher::new(&settings(64)).expect("a hasher");
        let library = Argon2::default();

        // Larger, smaller, and of another kind than what the memory held before.
        for params in [
            (512, 2, 2, None),
            (64, 1, 1, Some(16)),
            (96, 3, 1, Some(64)),
        ] {
            let (memory, rounds, lanes, length) = params;
            let params = Params::new(memory, rounds, lanes, length).expect("parameters");
            for algorithm in [Algorithm::Argon2id, Algorithm::Argon2i] {
                let other = Argon2::new(algorithm, Version::V0x13, params.clone());
                let stored = other.hash_password(b"secret").expect("a hash").to_string();
                let found = hasher.verify("secret", Some(&stored)).await;
                assert_ne!(found.expect("an answer"), Verified::No, "{stored}");
                let found = hasher.verify("Secret", Some(&stored)).await;
                assert_eq!(found.expect("an answer"), Verified::No, "{stored}");
            }
            let ours = hasher.hash("secret").await.expect("a hash");
            library
                .verify_password(b"secret", ours.as_str())
                .expect("the library takes it");
        }
    }

    #[tokio::test]
    async fn the_decoy_is_the_hash_of_nothing_that_anybody_types() {
        let hasher = Hasher::new(&settings(64)).expect("a hasher");
        let parsed = PasswordHash::new(&hasher.decoy).expect("a hash");

        assert_eq!(Params::try_from(&parsed).expect("parameters").m_cost(), 64);
        let found = hasher.verify("", Some(&hasher.decoy)).await;
        assert_eq!(found.expect("an answer"), Verified::No);
    }
}
