//! Delivers after-events and mails: at least once, in order per user, with pauses between attempts.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use roster_domain::{Collection, Result, Timestamp};
use roster_sdk::{Event, Failure};
use roster_storage::deliveries::{self, Listener};
use roster_storage::outbox::{self, Delivery, Outcome};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::convert::Occasion;
use crate::hooks::{self, AfterPayload};
use crate::plugins::{CallHost, Ended};
use crate::registry::{Placed, collection_of};
use crate::system::random;
use crate::{Inner, mail, plugins, trace};

/// How many deliveries are leased at a time.
const BATCH: u32 = 32;
/// How often the outbox is looked at although nobody said that there is something.
const POLL: Duration = Duration::from_secs(2);
/// How long commits are gathered before other nodes are told of the next ones.
const MOMENT: Duration = Duration::from_millis(20);
/// How long to wait at least while something is under way.
const BUSY: Duration = Duration::from_millis(100);
/// How often what is old is removed.
const SWEEP: Duration = Duration::from_hours(1);

/// The worker of one node. Any number of nodes may run one.
pub struct Deliverer {
    inner: Arc<Inner>,
}

impl Deliverer {
    pub(crate) const fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Delivers until told to stop; what is under way then is finished.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let mut stopped = stop.clone();
        let beside = async {
            tokio::join!(self.listen(), self.announce(), self.sweep());
        };
        tokio::select! {
            () = self.work(stop) => {}
            () = beside => {}
        }
        // Whoever listens, announces or sweeps never ends by itself.
        drop(stopped.wait_for(|stop| *stop).await);
    }

    async fn work(&self, mut stop: watch::Receiver<bool>) {
        // Tasks of their own: a delivery that holds a connection has to get on while this one waits
        // for another.
        let mut running = JoinSet::new();
        loop {
            if *stop.borrow() {
                break;
            }
            let free = BATCH.saturating_sub(u32::try_from(running.len()).unwrap_or(BATCH));
            let claimed = match self.claim(free).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::error!(%error, cause = ?error.cause(), "outbox not read");
                    Vec::new()
                }
            };
            let is_full = u32::try_from(claimed.len()).is_ok_and(|count| count == free);
            for delivery in claimed {
                let worker = Self::new(Arc::clone(&self.inner));
                running.spawn(async move { worker.deliver(&delivery).await });
            }
            if is_full && free > 0 {
                continue;
            }
            // What is due and was not claimed waits for what is under way.
            let pause = if running.is_empty() {
                self.pause().await
            } else {
                self.pause().await.max(BUSY)
            };
            tokio::select! {
                Some(_) = running.join_next(), if !running.is_empty() => {}
                () = self.inner.delivery.notified() => {}
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Leases what is due, at most so many.
    async fn claim(&self, most: u32) -> Result<Vec<Delivery>> {
        let inner = &self.inner;
        let due = outbox::next_due(&inner.store).await?;
        if most == 0 || due.is_none_or(|due| due > inner.clock.now()) {
            return Ok(Vec::new());
        }
        let lease = TimeDelta::from_std(inner.settings.outbox.lease).unwrap_or(TimeDelta::MAX);
        let mut tx = inner.store.begin().await?;
        let claimed = outbox::claim(&mut tx, inner.clock.now(), lease, most).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// Wakes this node when another one has something; where there are none, it does nothing.
    async fn listen(&self) {
        loop {
            match Listener::open(&self.inner.store).await {
                Ok(Some(mut listener)) => {
                    while listener.heard(&self.inner.node).await.is_ok() {
                        self.inner.delivery.notify_one();
                    }
                }
                Ok(None) => std::future::pending().await,
                Err(error) => {
                    tracing::debug!(%error, "not listening to the other nodes");
                }
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Tells the other nodes that there is something, once for all commits of a moment.
    async fn announce(&self) {
        loop {
            self.inner.announce.notified().await;
            if let Err(error) = deliveries::wake_others(&self.inner.store, &self.inner.node).await {
                tracing::debug!(%error, "other nodes not told");
            }
            tokio::time::sleep(MOMENT).await;
        }
    }

    /// Removes what is older than it has to be.
    async fn sweep(&self) {
        let retention = self.inner.settings.outbox.retention;
        let Some(retention) = TimeDelta::from_std(retention)
            .ok()
            .filter(|time| !time.is_zero())
        else {
            return std::future::pending().await;
        };
        loop {
            let before = self.inner.clock.now().checked_sub_signed(retention);
            if let Some(before) = before
                && let Err(error) = self.sweep_before(before).await
            {
                tracing::warn!(%error, cause = ?error.cause(), "outbox not swept");
            }
            tokio::time::sleep(SWEEP).await;
        }
    }

    async fn sweep_before(&self, before: Timestamp) -> Result<()> {
        let mut tx = self.inner.store.begin().await?;
        let count = deliveries::sweep(&mut tx, before).await?;
        tx.commit().await?;
        if count > 0 {
            tracing::info!(count, "old events removed");
        }
        Ok(())
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
        let span = span(delivery);
        let outcome = self.attempt(delivery).instrument(span.clone()).await;
        span.record("roster.delivery.outcome", outcome);
        if outcome != "done" {
            trace::fail(&span, outcome);
        }
    }

    /// Tells it once, and notes how that ended.
    async fn attempt(&self, delivery: &Delivery) -> &'static str {
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
        word
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
            return send(inner, &slot, delivery).await;
        }
        let event = Event::parse(&delivery.entry.event);
        let (Some(event), Some(hooks)) = (event, &slot.instance.hooks) else {
            return Err(Failure::new("the plugin has no such hook"));
        };
        // Told again, it may reach a plugin that never asked for it.
        let wished = |wish: &roster_sdk::Subscription| {
            let collection = collection_of(wish).map(Collection::table);
            wish.event == event && collection == Some(delivery.entry.collection.as_str())
        };
        if !slot.instance.manifest.subscriptions.iter().any(wished) {
            return Ok(());
        }
        let payload: AfterPayload = serde_json::from_value(delivery.entry.payload.clone())
            .map_err(|error| Failure::new(error.to_string()))?;
        let context = context(&slot, delivery, event, payload.occasion.clone());
        hooks::after(inner, &slot, hooks, context, &payload).await
    }
}

/// One attempt at a delivery, in the trace of the request that made it happen.
fn span(delivery: &Delivery) -> Span {
    let event = delivery.entry.event.as_str();
    let span = tracing::info_span!(
        target: trace::TARGET,
        parent: None,
        "delivery",
        otel.name = %format_args!("deliver {event}"),
        otel.kind = "consumer",
        messaging.system = "roster",
        messaging.operation.name = "deliver",
        "messaging.operation.type" = "process",
        messaging.destination.name = event,
        messaging.message.id = %delivery.entry.id,
        roster.plugin.name = delivery.subscriber,
        roster.delivery.attempt = delivery.attempts,
        roster.delivery.outcome = Empty,
        "error.type" = Empty,
        otel.status_code = Empty,
    );
    trace::resume(&span, &delivery.entry.payload);
    span
}

fn context(
    slot: &Placed,
    delivery: &Delivery,
    event: Event,
    occasion: Occasion,
) -> roster_sdk::Context {
    let item = delivery.entry.item.parse().ok();
    let id = delivery.entry.id;
    let host = CallHost::direct(&slot.host);
    let mut context = occasion.context(id, event, Collection::Users, item, host);
    context.collection.clone_from(&delivery.entry.collection);
    context
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
    let context = context(slot, delivery, Event::AfterUpdate, occasion);
    let span = plugins::span(slot, mail::MAIL);
    // Sending takes as long as the other side takes; the lease bounds it.
    let sending = mailer.send(&context, &message).instrument(span.clone());
    let sent = sending.await;
    let ended = if sent.is_ok() {
        Ended::Ok
    } else {
        Ended::Failed
    };
    plugins::note(&span, ended);
    sent
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
