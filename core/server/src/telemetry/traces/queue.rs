use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

/// How many spans wait, and how many found no place: the queue of the library drops in silence.
#[derive(Debug)]
pub(super) struct Queue {
    places: usize,
    waiting: AtomicUsize,
    dropped: AtomicU64,
}

impl Queue {
    /// An empty one with so many places.
    pub(super) const fn of(places: usize) -> Self {
        Self {
            places,
            waiting: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    /// Takes a place; whether there was one.
    fn enter(&self) -> bool {
        let has_place = self.waiting.fetch_add(1, Ordering::Relaxed) < self.places;
        if !has_place {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        has_place
    }

    /// Gives places back.
    pub(super) fn left(&self, count: usize) {
        self.waiting.fetch_sub(count, Ordering::Relaxed);
    }

    /// How many found no place since this was asked.
    pub(super) fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

/// A processor that is given what the queue has a place for.
#[derive(Debug)]
pub(super) struct Queued<P> {
    processor: P,
    queue: Arc<Queue>,
}

impl<P> Queued<P> {
    /// The queue before this processor.
    pub(super) const fn before(processor: P, queue: Arc<Queue>) -> Self {
        Self { processor, queue }
    }
}

impl<P: SpanProcessor> SpanProcessor for Queued<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.processor.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.queue.enter() {
            self.processor.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.processor.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_place_is_counted_and_places_come_back() {
        let queue = Queue::of(2);
        assert_eq!([(); 4].map(|()| queue.enter()), [true, true, false, false]);

        queue.left(1);

        assert_eq!([(); 2].map(|()| queue.enter()), [true, false]);
        assert_eq!((queue.take_dropped(), queue.take_dropped()), (3, 0));
    }
}
