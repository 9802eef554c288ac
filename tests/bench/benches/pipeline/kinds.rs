//! A call of each kind of plugin alone, native and as a fresh component.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use roster_sdk::{AccessRequest, BeginLogin, Context, Instance, Message};

use crate::hooks::{Call, context};

/// The kinds.
pub(crate) const KINDS: [&str; 4] = ["hooks", "policy", "auth provider", "mailer"];
/// The builds.
pub(crate) const BUILDS: [&str; 2] = ["native", "fresh WASM"];

/// A kind of an instance, and what its calls took.
pub(crate) struct Kind<'a> {
    place: usize,
    instance: &'a Instance,
    hook: Call,
    context: Context,
    request: AccessRequest,
    login: BeginLogin,
    message: Message,
    samples: Mutex<Vec<f64>>,
}

impl<'a> Kind<'a> {
    /// A kind, by its place.
    pub(crate) fn of(place: usize, instance: &'a Instance) -> Self {
        Self {
            place,
            instance,
            hook: Call::of(instance.clone()),
            context: context(),
            request: AccessRequest {
                action: "read".to_owned(),
                collection: "users".to_owned(),
            },
            login: BeginLogin {
                redirect_uri: "https://here.example/auth/login/touch/callback".to_owned(),
                prompt: false,
            },
            message: Message {
                id: "0197a2b0-0000-7000-8000-00000000e001".to_owned(),
                from: "no-reply@bench.example".to_owned(),
                to: vec!["ada@bench.example".to_owned()],
                subject: "A subject".to_owned(),
                text: "Some text of a mail.\n".repeat(20),
                html: None,
            },
            samples: Mutex::default(),
        }
    }

    /// Calls it so many times; the mean in microseconds is a sample.
    pub(crate) async fn sample(&self, calls: u64) -> Duration {
        let took = match self.place {
            0 => self.hook.time(calls).await,
            _ => self.time(calls).await,
        };
        let each = took.as_secs_f64() * 1e6 / u32::try_from(calls).map_or(f64::INFINITY, f64::from);
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.push(each);
        took
    }

    async fn time(&self, calls: u64) -> Duration {
        let started = Instant::now();
        for _ in 0..calls {
            assert!(self.call().await, "the call failed");
        }
        started.elapsed()
    }

    async fn call(&self) -> bool {
        let (cx, instance) = (&self.context, self.instance);
        match (
            self.place,
            &instance.policy,
            &instance.auth_provider,
            &instance.mailer,
        ) {
            (1, Some(policy), ..) => {
                let narrowed = policy.narrow(cx, &self.request).await;
                narrowed.is_ok_and(|narrowing| narrowing.filter.is_some())
            }
            (2, _, Some(provider), _) => provider.begin(cx, &self.login).await.is_ok(),
            (3, .., Some(mailer)) => mailer.send(cx, &self.message).await.is_ok(),
            _ => false,
        }
    }

    /// What the calls took.
    pub(crate) fn samples(self) -> Vec<f64> {
        self.samples
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
