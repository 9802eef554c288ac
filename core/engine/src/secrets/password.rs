//! Passwords: argon2id on a bounded pool, never on the async threads.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use roster_domain::{Error, Result};
use tokio::sync::Semaphore;

use crate::settings::PasswordSettings;

/// How long a request waits for its turn to hash before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hashes and verifies passwords, so many at a time.
#[derive(Clone)]
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    turns: Arc<Semaphore>,
    /// A hash of nothing, verified where there is none: every path does the same work.
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
        let decoy = hash(&argon2, "")?.into();
        Ok(Self {
            argon2,
            turns: Arc::new(Semaphore::new(turns)),
            decoy,
        })
    }

    /// The PHC string of a password.
    pub(crate) async fn hash(&self, password: &str) -> Result<String> {
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        self.turn(move || hash(&argon2, &password)).await
    }

    /// Whether a password is the one behind a hash. Without a hash it takes as long and is not.
    pub(crate) async fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verified> {
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        let is_decoy = stored.is_none_or(str::is_empty);
        let stored: Arc<str> = match stored {
            Some(stored) if !is_decoy => stored.into(),
            _ => Arc::clone(&self.decoy),
        };
        self.turn(move || {
            let Ok(parsed) = PasswordHash::new(&stored) else {
                return Ok(Verified::No);
            };
            let matches = argon2.verify_password(password.as_bytes(), &parsed).is_ok();
            if is_decoy || !matches {
                return Ok(Verified::No);
            }
            if is_weaker(&parsed, argon2.params()) {
                return hash(&argon2, &password).map(Verified::Outdated);
            }
            Ok(Verified::Yes)
        })
        .await
    }

    async fn turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned());
        let turn = turn
            .await
            .map_err(|_| Error::unavailable("password hashing", "too many logins at once"))?
            .map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        })
        .await
        .map_err(Error::internal)?
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String> {
    argon2
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error::internal(error.to_string()))
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
}
