//! Delivers after-events and mails: at least once, in order per user, with pauses between attempts.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use futures_util::future::join_all;
use roster_domain::{Collection, Result};
use roster_sdk::{Event, Failure};
use roster_storage::outbox::{self, Delivery, Outcome};
use tokio::sync::watch;

use crate::convert::Occasion;
use crate::hooks::{self, AfterPayload};
use crate::registry::Placed;
use crate::system::random;
use crate::{Inner, mail};

/// How many deliveries are leased at a time.
const BATCH: u32 = 32;
/// How often the outbox is looked at although nobody said that there is something.
const POLL: Duration = Duration::from_secs(2);

/// The worker of one node. Any number of nodes may run one.
pub struct Deliverer {
    inner: Arc<Inner>,
}

impl Deliverer {
    pub(crate) const fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Delivers until told to stop; what is under way then is finished.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            if *stop.borrow() {
                return;
            }
            match self.deliver_due().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => tracing::error!(%error, cause = ?error.cause(), "outbox not read"),
            }
            let pause = self.pause().await;
            tokio::select! {
                () = self.inner.delivery.notified() => {}
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Delivers what is due; gives how many deliveries were tried.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database does not answer.
    pub async fn deliver_due(&self) -> Result<usize> {
        let inner = &self.inner;
        let due = outbox::next_due(&inner.store).await?;
        if due.is_none_or(|due| due > inner.clock.now()) {
            return Ok(0);
        }
        let lease = TimeDelta::from_std(inner.settings.outbox.lease).unwrap_or(TimeDelta::MAX);
        let mut tx = inner.store.begin().await?;
        let claimed = outbox::claim(&mut tx, inner.clock.now(), lease, BATCH).await?;
        tx.commit().await?;
        join_all(claimed.iter().map(|delivery| self.deliver(delivery))).await;
        Ok(claimed.len())
    }

    async fn pause(&self) -> Duration {
        let now = self.inner.clock.now();
        match outbox::next_due(&self.inner.store).await {
            Ok(Some(due)) => (due - now).to_std().unwrap_or_default().min(POLL),
            Ok(None) | Err(_) => POLL,
        }
        .max(Duration::from_millis(5))
    }

    async fn deliver(&self, delivery: &Delivery) {
        // A mailer that panics must not take the worker with it.
        let telling = AssertUnwindSafe(self.tell(delivery)).catch_unwind();
        let answer = match tokio::time::timeout(self.inner.settings.outbox.lease, telling).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_panic)) => Err(Failure::new("it panicked")),
            Err(_) => Err(Failure::new("the lease ran out")),
        };
        let outcome = match answer {
            Ok(()) => Outcome::Done,
            Err(failure) => self.failed(delivery, failure),
        };
        let word = match &outcome {
            Outcome::Done => "done",
            Outcome::Retry { .. } => "retry",
            Outcome::Dead { .. } => "dead",
        };
        let subscriber = delivery.subscriber.clone();
        metrics::counter!("roster_outbox_deliveries_total", "subscriber" => subscriber, "outcome" => word)
            .increment(1);
        if let Err(error) = self.settle(delivery, &outcome).await {
            // The lease runs out and somebody tells it again.
            tracing::error!(%error, cause = ?error.cause(), "delivery not settled");
        }
    }

    async fn settle(&self, delivery: &Delivery, outcome: &Outcome) -> Result<()> {
        let inner = &self.inner;
        let mut tx = inner.store.begin().await?;
        let retain = inner.settings.outbox.retain && delivery.entry.kind != "mail";
        outbox::settle(&mut tx, delivery, outcome, inner.clock.now(), retain).await?;
        tx.commit().await
    }

    fn failed(&self, delivery: &Delivery, failure: Failure) -> Outcome {
        let settings = &self.inner.settings.outbox;
        let attempts = delivery.attempts.unsigned_abs();
        let (subscriber, event) = (&delivery.subscriber, &delivery.entry.event);
        let (id, error) = (delivery.entry.id, failure.reason);
        if attempts >= settings.max_attempts {
            tracing::error!(subscriber, event, %id, attempts, error, "delivery given up");
            return Outcome::Dead { error };
        }
        tracing::warn!(subscriber, event, %id, attempts, error, "delivery failed, will be retried");
        let at =
            self.inner.clock.now() + pause_after(attempts, settings.backoff, settings.max_backoff);
        Outcome::Retry { at, error }
    }

    async fn tell(&self, delivery: &Delivery) -> Result<(), Failure> {
        let inner = &self.inner;
        let slot = inner
            .registry
            .find(&delivery.subscriber)
            .ok_or_else(|| Failure::new("no plugin of that name is loaded"))?;
        if delivery.entry.event == mail::MAIL {
            return send(inner, slot, delivery).await;
        }
        let event = Event::parse(&delivery.entry.event);
        let (Some(event), Some(hooks)) = (event, &slot.instance.hooks) else {
            return Err(Failure::new("the plugin has no such hook"));
        };
        let payload: AfterPayload = serde_json::from_value(delivery.entry.payload.clone())
            .map_err(|error| Failure::new(error.to_string()))?;
        let context = context(slot, delivery, event, &payload.occasion);
        hooks::after(inner, slot, hooks, context, &payload).await
    }
}

fn context(
    slot: &Placed,
    delivery: &Delivery,
    event: Event,
    occasion: &Occasion,
) -> roster_sdk::Context {
    let item = delivery.entry.item.parse().ok();
    occasion.context(slot, delivery.entry.id, event, Collection::Users, item)
}

async fn send(inner: &Inner, slot: &Placed, delivery: &Delivery) -> Result<(), Failure> {
    let mailer = slot.instance.mailer.as_ref();
    let mailer = mailer.ok_or_else(|| Failure::new("the plugin is no mailer"))?;
    let message = mail::open(inner, delivery).map_err(|error| Failure::new(error.to_string()))?;
    let occasion = Occasion {
        source: "outbox".to_owned(),
        principal: roster_sdk::Principal::System {
            reason: "mail".to_owned(),
        },
        ip: None,
        user_agent: None,
        time: roster_domain::clock::format(delivery.entry.created_at),
    };
    let context = context(slot, delivery, Event::AfterUpdate, &occasion);
    // Sending takes as long as the other side takes; the lease bounds it.
    mailer.send(&context, &message).await
}

/// The pause doubles with each failure and is spread, so that many failures do not come back at once.
fn pause_after(attempts: u32, first: Duration, longest: Duration) -> TimeDelta {
    let doubled = first.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1).min(30)));
    let pause = doubled.min(longest);
    let spread = random::<1>().map_or(128, |[byte]| byte);
    let pause = pause.mul_f64(0.75 + f64::from(spread) / 512.0);
    TimeDelta::from_std(pause).unwrap_or_else(|_| TimeDelta::hours(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_stay_around_the_longest() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_mins(1));

        for (attempts, least, most) in [(1, 750, 1_250), (2, 1_500, 2_500), (50, 45_000, 75_000)] {
            let pause = pause_after(attempts, first, longest).num_milliseconds();
            assert!((least..=most).contains(&pause), "{attempts}: {pause} ms");
        }
    }
}
